//! Answers to the client: refusals and lists in its dialect, and the headers
//! that say what happened.

use super::host;
use crate::answer::receipt;
use crate::answer::record::Row;
use crate::dialect::{self, Family};
use crate::refusal::Refusal;
use crate::units::RequestId;
use wasm_bindgen::JsValue;
use worker::worker_sys::web_sys::Response;

/// How long a list in a header gets.
const LONGEST_LIST: usize = 1_000;
/// From so many percent on a reply says how much of a budget is spent.
const WORTH_TELLING: u8 = 50;

/// What the reply's headers tell, as far as it is known.
#[derive(Debug, Default)]
pub struct Story {
    lines: String,
}

impl Story {
    /// The beginning of every story: the request's id.
    pub fn of(id: &RequestId) -> Story {
        let mut story = Story::default();
        story.tell("meridian-request-id", id.as_str());
        story
    }

    /// Adds a header. What is no plain text is left out rather than let a
    /// strange value break the reply.
    pub fn tell(&mut self, name: &str, value: &str) {
        if value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            if !self.lines.is_empty() {
                self.lines.push('\n');
            }
            self.lines.push_str(name);
            self.lines.push_str(": ");
            self.lines.push_str(value);
        }
    }

    /// Adds what the request lost on its way. It is never left untold, so
    /// names are cut and strange letters replaced.
    pub fn tell_dropped(&mut self, dropped: &[String]) {
        if dropped.is_empty() {
            return;
        }
        let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
        let mut names = String::new();
        for (at, name) in dropped.iter().enumerate() {
            if names.len() > LONGEST_LIST {
                names.push_str(&format!(" and {} more", dropped.len() - at));
                break;
            }
            names.push_str(if at > 0 { ", " } else { "" });
            names.extend(name.chars().take(200).map(plain));
        }
        self.tell("meridian-dropped", &names);
    }

    /// Adds headers that are lines already.
    pub fn tell_lines(&mut self, lines: &str) {
        if !lines.is_empty() {
            self.lines.push('\n');
            self.lines.push_str(lines);
        }
    }

    /// Adds the signed receipt, if there is one.
    pub fn tell_receipt(&mut self, receipt: Option<&str>) {
        if let Some(receipt) = receipt {
            self.tell(receipt::HEADER, receipt);
        }
    }

    /// Adds what a row knows.
    pub fn tell_row(&mut self, row: &Row) {
        self.tell_receipt(row.receipt.as_deref());
        self.tell_decision(row);
        if row.zone.is_empty() {
            return;
        }
        self.tell("meridian-attempts", &row.attempts.to_string());
        let told = row
            .budgets
            .iter()
            .filter(|(_, level)| *level >= WORTH_TELLING);
        let told: Vec<String> = told
            .map(|(name, level)| format!("{name}={level}%"))
            .collect();
        if !told.is_empty() {
            self.tell("meridian-budget", &told.join(", "));
        }
        if let Some(downgraded) = &row.downgraded {
            self.tell("meridian-downgraded", downgraded);
        }
        if let Some(runaway) = &row.runaway {
            self.tell("meridian-runaway", runaway);
        }
        if let (Some(endpoint), Some(hosting)) = (&row.endpoint, &row.hosting) {
            self.tell("meridian-served-by", endpoint);
            self.tell("meridian-hosting", hosting);
        }
    }

    /// Adds what was decided before anything was sent.
    pub fn tell_decision(&mut self, row: &Row) {
        if !row.zone.is_empty() {
            self.tell("meridian-zone", &row.zone);
            self.tell("meridian-zone-reason", &row.zone_reason);
            self.tell("meridian-map", &row.map);
        }
    }

    /// The answer.
    pub fn respond(self, status: u16, body: &JsValue) -> Response {
        host::respond(status, &self.lines, body)
    }
}

/// A refusal in the words of the client's SDK.
pub fn refusal(family: Family, refusal: &Refusal, mut story: Story, id: &RequestId) -> Response {
    story.tell("content-type", "application/json");
    if let Some(seconds) = refusal.retry_after() {
        story.tell("retry-after", &seconds.to_string());
    }
    let kind = dialect::refusal_header(family, refusal);
    for (name, value) in kind.into_iter().chain(refusal.header()) {
        story.tell(name, value);
    }
    let body = dialect::refusal_body(family, refusal, id);
    story.respond(refusal.status(), &JsValue::from_str(&body))
}

/// A JSON document.
pub fn json(mut story: Story, body: &str) -> Response {
    story.tell("content-type", "application/json");
    story.respond(200, &JsValue::from_str(body))
}
