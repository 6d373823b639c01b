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
const SHOWN_FROM_PERCENT: u8 = 50;

/// The reply's headers, as far as they are known.
#[derive(Debug, Default)]
pub struct ReplyHeaders {
    lines: String,
}

impl ReplyHeaders {
    /// Headers that begin with the request's id.
    pub fn of(id: &RequestId) -> ReplyHeaders {
        let mut reply_headers = ReplyHeaders::default();
        reply_headers.add("meridian-request-id", id.as_str());
        reply_headers
    }

    /// Adds a header. What is no plain text is left out rather than let a
    /// strange value break the reply.
    pub fn add(&mut self, name: &str, value: &str) {
        if value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            if !self.lines.is_empty() {
                self.lines.push('\n');
            }
            self.lines.push_str(name);
            self.lines.push_str(": ");
            self.lines.push_str(value);
        }
    }

    /// Adds what the request lost in translation. The header is never left out, so
    /// names are cut and other characters replaced.
    pub fn add_unsupported(&mut self, dropped: &[String]) {
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
        self.add("meridian-dropped", &names);
    }

    /// Adds headers that are lines already.
    pub fn add_lines(&mut self, lines: &str) {
        if !lines.is_empty() {
            self.lines.push('\n');
            self.lines.push_str(lines);
        }
    }

    /// Adds the signed receipt, if there is one.
    pub fn add_receipt(&mut self, receipt: Option<&str>) {
        if let Some(receipt) = receipt {
            self.add(receipt::HEADER, receipt);
        }
    }

    /// Adds the facts of a row.
    pub fn add_row(&mut self, row: &Row) {
        self.add_receipt(row.receipt.as_deref());
        self.add_decision(row);
        if row.zone.is_empty() {
            return;
        }
        self.add("meridian-attempts", &row.attempts.to_string());
        let budgets = row
            .budgets
            .iter()
            .filter(|(_, level)| *level >= SHOWN_FROM_PERCENT);
        let budgets: Vec<String> = budgets
            .map(|(name, level)| format!("{name}={level}%"))
            .collect();
        if !budgets.is_empty() {
            self.add("meridian-budget", &budgets.join(", "));
        }
        if let Some(downgraded) = &row.downgraded {
            self.add("meridian-downgraded", downgraded);
        }
        if let Some(runaway) = &row.runaway {
            self.add("meridian-runaway", runaway);
        }
        if let (Some(endpoint), Some(hosting)) = (&row.endpoint, &row.hosting) {
            self.add("meridian-served-by", endpoint);
            self.add("meridian-hosting", hosting);
        }
    }

    /// Adds what was decided before anything was sent.
    pub fn add_decision(&mut self, row: &Row) {
        if !row.zone.is_empty() {
            self.add("meridian-zone", &row.zone);
            self.add("meridian-zone-reason", &row.zone_reason);
            self.add("meridian-map", &row.map);
        }
    }

    /// The answer.
    pub fn respond(self, status: u16, body: &JsValue) -> Response {
        host::respond(status, &self.lines, body)
    }
}

/// A refusal in the words of the client's SDK.
pub fn refusal(
    family: Family,
    refusal: &Refusal,
    mut reply_headers: ReplyHeaders,
    id: &RequestId,
) -> Response {
    reply_headers.add("content-type", "application/json");
    if let Some(seconds) = refusal.retry_after() {
        reply_headers.add("retry-after", &seconds.to_string());
    }
    let kind = dialect::refusal_header(family, refusal);
    for (name, value) in kind.into_iter().chain(refusal.header()) {
        reply_headers.add(name, value);
    }
    let body = dialect::refusal_body(family, refusal, id);
    reply_headers.respond(refusal.status(), &JsValue::from_str(&body))
}

/// A JSON document.
pub fn json(mut reply_headers: ReplyHeaders, body: &str) -> Response {
    reply_headers.add("content-type", "application/json");
    reply_headers.respond(200, &JsValue::from_str(body))
}
