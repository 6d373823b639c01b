//! Proofs of thoughts that come after the text, as Gemini sends them. Clients of
//! Anthropic's dialect take the last block of an answer for the answer, so nothing
//! may follow the text. Such a proof is held back until a call follows, which needs
//! it, and left out where none does. Gemini does not insist on it then.

use super::neutral::{Blob, Delta};
use super::{Api, Family};

/// What the client may miss, as it is told.
const NAME: &str = "thought_signature";

/// Holds back the proofs of one answer.
#[derive(Debug)]
pub struct LateProofs {
    /// The client speaks Anthropic's dialect.
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

    /// Takes the next piece: gives what is to be told before it, and whether it is to
    /// be told itself.
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
                return (vec![Delta::LeftOut(NAME.into())], true);
            }
            _ => {}
        }
        (Vec::new(), true)
    }
}
