//! The usage database, as far as the ledger uses it.

use meridian::ledger::instance::Spill;
use meridian::ledger::object::{Exchange, Exchanged, SpilledCall};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Database {
    pub fails: bool,
    pub rows: BTreeSet<String>,
    /// Calls that were left for an object, by its mark and their ids.
    pub spilled: BTreeMap<(String, String), String>,
}

impl Database {
    fn insert(&mut self, rows: &str) {
        let rows: Vec<Value> = serde_json::from_str(rows).unwrap();
        let ids = rows
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned());
        self.rows.extend(ids);
    }

    pub fn spill(&mut self, spill: &Spill) {
        self.insert(&spill.rows);
        let notes: Vec<Value> = serde_json::from_str(&spill.notes).unwrap();
        for note in notes {
            let text = |field: &str| note[field].as_str().unwrap().to_owned();
            let name = (spill.mark.clone(), text("id"));
            self.spilled.entry(name).or_insert_with(|| text("event"));
        }
    }

    pub fn exchange(&mut self, exchange: &Exchange) -> Exchanged {
        self.insert(&exchange.rows);
        Exchanged {
            notices: Vec::new(),
            spilled: self.spilled(&exchange.mark),
        }
    }

    pub fn spilled(&self, mark: &str) -> Vec<SpilledCall> {
        let all = self.spilled.iter().filter(|((of, _), _)| of == mark);
        let all = all.map(|((_, id), event)| SpilledCall {
            id: id.clone(),
            event: event.clone(),
        });
        all.take(100).collect()
    }

    pub fn delete(&mut self, ids: &[String]) {
        self.spilled.retain(|(_, id), _| !ids.contains(id));
    }
}
