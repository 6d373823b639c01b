//! Converts between the text input of a custom tool and the JSON arguments `{"input":
//! "…"}` that stand for it, in pieces cut anywhere.

use super::custom::INPUT;
use super::json::Json;

/// The most bytes before the text; longer ones are not such arguments.
const LONGEST_START: usize = 256;
/// In place of half a surrogate pair.
const NO_CHARACTER: char = '\u{fffd}';

/// Takes the text out of arguments. Arguments that begin otherwise than
/// `{"input": "` are the text themselves, as they came; empty ones are an empty
/// text; what follows the text is left out.
#[derive(Debug, Default)]
pub struct TextReader {
    state: State,
    left_out: bool,
}

#[derive(Debug)]
enum State {
    /// The text has not started. The bytes so far are kept, since they may be the text.
    Before(String),
    /// In the text.
    Within(Escapes),
    /// The text is over.
    Behind,
    /// The arguments are the text.
    AsTheyCome,
}

impl Default for State {
    fn default() -> State {
        State::Before(String::new())
    }
}

/// How arguments begin.
enum Start {
    /// Not decided yet.
    Open,
    /// With the text, from this byte on.
    Text(usize),
    /// They are empty, and end at this byte.
    Empty(usize),
    /// Otherwise.
    Other,
}

impl TextReader {
    /// Takes a piece of the arguments; the text in it goes to `text`.
    pub fn push(&mut self, json: &str, text: &mut String) {
        match &mut self.state {
            State::Before(before) => {
                let known = before.len();
                before.push_str(head(json, LONGEST_START.saturating_sub(known)));
                let (state, at) = match start(before) {
                    Start::Open if before.len() < known + json.len() => (State::AsTheyCome, 0),
                    Start::Open => return,
                    Start::Text(at) => (State::Within(Escapes::default()), at),
                    Start::Empty(at) => (State::Behind, at),
                    Start::Other => (State::AsTheyCome, 0),
                };
                let before = std::mem::take(before);
                self.state = state;
                let rest = json.get(before.len() - known..).unwrap_or_default();
                self.push(before.get(at..).unwrap_or_default(), text);
                self.push(rest, text);
            }
            State::Within(escapes) => {
                if let Some(behind) = escapes.read(json, text) {
                    self.state = State::Behind;
                    self.push(behind, text);
                }
            }
            State::Behind => {
                let plain = |c: char| c == '}' || c.is_ascii_whitespace();
                self.left_out |= !json.chars().all(plain);
            }
            State::AsTheyCome => text.push_str(json),
        }
    }

    /// Whether something that follows the text was left out.
    pub fn left_out(&self) -> bool {
        self.left_out
    }
}

/// The text in whole arguments.
pub fn read_text(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    TextReader::default().push(json, &mut text);
    text
}

/// As many bytes of a text at most.
fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn start(text: &str) -> Start {
    let mut rest = text;
    for (at, token) in ["{", "\"input\"", ":", "\""].into_iter().enumerate() {
        rest = rest.trim_ascii_start();
        match rest.strip_prefix(token) {
            Some(behind) => rest = behind,
            None if token.starts_with(rest) => return Start::Open,
            None if at == 1 && rest.starts_with('}') => {
                return Start::Empty(text.len() - rest.len());
            }
            None => return Start::Other,
        }
    }
    Start::Text(text.len() - rest.len())
}

/// A JSON string that is being read. Invalid escapes stay as they are.
#[derive(Debug, Default)]
struct Escapes {
    /// An escape that is not whole: no longer than `\uXXXX`.
    open: String,
    /// The first half of a surrogate pair.
    high: Option<u32>,
}

impl Escapes {
    /// Reads on; what follows the string's end, if it has come.
    fn read<'j>(&mut self, json: &'j str, text: &mut String) -> Option<&'j str> {
        let mut rest = json;
        loop {
            while !self.open.is_empty() {
                let next = rest.chars().next()?;
                if self.escaped(next, text) {
                    rest = rest.get(next.len_utf8()..).unwrap_or_default();
                }
            }
            let end = rest.find(['"', '\\']);
            let (plain, behind) = rest.split_at(end.unwrap_or(rest.len()));
            if !plain.is_empty() {
                self.give_up_pair(text);
                text.push_str(plain);
            }
            let special = behind.chars().next()?;
            rest = behind.get(1..).unwrap_or_default();
            if special == '"' {
                self.give_up_pair(text);
                return Some(rest);
            }
            self.open.push(special);
        }
    }

    /// The next character of an open escape; whether it belongs to it.
    fn escaped(&mut self, next: char, text: &mut String) -> bool {
        let plain = match (self.open.len(), next) {
            (1, 'u') => {
                self.open.push(next);
                return true;
            }
            (1, '"' | '\\' | '/') => next,
            (1, 'b') => '\u{8}',
            (1, 'f') => '\u{c}',
            (1, 'n') => '\n',
            (1, 'r') => '\r',
            (1, 't') => '\t',
            (2.., digit) if digit.is_ascii_hexdigit() => {
                self.open.push(next);
                if self.open.len() == "\\uXXXX".len() {
                    let digits = self.open.get(2..).unwrap_or_default();
                    let unit = u32::from_str_radix(digits, 16).unwrap_or_default();
                    self.open.clear();
                    self.unit(unit, text);
                }
                return true;
            }
            _ => {
                self.give_up_pair(text);
                text.push_str(&self.open);
                self.open.clear();
                return false;
            }
        };
        self.open.clear();
        self.give_up_pair(text);
        text.push(plain);
        true
    }

    /// A unit of UTF-16.
    fn unit(&mut self, unit: u32, text: &mut String) {
        match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                text.push(char::from_u32(code).unwrap_or(NO_CHARACTER));
            }
            (lone, unit) => {
                text.extend(lone.map(|_| NO_CHARACTER));
                match unit {
                    0xd800..=0xdbff => self.high = Some(unit),
                    unit => text.push(char::from_u32(unit).unwrap_or(NO_CHARACTER)),
                }
            }
        }
    }

    fn give_up_pair(&mut self, text: &mut String) {
        text.extend(self.high.take().map(|_| NO_CHARACTER));
    }
}

/// Puts text into arguments.
#[derive(Debug, Default)]
pub struct TextWriter {
    started: bool,
    over: bool,
}

impl TextWriter {
    /// A piece of the text, as a piece of the arguments.
    pub fn push(&mut self, text: &str) -> String {
        let quoted = Json::from(text).to_text();
        let quoted = quoted.strip_suffix('"').unwrap_or(&quoted);
        match std::mem::replace(&mut self.started, true) {
            true => quoted.get(1..).unwrap_or_default().to_owned(),
            false => format!("{{\"{INPUT}\":{quoted}"),
        }
    }

    /// The end of the arguments, once.
    pub fn finish(&mut self) -> String {
        if std::mem::replace(&mut self.over, true) {
            return String::new();
        }
        let start = if self.started {
            String::new()
        } else {
            self.push("")
        };
        format!("{start}\"}}")
    }

    /// Whether a piece has come.
    pub fn has_started(&self) -> bool {
        self.started
    }
}

// `proptest` does not run in wasm.
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pieces: &[&str]) -> (String, bool) {
        let (mut reader, mut text) = (TextReader::default(), String::new());
        for piece in pieces {
            reader.push(piece, &mut text);
        }
        (text, reader.left_out())
    }

    #[test]
    fn arguments_of_any_shape_are_some_text() {
        let long = format!("{{{}\"input\":\"a\"}}", " ".repeat(LONGEST_START));
        let cases = [
            (r#"{"input":"a"}"#, "a", false),
            (" {\n \"input\" : \"a\" } ", "a", false),
            (
                r#"{"input":"\u00e9\n\"\\\/\ud83d\ude00"}"#,
                "é\n\"\\/😀",
                false,
            ),
            // What the model did not finish.
            (r#"{"input":"a\ud83d"#, "a", false),
            (r#"{"input":"a\"#, "a", false),
            (r#"{"inp"#, "", false),
            ("", "", false),
            // Halves of pairs, and what is no escape.
            (
                r#"{"input":"\ud83dx\ude00\ud83d\ud83d"}"#,
                "\u{fffd}x\u{fffd}\u{fffd}\u{fffd}",
                false,
            ),
            (r#"{"input":"\ud83d\n"}"#, "\u{fffd}\n", false),
            (r#"{"input":"\d+\u12x\u"}"#, r"\d+\u12x\u", false),
            ("{\"input\":\"a\nb\"}", "a\nb", false),
            // Other keys, or none.
            ("{}", "", false),
            ("{ } ", "", false),
            (r#"{"input":"a","why":"b"}"#, "a", true),
            (r#"{"input":"a"}{"input":"b"}"#, "a", true),
            (
                r#"{"why":"b","input":"a"}"#,
                r#"{"why":"b","input":"a"}"#,
                false,
            ),
            (r#"{"input":7}"#, r#"{"input":7}"#, false),
            (r#"{"input":{"a":"b"}}"#, r#"{"input":{"a":"b"}}"#, false),
            (r#""a""#, r#""a""#, false),
            ("*** Begin Patch", "*** Begin Patch", false),
            (&long, &long, false),
        ];
        for (json, text, left_out) in cases {
            let wanted = (text.to_owned(), left_out);
            assert_eq!(read(&[json]), wanted, "{json}");
            let letters: Vec<String> = json.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            assert_eq!(read(&letters), wanted, "{json}, letter by letter");
        }
        assert_eq!(read_text(r#"{"input":"a"}"#), "a");
    }

    #[test]
    fn guard_what_is_kept_of_arguments_is_bounded() {
        let mut reader = TextReader::default();
        let mut text = String::new();
        for _ in 0..10_000 {
            reader.push("    ", &mut text);
            let kept = match &reader.state {
                State::Before(before) => before.len(),
                State::Within(escapes) => escapes.open.len(),
                _ => 0,
            };
            assert!(kept <= LONGEST_START, "{kept}");
        }
        assert_eq!(text.len(), 40_000);
    }

    proptest! {
        #[test]
        fn text_is_the_same_after_arguments_cut_anywhere(
            text in any::<String>(),
            cuts in prop::collection::vec(0..60_usize, 0..8),
        ) {
            let mut writer = TextWriter::default();
            let mut json = String::new();
            let half = head(&text, text.len() / 2);
            json.push_str(&writer.push(half));
            json.push_str(&writer.push(&text[half.len()..]));
            json.push_str(&writer.finish());
            json.push_str(&writer.finish());
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&value, &serde_json::json!({ "input": text }));

            // As models write it that escape all they can.
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            let escaped = format!("{{ \"input\": \"{}\" }}", units.collect::<String>());
            for json in [json, escaped] {
                let (mut reader, mut got, mut rest) = (TextReader::default(), String::new(), json.as_str());
                for cut in &cuts {
                    let piece = head(rest, *cut);
                    reader.push(piece, &mut got);
                    rest = &rest[piece.len()..];
                }
                reader.push(rest, &mut got);
                prop_assert_eq!(&got, &text);
                prop_assert!(!reader.left_out());
            }
        }

        #[test]
        fn whatever_comes_gives_the_same_text_in_one_piece_and_in_many(json in "[{}\":\\\\ud83denaipt ,\u{e9}]{0,40}") {
            let letters: Vec<String> = json.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            for start in ["", "{\"input\":\""] {
                let whole = format!("{start}{json}");
                let mut pieces = vec![start];
                pieces.extend(&letters);
                prop_assert_eq!(read(&[whole.as_str()]), read(&pieces));
            }
        }
    }
}
