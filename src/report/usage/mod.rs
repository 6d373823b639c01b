//! What was spent, and on what: sums over the table `usage_by_hour`, see
//! `migrations/0004_ledger.sql`, in groups that the asker chooses. Each usage
//! database sums up its own; here these sums are added, paged and written.

mod question;
#[cfg(test)]
mod tests;

use crate::report::transfers::quoted;
use crate::units::NanoUsd;
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

pub use question::{Question, Statement};

/// What groups are made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The hour, by its beginning.
    Hour,
    /// The day in UTC.
    Day,
    /// The zone.
    Zone,
    /// The team that pays.
    Team,
    /// The tag `feature`.
    Feature,
    /// The tag `environment`.
    Environment,
    /// The model.
    Model,
    /// The endpoint that answered or was tried last.
    Endpoint,
}

impl Field {
    /// All fields.
    pub const ALL: [Field; 8] = [
        Field::Hour,
        Field::Day,
        Field::Zone,
        Field::Team,
        Field::Feature,
        Field::Environment,
        Field::Model,
        Field::Endpoint,
    ];

    /// Its name; of all but the times also the name of its column.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Hour => "hour",
            Field::Day => "day",
            Field::Zone => "zone",
            Field::Team => "team",
            Field::Feature => "feature",
            Field::Environment => "environment",
            Field::Model => "model",
            Field::Endpoint => "endpoint",
        }
    }
}

/// What is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sum {
    /// All calls.
    Calls,
    /// Those that were not answered to the end.
    NotOk,
    /// Those whose tokens are an estimate.
    Estimated,
    /// Those without a price; they add nothing to the cost.
    Unpriced,
    /// Text sent in that no cache served.
    Input,
    /// Input read from a cache.
    CacheRead,
    /// Input written to a cache.
    CacheWrite,
    /// What came out.
    Output,
    /// How much of it was thinking.
    Reasoning,
    /// What it cost, in billionths of a dollar.
    CostNano,
    /// The cost of failed attempts.
    LostNano,
    /// The most that calls of unknown cost can have cost; it is not part of any cost.
    HeldNano,
    /// How many calls that is held for.
    HeldCalls,
    /// Calls whose cost is a lower bound: their usage has unknown numbers.
    AtLeast,
}

impl Sum {
    /// All sums, in the order in which they are shown.
    pub const ALL: [Sum; 14] = [
        Sum::Calls,
        Sum::NotOk,
        Sum::Estimated,
        Sum::Unpriced,
        Sum::Input,
        Sum::CacheRead,
        Sum::CacheWrite,
        Sum::Output,
        Sum::Reasoning,
        Sum::CostNano,
        Sum::LostNano,
        Sum::HeldNano,
        Sum::HeldCalls,
        Sum::AtLeast,
    ];

    /// The name of its column.
    pub fn as_str(self) -> &'static str {
        match self {
            Sum::Calls => "calls",
            Sum::NotOk => "not_ok",
            Sum::Estimated => "estimated",
            Sum::Unpriced => "unpriced",
            Sum::Input => "input",
            Sum::CacheRead => "cache_read",
            Sum::CacheWrite => "cache_write",
            Sum::Output => "output",
            Sum::Reasoning => "reasoning",
            Sum::CostNano => "cost_nano",
            Sum::LostNano => "lost_nano",
            Sum::HeldNano => "held_nano",
            Sum::HeldCalls => "held_calls",
            Sum::AtLeast => "at_least",
        }
    }
}

/// A row as a database gives it: all of it text, since numbers would come as
/// floats.
pub type Row = BTreeMap<String, String>;

/// The sums of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums(BTreeMap<Sum, i64>);

impl Sums {
    /// Reads them from a row, exactly or not at all.
    fn read(row: &Row) -> Option<Sums> {
        let read = |sum: Sum| match (sum, row.get(sum.as_str())) {
            // A gateway of an earlier version does not say so.
            (Sum::HeldNano | Sum::HeldCalls | Sum::AtLeast, None) => Some((sum, 0)),
            (sum, count) => Some((sum, count?.parse().ok()?)),
        };
        Sum::ALL
            .into_iter()
            .map(read)
            .collect::<Option<_>>()
            .map(Sums)
    }

    /// One of them.
    pub fn of(&self, sum: Sum) -> i64 {
        self.0.get(&sum).copied().unwrap_or(0)
    }

    /// What it cost.
    pub fn cost(&self) -> NanoUsd {
        NanoUsd(self.of(Sum::CostNano))
    }

    /// Adds others, if the sums are exact.
    fn add(&mut self, others: &Sums) -> Option<()> {
        for sum in Sum::ALL {
            let added = self.of(sum).checked_add(others.of(sum))?;
            self.0.insert(sum, added);
        }
        Some(())
    }

    /// Names and values, what is held and the cost in dollars after billionths.
    fn values(&self) -> Vec<(&'static str, Value)> {
        let mut shown = Vec::new();
        for sum in Sum::ALL {
            shown.push((sum.as_str(), json!(self.of(sum))));
            let dollars = json!(NanoUsd(self.of(sum)).to_string());
            match sum {
                Sum::CostNano => shown.push(("cost", dollars)),
                Sum::HeldNano => shown.push(("held", dollars)),
                _ => {}
            }
        }
        shown
    }
}

/// What is alike, summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What it has in common: a text for each field the groups are made by,
    /// empty where the calls do not say.
    pub key: Vec<String>,
    /// Its sums.
    pub sums: Sums,
}

impl Group {
    fn read(by: &[Field], row: &Row) -> Option<Group> {
        let key = by.iter().map(|field| row.get(field.as_str()).cloned());
        Some(Group {
            key: key.collect::<Option<_>>()?,
            sums: Sums::read(row)?,
        })
    }
}

/// What one database found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Its groups, from where the page begins.
    pub groups: Vec<Row>,
    /// The sum of all its groups, wherever the page begins.
    pub total: Vec<Row>,
    /// The unknown numbers of its newest calls that have any.
    pub unknown: Vec<Row>,
}

/// One page of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The first hour that is counted, RFC 3339.
    pub from: String,
    /// The first that no longer is.
    pub to: String,
    /// What the groups are made by.
    pub by: Vec<Field>,
    /// The groups.
    pub groups: Vec<Group>,
    /// The sum of all groups, of all pages.
    pub total: Sums,
    /// The unknown fields of providers' usage, which make the sums lower bounds.
    pub at_least_fields: Vec<String>,
    /// Where the next page begins; nothing on the last.
    pub next: Option<String>,
}

impl Page {
    /// The page as JSON of the admin API.
    pub fn json(&self) -> Value {
        let object = |key: Vec<(&str, Value)>, sums: &Sums| {
            let all = key.into_iter().chain(sums.values());
            let named = all.map(|(name, value)| (name.to_owned(), value));
            Value::Object(named.collect::<Map<_, _>>())
        };
        let group = |group: &Group| {
            let key = self.by.iter().zip(&group.key);
            let key = key.map(|(field, text)| (field.as_str(), json!(text)));
            object(key.collect(), &group.sums)
        };
        json!({
            "from": self.from,
            "to": self.to,
            "by": self.by,
            "groups": self.groups.iter().map(group).collect::<Vec<_>>(),
            "total": object(Vec::new(), &self.total),
            "at_least_fields": self.at_least_fields,
            "next": self.next,
        })
    }

    /// Reads the JSON of the admin API.
    pub fn read(page: &Value) -> Option<Page> {
        let text = |name| page.get(name).and_then(Value::as_str).map(str::to_owned);
        let by: Vec<Field> = serde_json::from_value(page.get("by")?.clone()).ok()?;
        let groups = page.get("groups")?.as_array()?.iter();
        let groups = groups.map(|group| Group::read(&by, &row(group)?));
        // A gateway of an earlier version does not send them.
        let fields = page.get("at_least_fields").cloned().unwrap_or(json!([]));
        Some(Page {
            groups: groups.collect::<Option<_>>()?,
            by,
            from: text("from")?,
            to: text("to")?,
            total: Sums::read(&row(page.get("total")?)?)?,
            at_least_fields: serde_json::from_value(fields).ok()?,
            next: text("next"),
        })
    }
}

fn row(object: &Value) -> Option<Row> {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let named = object.as_object()?.iter();
    Some(
        named
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    )
}

/// Groups as comma-separated values (RFC 4180), with a line of names.
pub fn csv(by: &[Field], groups: &[Group]) -> String {
    let names = by.iter().map(|field| field.as_str());
    let sums = Sums::default().values();
    let names: Vec<&str> = names.chain(sums.iter().map(|(name, _)| *name)).collect();
    let mut text = names.join(",") + "\r\n";
    for group in groups {
        let key = group.key.iter().map(|cell| quoted(cell));
        let sums = group.sums.values().into_iter();
        let sums = sums.map(|(_, value)| value.as_str().map_or(value.to_string(), str::to_owned));
        text.push_str(&key.chain(sums).collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    }
    text
}
