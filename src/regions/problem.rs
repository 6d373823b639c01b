//! What is wrong with a config file, said so that its author can mend it:
//! file, line, what was found, what to write instead.

use super::check::Rule;
use super::finding::{nearest, Finding, Severity, Spot};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One problem in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// How bad it is.
    pub severity: Severity,
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong.
    pub what: String,
    /// What to write instead, where that can be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {} [{}]", self.what, self.rule.id())?;
        match &self.instead {
            Some(instead) => write!(f, "\n    write instead: {instead}"),
            None => Ok(()),
        }
    }
}

/// One config file as text.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, relative to the project, with forward slashes.
    pub file: String,
    /// Its content.
    pub text: String,
    /// Where each of its lines ends.
    ends: Vec<usize>,
}

impl Source {
    /// A file.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        Source {
            file: file.into(),
            ends: text.match_indices('\n').map(|(at, _)| at).collect(),
            text,
        }
    }

    /// The name of the file without folder and ending.
    pub fn stem(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".toml").unwrap_or(name)
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at) + 1
    }

    /// A problem of a rule at a byte offset of this file.
    pub fn problem(&self, rule: Rule, at: usize, what: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            line: self.line(at),
            severity: rule.severity(),
            rule,
            what: what.into(),
            instead: None,
        }
    }
}

impl Problem {
    /// The same, with the candidate that is spelt most like `wrong`.
    pub fn suggest<'a>(mut self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.instead = nearest(wrong, known);
        self
    }

    /// The same, with the way out.
    pub fn instead(mut self, text: impl Into<String>) -> Self {
        self.instead = Some(text.into());
        self
    }
}

/// In which file and line each part of the configuration was written.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    noted: BTreeMap<Spot, (String, usize)>,
    unread: BTreeSet<Spot>,
}

impl Lines {
    /// Notes where a spot stands.
    pub fn note(&mut self, spot: Spot, source: &Source, at: usize) {
        self.noted
            .insert(spot, (source.file.clone(), source.line(at)));
    }

    /// Notes a spot that could not be read, which is a problem already.
    pub fn unread(&mut self, spot: Spot) {
        self.unread.insert(spot);
    }

    /// A finding as a problem of a file: where its spot stands, or the nearest
    /// spot around it. None if the spot could not be read: what would be found
    /// wrong there is not what somebody wrote.
    pub fn problem(&self, finding: Finding) -> Option<Problem> {
        if self.unread.contains(&finding.spot) {
            return None;
        }
        let mut around = finding.spot.0.clone();
        let found = loop {
            match (self.noted.get(&Spot(around.clone())), around.pop()) {
                (Some(found), _) => break Some(found),
                (None, None) => break None,
                (None, Some(_)) => {}
            }
        };
        let (file, line) = found.cloned().unwrap_or((finding.spot.to_string(), 0));
        Some(Problem {
            file,
            line,
            severity: finding.severity,
            rule: finding.rule,
            what: finding.what,
            instead: finding.instead,
        })
    }
}
