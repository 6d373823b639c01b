//! Content whose token count does not follow from its bytes: a picture counts by its
//! size, a document by its pages, and a conversation that the provider compacts is read
//! more than once.

use super::frame::Scalar;

/// A string of at least this length in such a field is a file and not the name of one.
const SHORTEST_FILE: usize = 1_024;
const SHORT_WORD: usize = 24;
/// The tokens that providers add where there are tools; Anthropic adds up to 804.
const TOKENS_OF_TOOLS: u64 = 1_024;
/// The tokens that they add for a tool of their own; Anthropic adds up to 735.
const TOKENS_OF_A_TOOL: u64 = 1_024;
/// The same of a name that stands for many tools.
const TOKENS_OF_A_TOOLSET: u64 = 8_192;
/// What a function says more than the custom tool that it stands for, in bytes.
const TOKENS_OF_A_CUSTOM_TOOL: u64 = 256;
/// As much longer a tool's name is where its namespace becomes a part of it.
const TOKENS_OF_A_NAMESPACE: u64 = 64;
/// The tokens that they add for a response format.
const TOKENS_OF_A_FORM: u64 = 512;

/// Content of a body that does not count by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bulk {
    /// Pictures.
    pub pictures: u64,
    /// Documents, sounds and films.
    pub documents: u64,
    /// The bytes of strings that hold nothing but such a file in base64.
    pub bytes: u64,
    /// Tokens of the provider's own texts, about tools that it knows and the form
    /// of an answer, and of what the gateway writes of custom tools.
    added: u64,
    /// Tools, and whether any stand in a namespace.
    tools: u64,
    namespaces: bool,
    /// The provider is asked to compact the conversation.
    pub compacts: bool,
    /// A beta feature asks for a longer context than the model's usual one.
    pub long_context: bool,
    /// Or for longer answers.
    pub long_output: bool,
}

impl Bulk {
    /// Takes in a field's name.
    pub(super) fn field(&mut self, name: &str) {
        match name {
            "image_url" | "image" => self.pictures += 1,
            "file_data" | "input_audio" | "audio_url" | "video_url" | "document_url" | "video" => {
                self.documents += 1;
            }
            "tools" => self.add(TOKENS_OF_TOOLS),
            "output_config" | "response_format" => self.add(TOKENS_OF_A_FORM),
            _ => self.compacts |= name.starts_with("compact"),
        }
    }

    /// Takes in the name of a beta feature.
    pub(super) fn beta(&mut self, word: &str) {
        self.long_context |= word.starts_with("context-1m");
        self.long_output |= word.starts_with("output-");
        self.compacts |= word.starts_with("compact");
    }

    /// Tokens of texts that the body does not hold.
    pub fn beside(&self) -> u64 {
        let names = match self.namespaces {
            true => self.tools.saturating_mul(TOKENS_OF_A_NAMESPACE),
            false => 0,
        };
        self.added.saturating_add(names)
    }

    fn add(&mut self, tokens: u64) {
        self.added = self.added.saturating_add(tokens);
    }

    /// Takes in what an object says that it is.
    pub(super) fn object(&mut self, word: &str) {
        match word {
            "image" | "computer_screenshot" => self.pictures += 1,
            "function" => self.tools += 1,
            "custom" => {
                self.tools += 1;
                self.add(TOKENS_OF_A_CUSTOM_TOOL);
            }
            "namespace" => self.namespaces = true,
            "document" | "file" | "input_file" | "audio" | "video" => self.documents += 1,
            _ if holds(word, "toolset") => self.add(TOKENS_OF_A_TOOLSET),
            // Those that are the provider's own have a date, but for these.
            "apply_patch" | "shell" | "local_shell" | "computer" | "computer_use_preview" => {
                self.add(TOKENS_OF_A_TOOL);
            }
            _ if holds(word, "_20") || holds(word, "search") => self.add(TOKENS_OF_A_TOOL),
            _ => {}
        }
        self.compacts |= word.starts_with("compact");
    }

    /// Takes in a string in a field.
    pub(super) fn value(&mut self, name: Option<&str>, value: Scalar<'_>) {
        let holds = matches!(name, Some("data" | "url" | "image_url" | "file_data"));
        if let (true, Scalar::Text(text)) = (holds, value) {
            if text.len() >= SHORTEST_FILE && is_base64(text) {
                self.bytes = self.bytes.saturating_add(text.len() as u64);
            }
        }
    }
}

/// Whether a word holds a part. In a short word, what `contains` prepares before it
/// looks takes longer than the look.
fn holds(word: &str, part: &str) -> bool {
    if word.len() > SHORT_WORD {
        return word.contains(part);
    }
    let mut places = word.as_bytes().windows(part.len());
    places.any(|place| place == part.as_bytes())
}

/// Whether a text is a file rather than words: it has no blanks.
fn is_base64(text: &str) -> bool {
    let text = text.split_once(";base64,").map_or(text, |(_, data)| data);
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=' | b'\\');
    text.bytes().all(plain)
}
