//! Third-party recordings of real providers. They are other people's data and
//! lie beside the project, in `../shared/vectors`; where they are missing, the
//! tests say so and pass.

#![allow(dead_code)]

use meridian::regions::Dialect;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A part of the vectors, if it is there.
pub fn vectors(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors")
        .join(part);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// One folder's recordings.
pub fn folders(of: &str) -> Vec<PathBuf> {
    let Some(path) = vectors(&format!("recorded/{of}")) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

/// A file of a recording.
pub fn json(path: &Path) -> Option<Value> {
    Some(serde_json::from_slice(&fs::read(path).ok()?).unwrap())
}

/// The status a recording was answered with.
pub fn status(folder: &Path) -> u64 {
    json(&folder.join("meta.json")).unwrap()["status"]
        .as_u64()
        .unwrap()
}

/// What is in a folder of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Conversations in a dialect.
    Talk(Dialect),
    /// Conversations with a model's own fields, wrapped by Bedrock. Only
    /// Anthropic's are spoken here.
    Invoke,
    /// Embeddings.
    Embeddings(Dialect),
    /// Counts of tokens.
    Count(Dialect),
    /// What is not spoken here, and why.
    Unspoken(&'static str),
}

/// Every folder there is, and how many recordings are in it.
pub const FOLDERS: [(&str, Kind, usize); 34] = [
    (
        "anthropic-compat-messages",
        Kind::Unspoken("these are OpenAI's assistants, filed by their path"),
        2,
    ),
    (
        "anthropic-count-tokens",
        Kind::Count(Dialect::AnthropicMessages),
        4,
    ),
    (
        "anthropic-messages",
        Kind::Talk(Dialect::AnthropicMessages),
        35,
    ),
    ("azure-chat", Kind::Talk(Dialect::OpenAiChat), 10),
    ("azure-embeddings", Kind::Embeddings(Dialect::OpenAiChat), 2),
    ("azure-responses", Kind::Talk(Dialect::OpenAiResponses), 4),
    ("bedrock-converse", Kind::Talk(Dialect::BedrockConverse), 17),
    (
        "bedrock-converse-stream",
        Kind::Talk(Dialect::BedrockConverse),
        12,
    ),
    (
        "bedrock-count-tokens",
        Kind::Count(Dialect::BedrockConverse),
        3,
    ),
    ("bedrock-invoke", Kind::Invoke, 20),
    ("bedrock-invoke-with-response-stream", Kind::Invoke, 9),
    ("bedrock-openai-chat", Kind::Talk(Dialect::OpenAiChat), 1),
    (
        "gemini-batchEmbedContents",
        Kind::Embeddings(Dialect::Gemini),
        2,
    ),
    ("gemini-countTokens", Kind::Count(Dialect::Gemini), 2),
    ("gemini-generateContent", Kind::Talk(Dialect::Gemini), 16),
    (
        "gemini-interactions",
        Kind::Unspoken("Google's third API is no dialect here"),
        5,
    ),
    (
        "gemini-streamGenerateContent",
        Kind::Talk(Dialect::Gemini),
        16,
    ),
    ("mistral-chat", Kind::Talk(Dialect::OpenAiChat), 22),
    (
        "mistral-embeddings",
        Kind::Embeddings(Dialect::OpenAiChat),
        4,
    ),
    ("openai-chat", Kind::Talk(Dialect::OpenAiChat), 36),
    ("openai-compat-chat", Kind::Talk(Dialect::OpenAiChat), 42),
    (
        "openai-compat-completions",
        Kind::Unspoken("completions without a chat are no dialect here"),
        6,
    ),
    (
        "openai-compat-embeddings",
        Kind::Embeddings(Dialect::OpenAiChat),
        10,
    ),
    (
        "openai-compat-responses",
        Kind::Talk(Dialect::OpenAiResponses),
        15,
    ),
    (
        "openai-completions",
        Kind::Unspoken("completions without a chat are no dialect here"),
        5,
    ),
    (
        "openai-embeddings",
        Kind::Embeddings(Dialect::OpenAiChat),
        4,
    ),
    ("openai-responses", Kind::Talk(Dialect::OpenAiResponses), 39),
    (
        "vertex-anthropic-rawPredict",
        Kind::Talk(Dialect::AnthropicMessages),
        4,
    ),
    (
        "vertex-anthropic-streamRawPredict",
        Kind::Talk(Dialect::AnthropicMessages),
        4,
    ),
    ("vertex-gemini-countTokens", Kind::Count(Dialect::Gemini), 1),
    (
        "vertex-gemini-embedContent",
        Kind::Embeddings(Dialect::Gemini),
        1,
    ),
    (
        "vertex-gemini-generateContent",
        Kind::Talk(Dialect::Gemini),
        14,
    ),
    (
        "vertex-gemini-predict",
        Kind::Embeddings(Dialect::Gemini),
        1,
    ),
    (
        "vertex-gemini-streamGenerateContent",
        Kind::Talk(Dialect::Gemini),
        7,
    ),
];

/// Whether an Invoke recording is of one of Anthropic's models.
pub fn is_claude(folder: &Path) -> bool {
    let meta = json(&folder.join("meta.json")).unwrap();
    let url = meta["url"].as_str().unwrap();
    url.contains("anthropic.claude") && !url.contains("claude-v2") && !url.contains("instant")
}

/// Every conversation that was answered well: folder, dialect.
pub fn talks() -> Vec<(PathBuf, Dialect)> {
    let mut talks = Vec::new();
    for (of, kind, _) in FOLDERS {
        for folder in folders(of) {
            let dialect = match kind {
                Kind::Talk(dialect) => dialect,
                Kind::Invoke if is_claude(&folder) => Dialect::AnthropicMessages,
                _ => continue,
            };
            if status(&folder) == 200 {
                talks.push((folder, dialect));
            }
        }
    }
    talks
}

/// The answer's bytes and whether they are a stream of a kind.
pub enum Recorded {
    /// A stream, and its content type.
    Stream(Vec<u8>, &'static str),
    /// A reply in one piece.
    Whole(Vec<u8>),
    /// None was kept.
    Nothing,
}

/// The answer of a recording.
pub fn answer(folder: &Path) -> Recorded {
    let read = |name: &str| fs::read(folder.join(name)).ok();
    if let Some(bytes) = read("response.sse") {
        return Recorded::Stream(bytes, "text/event-stream");
    }
    if let Some(bytes) = read("response.eventstream.bin") {
        return Recorded::Stream(bytes, "application/vnd.amazon.eventstream");
    }
    match read("response.json").filter(|bytes| !bytes.is_empty()) {
        Some(bytes) => Recorded::Whole(bytes),
        None => Recorded::Nothing,
    }
}
