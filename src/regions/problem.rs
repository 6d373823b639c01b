//! What is wrong with a config file, said so that its author can mend it:
//! file, line, what was found, what to write instead.

use std::fmt;

/// One problem in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead, where that can be known.
    pub instead: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.what)?;
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
}

impl Source {
    /// The name of the file without folder and ending.
    pub fn stem(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".toml").unwrap_or(name)
    }

    /// A problem at a byte offset of this file.
    pub fn problem(&self, at: usize, what: impl Into<String>) -> Problem {
        let before = self.text.get(..at).unwrap_or(&self.text);
        Problem {
            file: self.file.clone(),
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            what: what.into(),
            instead: None,
        }
    }

    /// Reads the file as `T`; an unknown key is reported with the nearest one
    /// that exists.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::from_str(&self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let mut problem = self.problem(at, error.message());
            problem.instead = nearest_in_message(error.message());
            problem
        })
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

/// The candidate spelt most like `wrong`, if any is close.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(wrong, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("`{candidate}`"))
}

/// serde names the unknown word first and then the known ones, in backticks.
fn nearest_in_message(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = words.next()?;
    nearest(wrong, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Example {
        guarantee: String,
    }

    #[test]
    fn an_unknown_key_names_file_line_and_the_nearest_key() {
        let source = Source {
            file: "regions/zones/eu.toml".into(),
            text: "# a comment\ngaurantee = \"processing\"\n".into(),
        };
        let problem = source.parse::<Example>().unwrap_err();
        assert_eq!((problem.line, source.stem()), (2, "eu"));
        assert_eq!(problem.instead.as_deref(), Some("`guarantee`"));
        assert!(problem
            .to_string()
            .starts_with("regions/zones/eu.toml:2: unknown field"));
    }
}
