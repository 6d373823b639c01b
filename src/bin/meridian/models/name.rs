//! What the name of a model says: its family, its version, and whether it is a
//! dated version of another name. Catalogues have no other order of models.

/// Where Bedrock's inference profiles may run, as their ids begin.
const GEOGRAPHIES: [&str; 13] = [
    "global", "regional", "us", "us-gov", "eu", "apac", "jp", "au", "ca", "in", "uk", "sa", "me",
];
/// Ends of names that say how far a version is, not which.
const STAGES: [&str; 5] = ["latest", "preview", "exp", "experimental", "beta"];
/// Words in names of models that do more than read and write text.
const OTHER_MEDIA: [&str; 21] = [
    "audio",
    "realtime",
    "live",
    "transcribe",
    "tts",
    "image",
    "video",
    "voice",
    "sora",
    "whisper",
    "dall",
    "moderation",
    "ocr",
    "rerank",
    "robotics",
    "computer",
    "omni",
    "lyria",
    "imagen",
    "veo",
    "sonic",
];

/// A version, where two of a kind can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// None.
    Unsaid,
    /// `4-6`, `5.6`.
    Numbers(Vec<u32>),
    /// `2512`: the year and the month.
    Month(u32),
}

/// A name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Its words without version, stage and date: `claude`, `opus`.
    pub family: Vec<String>,
    /// Its version.
    pub version: Version,
}

impl Version {
    /// Whether it is newer than another; none where they cannot be compared.
    pub fn newer_than(&self, other: &Version) -> Option<bool> {
        match (self, other) {
            (Version::Unsaid, _) => Some(false),
            (_, Version::Unsaid) => Some(true),
            (Version::Month(own), Version::Month(other)) => Some(own > other),
            (Version::Numbers(own), Version::Numbers(other)) => Some(own > other),
            _ => None,
        }
    }
}

impl Name {
    /// The name taken apart.
    pub fn of(name: &str) -> Name {
        let lower = own(name).to_lowercase();
        let mut family: Vec<String> = Vec::new();
        let mut numbers = Vec::new();
        let mut month = None;
        let words = lower.split(['-', '.', '_', ':', '/', ' ', '@']);
        for word in words.filter(|word| !word.is_empty()) {
            let digits = word.strip_prefix('v').filter(|rest| !rest.is_empty());
            let digits = digits.unwrap_or(word);
            match digits.parse::<u32>() {
                Ok(number) if digits.len() == 4 => month = Some(number),
                Ok(number) => numbers.push(number),
                Err(_) if STAGES.contains(&word) => {}
                Err(_) => family.push(word.to_owned()),
            }
        }
        // `4-0` is `4`.
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        let version = match (numbers.is_empty(), month) {
            (false, _) => Version::Numbers(numbers),
            (true, Some(month)) => Version::Month(month),
            (true, None) => Version::Unsaid,
        };
        Name { family, version }
    }

    /// Whether it is a model for pictures, sound or the like.
    pub fn is_of_other_media(&self) -> bool {
        self.has_any(&OTHER_MEDIA)
    }

    /// Whether it is a model for embeddings.
    pub fn embeds(&self) -> bool {
        self.has_any(&["embed", "embedding", "embeddings"])
    }

    fn has_any(&self, words: &[&str]) -> bool {
        self.family
            .iter()
            .any(|word| words.contains(&word.as_str()))
    }
}

/// Whether a name follows whatever is the newest version.
pub fn follows_the_newest(id: &str) -> bool {
    id.split('-').next_back() == Some("latest")
}

/// An id of Bedrock without the geography of an inference profile.
pub fn without_geography(id: &str) -> &str {
    match id.split_once('.') {
        Some((first, rest)) if GEOGRAPHIES.contains(&first) => rest,
        _ => id,
    }
}

/// The name without the day of its version.
pub fn undated(id: &str) -> &str {
    let id = id.strip_suffix("@default").unwrap_or(id);
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((name, day)) = id.rsplit_once(['-', '@']) {
        if digits(day, 8) && !name.is_empty() {
            return name;
        }
    }
    let mut parts = id.rsplitn(4, '-');
    let (day, month, year) = (parts.next(), parts.next(), parts.next());
    match (parts.next(), year, month, day) {
        (Some(name), Some(year), Some(month), Some(day))
            if digits(year, 4) && digits(month, 2) && digits(day, 2) =>
        {
            name
        }
        _ => id,
    }
}

/// The model's own name, whoever runs it: without Bedrock's geography, maker
/// and revision, and without the day.
pub fn own(id: &str) -> &str {
    let id = without_geography(id);
    let id = match id.split_once('.') {
        Some((maker, rest)) if maker.len() > 2 && is_maker(maker) && !rest.is_empty() => rest,
        _ => id,
    };
    undated(without_revision(id))
}

/// `anthropic` of `anthropic.claude-…`: letters alone, unlike `gpt-5` of `gpt-5.6`.
fn is_maker(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Without Bedrock's `-v1` or `-v1:0`.
fn without_revision(id: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (name, last) = match id.rsplit_once("-v") {
        Some(parts) => parts,
        None => return id,
    };
    let (major, minor) = last.split_once(':').unwrap_or((last, "0"));
    match digits(major) && digits(minor) && major.len() == 1 {
        true => name,
        false => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_those_without_host_revision_and_day() {
        for (id, expected) in [
            ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
            ("gpt-5.4-2026-03-05", "gpt-5.4"),
            ("gpt-5.6-sol", "gpt-5.6-sol"),
            (
                "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
                "claude-haiku-4-5",
            ),
            ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
            ("amazon.nova-2-lite-v1:0", "nova-2-lite"),
            ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
            ("claude-opus-4-8@default", "claude-opus-4-8"),
            ("mistral-large-2512", "mistral-large-2512"),
            ("embed-v4.0", "embed-v4.0"),
            ("-20251001", "-20251001"),
            ("", ""),
        ] {
            assert_eq!(own(id), expected);
        }
    }

    #[test]
    fn versions_are_compared_within_a_family_and_a_kind() {
        let newer = |own: &str, other: &str| {
            let (own, other) = (Name::of(own), Name::of(other));
            (own.family == other.family).then(|| own.version.newer_than(&other.version))
        };
        assert_eq!(newer("claude-opus-5-5", "claude-opus-5"), Some(Some(true)));
        assert_eq!(newer("gpt-5.10", "gpt-5.9"), Some(Some(true)));
        assert_eq!(
            newer("mistral-large-4", "mistral-large-4-0"),
            Some(Some(false))
        );
        assert_eq!(
            newer("mistral-large-2512", "mistral-large-2411"),
            Some(Some(true))
        );
        assert_eq!(newer("mistral-large-4-0", "mistral-large-2512"), Some(None));
        assert_eq!(
            newer("gemini-3.1-pro-preview", "gemini-2.5-pro"),
            Some(Some(true))
        );
        assert_eq!(newer("gpt-5.4-mini", "gpt-5.4"), None);
        assert_eq!(newer("embed-v5.0", "embed-v4"), Some(Some(true)));
        assert_eq!(newer("claude-opus", "claude-opus-5"), Some(Some(false)));
    }
}
