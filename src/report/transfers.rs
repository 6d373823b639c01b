//! Where requests went: caller's country, place of processing, endpoint and
//! team, with counts, as an auditor or a record of processing asks for it.
//! Pages of grouped rows are merged here; the whole is as large as the number
//! of groups, however many rows there were.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Rows that are alike, as the database groups them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What they have in common.
    #[serde(flatten)]
    pub transfer: Transfer,
    /// The version of the map that decided.
    pub map: String,
    /// How many requests.
    pub requests: u64,
    /// How many of them were refused, and so went nowhere.
    pub refused: u64,
    /// How many failed at the provider or on the way.
    pub failed: u64,
    /// When the first of them came, milliseconds since 1970.
    pub first: u64,
    /// And the last.
    pub last: u64,
}

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transfer {
    /// The caller's country as reported; empty where unknown.
    pub country: String,
    /// The zone.
    pub zone: String,
    /// Where it was processed; nothing where no endpoint was contacted.
    pub hosting: Option<String>,
    /// The endpoint that answered or was tried last.
    pub endpoint: Option<String>,
    /// The team.
    pub team: String,
    /// What it made the provider do beyond answering, with commas between.
    #[serde(default)]
    pub egress: String,
}

/// One page of groups, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The groups.
    pub groups: Vec<Group>,
    /// The cursor of the next page; none on the last.
    pub next: Option<String>,
}

/// A line of the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Line {
    maps: BTreeSet<String>,
    requests: u64,
    refused: u64,
    failed: u64,
    first: u64,
    last: u64,
}

/// The report so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    lines: BTreeMap<Transfer, Line>,
}

const COLUMNS: [&str; 12] = [
    "country", "zone", "hosting", "endpoint", "team", "egress", "requests", "refused", "failed",
    "maps", "first", "last",
];

impl Report {
    /// Takes a group in.
    pub fn take(&mut self, group: Group) {
        let line = self.lines.entry(group.transfer).or_default();
        if line.requests == 0 {
            line.first = group.first;
        }
        line.maps.insert(group.map);
        line.requests += group.requests;
        line.refused += group.refused;
        line.failed += group.failed;
        line.first = line.first.min(group.first);
        line.last = line.last.max(group.last);
    }

    /// How many requests it counts.
    pub fn requests(&self) -> u64 {
        self.lines.values().map(|line| line.requests).sum()
    }

    /// As comma-separated values (RFC 4180); `time` writes a moment.
    pub fn csv(&self, time: &dyn Fn(u64) -> String) -> String {
        let mut text = COLUMNS.join(",");
        text.push_str("\r\n");
        for (transfer, line) in &self.lines {
            let cells = cells(transfer, line, time);
            let quoted: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            text.push_str(&quoted.join(","));
            text.push_str("\r\n");
        }
        text
    }

    /// As a table in Markdown.
    pub fn markdown(&self, time: &dyn Fn(u64) -> String) -> String {
        let mut text = format!(
            "| {} |\n|{}\n",
            COLUMNS.join(" | "),
            " --- |".repeat(COLUMNS.len())
        );
        for (transfer, line) in &self.lines {
            let cells = cells(transfer, line, time);
            let cells: Vec<String> = cells
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace(['\r', '\n'], " "))
                .collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        let refused: u64 = self.lines.values().map(|line| line.refused).sum();
        let _ = writeln!(
            text,
            "\n{} requests, {refused} of them refused.",
            self.requests()
        );
        text
    }
}

fn cells(transfer: &Transfer, line: &Line, time: &dyn Fn(u64) -> String) -> [String; 12] {
    let maps: Vec<&str> = line.maps.iter().map(String::as_str).collect();
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let country = match transfer.country.as_str() {
        "" => "unknown".to_owned(),
        code => code.to_owned(),
    };
    [
        country,
        transfer.zone.clone(),
        or_none(&transfer.hosting),
        or_none(&transfer.endpoint),
        transfer.team.clone(),
        transfer.egress.replace(',', " "),
        line.requests.to_string(),
        line.refused.to_string(),
        line.failed.to_string(),
        maps.join(" "),
        time(line.first),
        time(line.last),
    ]
}

/// A cell as RFC 4180 wants it. What a spreadsheet would run as a formula is
/// made text.
pub(crate) fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    match safe.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(team: &str, map: &str, requests: u64, first: u64) -> Group {
        Group {
            transfer: Transfer {
                country: "AT".into(),
                zone: "eu".into(),
                hosting: Some("eu".into()),
                endpoint: Some("openai-eu".into()),
                team: team.into(),
                egress: String::new(),
            },
            map: map.into(),
            requests,
            refused: 0,
            failed: 1,
            first,
            last: first + 10,
        }
    }

    #[test]
    fn pages_merge_whatever_their_order() {
        let groups = [
            group("a", "m1", 3, 50),
            group("a", "m2", 4, 20),
            group("b", "m1", 1, 30),
        ];
        let mut forth = Report::default();
        groups.iter().for_each(|one| forth.take(one.clone()));
        let mut back = Report::default();
        groups.iter().rev().for_each(|one| back.take(one.clone()));
        assert_eq!(forth, back);
        assert_eq!(forth.requests(), 8);
        let csv = forth.csv(&|at| at.to_string());
        assert!(
            csv.contains("AT,eu,eu,openai-eu,a,,7,0,2,m1 m2,20,60\r\n"),
            "{csv}"
        );
    }

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        let mut report = Report::default();
        report.take(group("=HYPERLINK(\"x\"), y", "m", 1, 0));
        let csv = report.csv(&|at| at.to_string());
        assert!(csv.contains("\"'=HYPERLINK(\"\"x\"\"), y\""), "{csv}");
        report.take(group("a|b", "m", 1, 0));
        assert!(report.markdown(&|at| at.to_string()).contains("a\\|b"));
    }
}
