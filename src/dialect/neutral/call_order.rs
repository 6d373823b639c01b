//! Puts tool calls in order. Some providers interleave the pieces of several calls, or
//! text with the pieces of a call, but clients expect a call to end before other
//! content starts. Content that comes early waits until the call before it is complete.

use super::delta::Delta;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// A piece that is passed on.
#[derive(Debug, PartialEq)]
pub enum Ordered {
    /// A call begins; the one before it is over.
    Begin(u32),
    /// More of the arguments of the call that began last.
    Input(String),
    /// Text or thinking that had to wait for a call.
    Content(Delta<'static>),
}

/// What waits.
#[derive(Debug)]
enum Waiting {
    /// A call, and its arguments so far.
    Call(u32, String),
    /// Text or thinking.
    Content(Delta<'static>),
}

/// Puts pieces of calls in order.
#[derive(Debug, Default)]
pub struct CallOrder {
    current: Option<(u32, Whole)>,
    waiting: VecDeque<Waiting>,
    /// The position of each call among all that ever waited, and how many of those no
    /// longer wait.
    places: BTreeMap<u32, usize>,
    passed: usize,
}

impl CallOrder {
    /// A call begins.
    pub fn begin(&mut self, call: u32, on: &mut Vec<Ordered>) {
        if self.is_busy() {
            let place = self.passed + self.waiting.len();
            self.places.entry(call).or_insert(place);
            self.waiting.push_back(Waiting::Call(call, String::new()));
            return;
        }
        self.current = Some((call, Whole::default()));
        on.push(Ordered::Begin(call));
    }

    /// Whether a call is not whole yet, or something waits behind it.
    fn is_busy(&self) -> bool {
        let open = matches!(&self.current, Some((_, whole)) if !whole.is_whole());
        open || !self.waiting.is_empty()
    }

    /// Holds back text and thinking that come between the pieces of a call. Returns
    /// whether it did.
    pub fn holds(&mut self, delta: &Delta<'_>) -> bool {
        if !self.is_busy() {
            return false;
        }
        let Some(said) = spoken(delta) else {
            return false;
        };
        match (self.waiting.back_mut(), said) {
            (Some(Waiting::Content(Delta::Text(known))), Delta::Text(more))
            | (Some(Waiting::Content(Delta::Refusal(known))), Delta::Refusal(more))
            | (Some(Waiting::Content(Delta::Thinking(known))), Delta::Thinking(more)) => {
                known.to_mut().push_str(&more);
            }
            (_, said) => self.waiting.push_back(Waiting::Content(said)),
        }
        true
    }

    /// More of a call's arguments.
    pub fn input(&mut self, call: u32, json: &str, on: &mut Vec<Ordered>) {
        match &mut self.current {
            Some((current, whole)) if *current == call => {
                whole.take(json);
                on.push(Ordered::Input(json.to_owned()));
                if whole.is_whole() {
                    self.advance(on);
                }
            }
            _ => {
                let place = self.places.get(&call).copied();
                let place = place.and_then(|place| place.checked_sub(self.passed));
                let waiting = place.and_then(|place| self.waiting.get_mut(place));
                if let Some(Waiting::Call(_, input)) = waiting {
                    input.push_str(json);
                }
            }
        }
    }

    /// Releases what waits, as far as the calls before it are complete.
    fn advance(&mut self, on: &mut Vec<Ordered>) {
        while let Some(waiting) = self.waiting.pop_front() {
            self.passed += 1;
            let (call, input) = match waiting {
                Waiting::Call(call, input) => (call, input),
                Waiting::Content(said) => {
                    on.push(Ordered::Content(said));
                    continue;
                }
            };
            self.places.remove(&call);
            let mut whole = Whole::default();
            whole.take(&input);
            on.push(Ordered::Begin(call));
            if !input.is_empty() {
                on.push(Ordered::Input(input));
            }
            let go_on = whole.is_whole();
            self.current = Some((call, whole));
            if !go_on {
                return;
            }
        }
    }

    /// All calls are over: releases everything that waits.
    pub fn finish(&mut self, on: &mut Vec<Ordered>) {
        for waiting in self.waiting.drain(..) {
            match waiting {
                Waiting::Call(call, input) => {
                    on.push(Ordered::Begin(call));
                    if !input.is_empty() {
                        on.push(Ordered::Input(input));
                    }
                }
                Waiting::Content(said) => on.push(Ordered::Content(said)),
            }
        }
        self.current = None;
    }
}

/// Text and thinking that can wait.
fn spoken(delta: &Delta<'_>) -> Option<Delta<'static>> {
    let owned = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
    Some(match delta {
        Delta::Text(text) => Delta::Text(owned(text)),
        Delta::Refusal(text) => Delta::Refusal(owned(text)),
        Delta::Thinking(text) => Delta::Thinking(owned(text)),
        Delta::Thought(blob) => Delta::Thought(blob.clone().into_owned()),
        Delta::ThinkingEnds => Delta::ThinkingEnds,
        Delta::Cited(citation) => Delta::Cited(citation.clone()),
        _ => return None,
    })
}

/// Whether pieces of JSON text make a whole object.
#[derive(Debug, Default)]
struct Whole {
    depth: u32,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Whole {
    fn take(&mut self, json: &str) {
        for byte in json.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed = self.depth == 0;
                }
                _ => {}
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_calls_in_turn_come_out_call_by_call() {
        let mut ordering = CallOrder::default();
        let mut out = Vec::new();
        ordering.begin(0, &mut out);
        ordering.input(0, "{\"a\":\"}", &mut out);
        ordering.begin(1, &mut out);
        ordering.input(1, "{}", &mut out);
        ordering.begin(2, &mut out);
        ordering.input(0, "\"}", &mut out);
        ordering.input(2, "{\"b\":1", &mut out);
        ordering.finish(&mut out);
        let told: Vec<String> = out
            .iter()
            .map(|one| match one {
                Ordered::Begin(call) => format!("#{call} "),
                Ordered::Input(json) => json.clone(),
                Ordered::Content(said) => format!("{said:?}"),
            })
            .collect();
        assert_eq!(told.concat(), "#0 {\"a\":\"}\"}#1 {}#2 {\"b\":1");
    }
}
