//! The parameters of `GET /admin/v1/usage`, as SQL for each usage database, and a page
//! of what the databases found.

use super::{Field, Found, Group, Page, Sum, Sums};
use crate::regions::finding::nearest;
use crate::units::Millis;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const USUAL_DAYS: u64 = 30;
const USUAL_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 1_000;
/// The most names of unknown fields on a page.
const MOST_FIELDS: usize = 50;
/// The parameters that are no filter.
const PARAMETERS: [&str; 6] = ["from", "to", "by", "limit", "after", "format"];
/// What calls can be filtered by.
const FILTERS: [Field; 6] = [
    Field::Zone,
    Field::Team,
    Field::Feature,
    Field::Environment,
    Field::Model,
    Field::Endpoint,
];

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    by: Vec<Field>,
    /// The first hour that is counted, and the first that no longer is.
    range: (Millis, Millis),
    only: Vec<(Field, String)>,
    limit: usize,
    /// The key of the group before the page.
    after: Option<Vec<String>>,
    /// Whether the answer is to be CSV.
    pub csv: bool,
}

/// SQL and what is bound to it. All of it is text: numbers are cast in the SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// What `?1`, `?2` and so on stand for.
    pub values: Vec<String>,
}

/// Where a page ended. It holds the range, so that pages of "the last 30 days"
/// stay pages of the same days.
#[derive(Serialize, Deserialize)]
struct Cursor {
    by: Vec<Field>,
    range: (Millis, Millis),
    last: Vec<String>,
}

impl Question {
    /// Reads the names and values of a query.
    pub fn read(query: &[(String, String)], now: Millis) -> Result<Question, String> {
        let mut given = BTreeMap::new();
        for (name, value) in query {
            known(name)?;
            if given.insert(name.as_str(), value.as_str()).is_some() {
                return Err(format!("`{name}` is given twice; give it once."));
            }
        }
        let given = |name: &str| given.get(name).copied();
        let by = read_by(given("by").unwrap_or_default())?;
        let cursor = given("after").map(|text| Cursor::read(text, &by));
        let cursor = cursor.transpose()?;
        let begun = cursor.as_ref().map(|cursor| cursor.range);
        let format = given("format").unwrap_or("json");
        if !["json", "csv"].contains(&format) {
            return Err("`format` must be `json` or `csv`.".to_owned());
        }
        let filter = |field: Field| Some((field, given(field.as_str())?.to_owned()));
        Ok(Question {
            range: read_range(given("from"), given("to"), begun, now)?,
            only: FILTERS.into_iter().filter_map(filter).collect(),
            limit: given("limit").map_or(Ok(USUAL_LIMIT), read_limit)?,
            after: cursor.map(|cursor| cursor.last),
            csv: format == "csv",
            by,
        })
    }

    /// The groups of a page, in one database.
    pub fn groups(&self) -> Statement {
        let keys: Vec<&str> = self.by.iter().map(|field| sql_of(*field)).collect();
        let named = self.by.iter().zip(&keys);
        let named = named.map(|(field, sql)| format!("{sql} AS {}", field.as_str()));
        let mut statement = self.select(named.collect());
        if keys.is_empty() {
            return statement;
        }
        if let Some(last) = &self.after {
            let bound: Vec<String> = last.iter().map(|text| statement.bind(text)).collect();
            let after = format!(" AND ({}) > ({})", keys.join(", "), bound.join(", "));
            statement.sql.push_str(&after);
        }
        // By position: `hour` as a name would be the column, not the text.
        let places: Vec<String> = (1..=keys.len()).map(|place| place.to_string()).collect();
        let places = places.join(", ");
        // One more than a page, to know whether there is another page.
        let limit = statement.bind(&(self.limit + 1).to_string());
        let tail = format!(" GROUP BY {places} ORDER BY {places} LIMIT CAST({limit} AS INTEGER)");
        statement.sql.push_str(&tail);
        statement
    }

    /// The sum of all groups, in one database.
    pub fn total(&self) -> Statement {
        self.select(Vec::new())
    }

    /// The unknown fields of usage in one database: those of the newest calls that have
    /// any.
    pub fn unknown(&self) -> Statement {
        let mut statement = Statement {
            sql: "SELECT DISTINCT at_least FROM (SELECT at_least FROM usage WHERE at_least <> ''"
                .to_owned(),
            values: Vec::new(),
        };
        let from = statement.bind(&self.range.0 .0.to_string());
        let to = statement.bind(&self.range.1 .0.to_string());
        let range = format!(" AND at >= CAST({from} AS INTEGER) AND at < CAST({to} AS INTEGER)");
        statement.sql.push_str(&range);
        for (field, value) in &self.only {
            let value = statement.bind(value);
            let only = format!(" AND coalesce({}, '') = {value}", field.as_str());
            statement.sql.push_str(&only);
        }
        statement
            .sql
            .push_str(" ORDER BY at DESC LIMIT 1000) LIMIT 100");
        statement
    }

    fn select(&self, mut columns: Vec<String>) -> Statement {
        columns.extend(Sum::ALL.map(|sum| {
            let name = sum.as_str();
            format!("CAST(COALESCE(sum({name}), 0) AS TEXT) AS {name}")
        }));
        let mut statement = Statement {
            sql: format!("SELECT {} FROM usage_by_hour", columns.join(", ")),
            values: Vec::new(),
        };
        let from = statement.bind(&self.range.0 .0.to_string());
        let to = statement.bind(&self.range.1 .0.to_string());
        let range =
            format!(" WHERE hour >= CAST({from} AS INTEGER) AND hour < CAST({to} AS INTEGER)");
        statement.sql.push_str(&range);
        for (field, value) in &self.only {
            let value = statement.bind(value);
            let only = format!(" AND {} = {value}", field.as_str());
            statement.sql.push_str(&only);
        }
        statement
    }

    /// The page that combines what all databases found. A database returned its
    /// first groups in order, so the first of all are complete.
    pub fn page(&self, found: &[Found]) -> Result<Page, String> {
        let unreadable = || {
            "A usage database holds sums that are no whole numbers; look at its table `usage_by_hour`.".to_owned()
        };
        let too_large = || {
            "The sums are too large to be shown exactly; ask for a shorter range or add filters."
                .to_owned()
        };
        let mut total = Sums::default();
        let mut merged: BTreeMap<Vec<String>, Sums> = BTreeMap::new();
        for one in found {
            for row in &one.total {
                let sums = Sums::read(row).ok_or_else(unreadable)?;
                total.add(&sums).ok_or_else(too_large)?;
            }
            for row in &one.groups {
                let Group { key, sums } = Group::read(&self.by, row).ok_or_else(unreadable)?;
                let group = merged.entry(key).or_default();
                group.add(&sums).ok_or_else(too_large)?;
            }
        }
        let more = merged.len() > self.limit;
        let groups = merged.into_iter().take(self.limit);
        let groups: Vec<Group> = groups.map(|(key, sums)| Group { key, sums }).collect();
        let last = groups.last().filter(|_| more);
        let cursor = last.map(|last| Cursor {
            by: self.by.clone(),
            range: self.range,
            last: last.key.clone(),
        });
        Ok(Page {
            from: self.range.0.rfc3339(),
            to: self.range.1.rfc3339(),
            by: self.by.clone(),
            groups,
            total,
            at_least_fields: fields(found),
            next: cursor.map(|cursor| cursor.write()),
        })
    }
}

/// The names of the unknown fields, each once.
fn fields(found: &[Found]) -> Vec<String> {
    let rows = found.iter().flat_map(|one| &one.unknown);
    let listed = rows.filter_map(|row| row.get("at_least"));
    let names: BTreeSet<&str> = listed.flat_map(|names| names.split(',')).collect();
    let names = names.into_iter().filter(|name| !name.is_empty());
    names.take(MOST_FIELDS).map(str::to_owned).collect()
}

impl Statement {
    /// Binds a value; says what stands for it.
    fn bind(&mut self, value: &str) -> String {
        self.values.push(value.to_owned());
        format!("?{}", self.values.len())
    }
}

impl Cursor {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn read(text: &str, by: &[Field]) -> Result<Cursor, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        cursor
            .filter(|cursor: &Cursor| cursor.by == by && cursor.last.len() == by.len())
            .ok_or_else(|| {
                "`after` is none that was given out for this `by`; leave it out to begin anew."
                    .to_owned()
            })
    }
}

/// What a group is made by, in SQL. Times are text of one length, so that they
/// sort as they follow one another.
fn sql_of(field: Field) -> &'static str {
    match field {
        Field::Hour => "strftime('%Y-%m-%dT%H:00:00Z', hour / 1000, 'unixepoch')",
        Field::Day => "strftime('%Y-%m-%d', hour / 1000, 'unixepoch')",
        column => column.as_str(),
    }
}

/// Whether there is such a parameter.
fn known(name: &str) -> Result<(), String> {
    let filters = FILTERS.into_iter().map(Field::as_str);
    let names: Vec<&str> = PARAMETERS.into_iter().chain(filters).collect();
    match names.contains(&name) {
        true => Ok(()),
        false => Err(format!("There is no parameter {}", instead(name, &names))),
    }
}

/// A word that is wrong, and what may have been meant.
fn instead(wrong: &str, names: &[&str]) -> String {
    let wrong: String = wrong.chars().take(100).collect();
    match nearest(&wrong, names.iter().copied()) {
        Some(meant) => format!("`{wrong}`; did you mean {meant}?"),
        None => format!("`{wrong}`; there are: {}.", names.join(", ")),
    }
}

fn read_by(text: &str) -> Result<Vec<Field>, String> {
    let mut by = Vec::new();
    for name in text.split(',').filter(|_| !text.is_empty()) {
        let name = name.trim();
        let field = Field::ALL.into_iter().find(|field| field.as_str() == name);
        let field = field.ok_or_else(|| {
            let names = Field::ALL.map(Field::as_str);
            format!("`by` has no {}", instead(name, &names))
        })?;
        if by.contains(&field) {
            return Err(format!("`by` has `{name}` twice; say it once."));
        }
        by.push(field);
    }
    Ok(by)
}

fn read_limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok();
    let limit = limit.filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
    limit.ok_or_else(|| format!("`limit` must be a whole number from 1 to {LARGEST_LIMIT}."))
}

/// The hours that begin between `from` and `to`. A day as `to` is counted too,
/// as in `meridian report`.
fn read_range(
    from: Option<&str>,
    to: Option<&str>,
    begun: Option<(Millis, Millis)>,
    now: Millis,
) -> Result<(Millis, Millis), String> {
    let read = |name: &str, text: &str, day_is: u64| {
        let day = Millis::of_date(text).map(|day| day.0 + day_is);
        let at = day.or_else(|| Millis::of_rfc3339(text).map(|at| at.0));
        let at = at.map(|at| at.next_multiple_of(HOUR));
        at.ok_or_else(|| {
            format!("`{name}` must be a day or a time: 2026-05-01 or 2026-05-01T10:00:00Z.")
        })
    };
    let to = to.map(|text| read("to", text, DAY)).transpose()?;
    let to = to
        .or(begun.map(|(_, to)| to.0))
        .unwrap_or((now.0 / HOUR + 1) * HOUR);
    let from = from.map(|text| read("from", text, 0)).transpose()?;
    let from = from
        .or(begun.map(|(from, _)| from.0))
        .unwrap_or(to.saturating_sub(USUAL_DAYS * DAY));
    match from < to {
        true => Ok((Millis(from), Millis(to))),
        false => Err("No hour begins between `from` and `to`: `from` must be before `to`, and an hour is the least that is counted.".to_owned()),
    }
}
