//! Thinking signatures that come after the text, as Gemini sends them. Clients of
//! Anthropic's API take the last block of a message for the answer, so no block may
//! follow the text. Such a signature is held back until a tool call follows, which
//! needs it, and is left out if none does; Gemini does not require it then.

use super::neutral::{Blob, Delta};
use super::{Api, Family};

/// The name of what is left out, as it is reported.
const NAME: &str = "thought_signature";

/// Holds back the late signatures of one response.
#[derive(Debug)]
pub struct LateProofs {
    /// The client uses Anthropic's API.
    holds: bool,
    /// Text came last.
    after_text: bool,
    held: Vec<Blob<'static>>,
}

impl LateProofs {
    /// For one answer to a client.
    pub fn of(api: Api) -> LateProofs {
        LateProofs {
            holds: api.family() == Family::Anthropic,
            after_text: false,
            held: Vec::new(),
        }
    }

    /// Takes the next piece. Returns the pieces that go before it, and whether it is
    /// passed on itself.
    pub fn take(&mut self, delta: &Delta<'_>) -> (Vec<Delta<'static>>, bool) {
        match delta {
            Delta::Thought(proof) if self.holds && self.after_text => {
                self.held.push(proof.clone().into_owned());
                return (Vec::new(), false);
            }
            Delta::Text(text) => self.after_text |= !text.is_empty(),
            Delta::Thinking(_) | Delta::Call { .. } => {
                self.after_text = false;
                let held = std::mem::take(&mut self.held);
                return (held.into_iter().map(Delta::Thought).collect(), true);
            }
            Delta::End if !std::mem::take(&mut self.held).is_empty() => {
                return (vec![Delta::Unsupported(NAME.into())], true);
            }
            _ => {}
        }
        (Vec::new(), true)
    }
}
