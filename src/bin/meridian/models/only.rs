//! Which models a run is about: a part of a name, or a pattern with `*`.

use meridian::regions::finding::nearest;

/// What `--only` says.
#[derive(Debug, Default)]
pub struct Only(Option<String>);

impl Only {
    /// A part of names, or a pattern for whole names if it has a `*`.
    pub fn new(pattern: Option<&str>) -> Only {
        Only(pattern.map(str::to_lowercase))
    }

    /// Whether single models were asked for.
    pub fn is_said(&self) -> bool {
        self.0.is_some()
    }

    /// What to say where nothing is meant by it.
    pub fn missed<'n>(&self, known: impl Iterator<Item = &'n str>) -> Option<String> {
        let pattern = self.0.as_deref()?;
        let hint =
            nearest(pattern, known).map_or(String::new(), |hint| format!("; did you mean {hint}?"));
        Some(format!(
            "no model of the map, and none that could be added to it, is meant by `--only {pattern}`{hint}"
        ))
    }

    /// Whether a model with these names is meant.
    pub fn means(&self, names: &[&str]) -> bool {
        let Some(pattern) = &self.0 else { return true };
        let fits = |name: &&str| match pattern.contains('*') {
            true => fits(pattern, &name.to_lowercase()),
            false => name.to_lowercase().contains(pattern),
        };
        names.iter().any(fits)
    }
}

/// Whether a name is a pattern's pieces in their order, with anything for each `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let (first, last) = (pieces.next().unwrap_or_default(), pieces.next_back());
    let last = last.unwrap_or_default();
    let Some(rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(mut rest) = rest.strip_suffix(last) else {
        return false;
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_or_a_pattern_of_the_whole() {
        let means = |pattern, name| Only::new(Some(pattern)).means(&[name]);
        assert!(means("claude", "claude-opus-5"));
        assert!(means("OPUS", "claude-opus-5"));
        assert!(!means("gpt", "claude-opus-5"));
        assert!(means("claude-*-5", "claude-opus-5"));
        assert!(means("*opus*", "claude-opus-5"));
        assert!(!means("opus*", "claude-opus-5"));
        assert!(!means("claude-*-5", "claude-opus-5-5-x"));
        assert!(!means("ab*ba", "aba"));
        assert!(means("a**b", "ab"));
        assert!(Only::default().means(&["anything"]));
    }
}
