//! What an edit of the configuration changes, in words: countries that move,
//! endpoints gained and lost, zones left with little, and above all whatever
//! became weaker than it was. It compares what the maps mean, not their text.

mod claims;
mod egress;
mod kept;
mod rules;
mod secrets;
mod served;

use crate::config::Config;
use crate::regions::shown;
use serde::Serialize;
use std::fmt::Write;

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Requests may now do what they could not do before.
    Weaker,
    /// Neither.
    Neutral,
    /// Requests may no longer do what they could do before.
    Stronger,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// A country is in another zone.
    Countries,
    /// What a zone allows, or the global choices.
    Rules,
    /// What requests may make a provider do beyond answering.
    Egress,
    /// What is claimed of an endpoint, and where it leads.
    Claims,
    /// Which endpoints can serve a zone.
    Endpoints,
    /// A zone's model has one endpoint left, or none.
    Thin,
}

impl Topic {
    fn title(self) -> &'static str {
        match self {
            Topic::Countries => "Countries that move",
            Topic::Rules => "Rules",
            Topic::Egress => "What requests may make a provider do",
            Topic::Claims => "Claims and hosts",
            Topic::Endpoints => "Endpoints gained and lost",
            Topic::Thin => "One endpoint left, or none",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// What it is about.
    pub topic: Topic,
    /// Which way it goes.
    pub way: Way,
    /// What changes.
    pub words: String,
}

/// Everything that changes between two configurations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The version of the old map.
    pub from: String,
    /// The version of the new map.
    pub to: String,
    /// The changes.
    pub changes: Vec<Change>,
}

/// Compares two configurations.
pub fn diff(old: &Config, new: &Config) -> Diff {
    let mut changes = Vec::new();
    rules::compare(&old.regions, &new.regions, &mut changes);
    kept::compare(&old.regions, &new.regions, &mut changes);
    egress::compare(&old.regions, &new.regions, &mut changes);
    kept::compare_new(&old.regions, &new.regions, &mut changes);
    secrets::compare(&old.regions, &new.regions, &mut changes);
    claims::compare(&old.regions, &new.regions, &mut changes);
    served::compare(old, new, &mut changes);
    changes.sort();
    changes.dedup();
    Diff {
        from: old.regions.version.clone(),
        to: new.regions.version.clone(),
        changes,
    }
}

impl Diff {
    /// Whether anything became weaker.
    pub fn weaker(&self) -> bool {
        self.changes.iter().any(|change| change.way == Way::Weaker)
    }

    /// In words, for a terminal.
    pub fn words(&self) -> String {
        self.list("", "  ", |way| match way {
            Way::Weaker => "▼ weaker: ",
            Way::Neutral => "· ",
            Way::Stronger => "▲ stronger: ",
        })
    }

    /// As Markdown, for a pull request.
    pub fn markdown(&self) -> String {
        self.list("### ", "- ", |way| match way {
            Way::Weaker => "⚠️ **weaker**: ",
            Way::Neutral => "",
            Way::Stronger => "stronger: ",
        })
    }

    fn list(&self, heading: &str, bullet: &str, mark: fn(Way) -> &'static str) -> String {
        let (from, to) = (shown(&self.from), shown(&self.to));
        let mut text = format!("Region map {from} → {to}\n");
        if self.changes.is_empty() {
            text.push_str("\nNothing changes for any request.\n");
            return text;
        }
        let weaker = self
            .changes
            .iter()
            .filter(|change| change.way == Way::Weaker)
            .count();
        let _ = match weaker {
            0 => writeln!(text, "\nNothing becomes weaker."),
            1 => writeln!(text, "\n1 change makes the map weaker."),
            more => writeln!(text, "\n{more} changes make the map weaker."),
        };
        let mut topic = None;
        for change in &self.changes {
            if topic.replace(change.topic) != Some(change.topic) {
                let _ = writeln!(text, "\n{heading}{}\n", change.topic.title());
            }
            let _ = writeln!(text, "{bullet}{}{}", mark(change.way), change.words);
        }
        text
    }
}

/// Notes a change.
fn note(changes: &mut Vec<Change>, topic: Topic, way: Way, words: String) {
    changes.push(Change { topic, way, words });
}

/// Names in a list, shortened where there are many.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    names.join(", ")
}
