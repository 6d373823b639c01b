//! The keys that a team signs its Access tokens with, as they were last fetched,
//! and when they may be fetched again. Anybody can send a token that names a key
//! nobody knows, so what a request asks for has no say in how often that is.

use crate::units::Millis;
use serde::Deserialize;

/// For how long fetched keys are gone by.
const LAST_MS: u64 = 3_600_000;
/// How soon they may be fetched again because of a key that is not among them.
const AGAIN_MS: u64 = 60_000;
/// How soon they may be fetched again after the first failure; each one in a row
/// doubles it.
const FIRST_PAUSE_MS: u64 = 1_000;
const LONGEST_PAUSE_MS: u64 = 300_000;
/// A fetch that is under way for so long was cut off.
pub const PATIENCE_MS: u64 = 10_000;

/// A team's keys.
#[derive(Debug, Default)]
pub struct TeamKeys {
    keys: Vec<TeamKey>,
    fetched: Option<Millis>,
    under_way: Option<Millis>,
    failed: Option<Millis>,
    failures: u32,
}

#[derive(Debug, Deserialize)]
struct TeamKey {
    kid: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<TeamKey>,
}

/// What is known of the key that a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is this one, as a JWK.
    Key(String),
    /// The team does not have it.
    Unknown,
    /// The keys could not be had, or are being fetched for somebody else.
    NotNow,
    /// The keys must be fetched now, and the result passed to
    /// [`TeamKeys::fetched`].
    Fetch,
}

impl TeamKeys {
    /// Looks for a key.
    pub fn find(&mut self, key_id: &str, now: Millis) -> Found {
        let within = |since: Option<Millis>, ms| since.is_some_and(|at| now.since(at) < ms);
        let is_fresh = within(self.fetched, LAST_MS);
        let key = self.keys.iter().find(|key| key.kid == key_id);
        if let Some(key) = key.filter(|_| is_fresh) {
            let text = serde_json::to_string(&key.rest);
            return text.map_or(Found::Unknown, Found::Key);
        }
        let otherwise = match is_fresh {
            true => Found::Unknown,
            false => Found::NotNow,
        };
        if within(self.under_way, PATIENCE_MS) {
            return Found::NotNow;
        }
        if within(self.failed, self.pause()) || within(self.fetched, AGAIN_MS) {
            return otherwise;
        }
        self.under_way = Some(now);
        Found::Fetch
    }

    fn pause(&self) -> u64 {
        let doublings = self.failures.saturating_sub(1).min(20);
        (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS)
    }

    /// Takes what a fetch brought; nothing if it failed.
    pub fn fetched(&mut self, text: Option<&str>, now: Millis) {
        self.under_way = None;
        let set: Option<KeySet> = text.and_then(|text| serde_json::from_str(text).ok());
        match set {
            Some(set) => {
                *self = TeamKeys {
                    keys: set.keys,
                    fetched: Some(now),
                    ..TeamKeys::default()
                };
            }
            None => {
                self.failed = Some(now);
                self.failures = self.failures.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"keys":[{"kid":"k1","kty":"RSA","n":"n"}]}"#;

    /// How often keys are fetched if somebody asks every 100 ms from a time on
    /// and each fetch brings this.
    fn fetches(team: &mut TeamKeys, kid: &str, from: u64, ms: u64, brings: Option<&str>) -> u32 {
        let mut count = 0;
        for now in (from..from + ms).step_by(100) {
            if team.find(kid, Millis(now)) == Found::Fetch {
                count += 1;
                team.fetched(brings, Millis(now));
            }
        }
        count
    }

    #[test]
    fn keys_are_fetched_once_and_remembered_for_an_hour() {
        let mut team = TeamKeys::default();
        assert_eq!(fetches(&mut team, "k1", 1_000, 3_000_000, Some(ONE)), 1);
        let known = Found::Key(r#"{"kty":"RSA","n":"n"}"#.to_owned());
        assert_eq!(team.find("k1", Millis(3_000_000)), known);
        assert_eq!(team.find("k1", Millis(3_601_001)), Found::Fetch);
        assert_eq!(team.find("k1", Millis(3_601_002)), Found::NotNow);
    }

    #[test]
    fn guard_keys_that_cannot_be_had_are_not_asked_for_with_each_request() {
        for brings in [None, Some("no json"), Some("{}")] {
            let mut team = TeamKeys::default();
            let count = fetches(&mut team, "k1", 1_000, 600_000, brings);
            assert!((5..=12).contains(&count), "{count} times in ten minutes");
            assert_eq!(team.find("k1", Millis(601_000)), Found::NotNow);
            // And they are asked for again once they can be had.
            assert_eq!(fetches(&mut team, "k1", 1_000_000, 400_000, Some(ONE)), 1);
        }
    }

    #[test]
    fn guard_a_key_that_nobody_knows_makes_no_request_of_its_own() {
        let mut team = TeamKeys::default();
        team.find("k1", Millis(0));
        team.fetched(Some(ONE), Millis(0));
        let mut count = 0;
        for i in 0..6_000 {
            let found = team.find(&format!("unknown-{i}"), Millis(i * 100));
            if found == Found::Fetch {
                count += 1;
                team.fetched(Some(ONE), Millis(i * 100));
            } else {
                assert_eq!(found, Found::Unknown);
            }
        }
        assert!(count <= 10, "{count} times in ten minutes");
        // While the team's keys cannot be had, those that are known still count.
        let mut count = 0;
        for i in 6_000..12_000 {
            let now = Millis(i * 100);
            if team.find("unknown", now) == Found::Fetch {
                count += 1;
                team.fetched(None, now);
            }
            assert!(matches!(team.find("k1", now), Found::Key(_)));
        }
        assert!(count <= 10, "{count}");
    }

    #[test]
    fn guard_one_fetch_is_under_way_at_a_time() {
        let mut team = TeamKeys::default();
        assert_eq!(team.find("k1", Millis(0)), Found::Fetch);
        for now in [0, 1, 9_999] {
            assert_eq!(team.find("k1", Millis(now)), Found::NotNow);
        }
        // Whoever fetched is gone.
        assert_eq!(team.find("k1", Millis(PATIENCE_MS)), Found::Fetch);
    }
}
