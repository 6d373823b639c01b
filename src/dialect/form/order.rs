//! Tool calls one after the other. Some providers may tell pieces of several
//! calls in turn, while clients expect a call to be over when the next begins.
//! So a call that comes early waits until the one before it is whole.

use std::collections::VecDeque;

/// What is to be passed on.
#[derive(Debug, PartialEq, Eq)]
pub enum Ordered {
    /// A call begins; the one before it is over.
    Begin(u32),
    /// More of the arguments of the call that began last.
    Input(String),
}

/// A call that waits.
#[derive(Debug)]
struct Waiting {
    call: u32,
    input: String,
}

/// Puts pieces of calls in order.
#[derive(Debug, Default)]
pub struct Ordering {
    current: Option<(u32, Whole)>,
    waiting: VecDeque<Waiting>,
}

impl Ordering {
    /// A call begins.
    pub fn begin(&mut self, call: u32, on: &mut Vec<Ordered>) {
        let busy = matches!(&self.current, Some((_, whole)) if !whole.is_whole());
        if busy || !self.waiting.is_empty() {
            let input = String::new();
            self.waiting.push_back(Waiting { call, input });
            return;
        }
        self.current = Some((call, Whole::default()));
        on.push(Ordered::Begin(call));
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
                if let Some(waiting) = self.waiting.iter_mut().find(|w| w.call == call) {
                    waiting.input.push_str(json);
                }
            }
        }
    }

    /// Begins the calls that wait, as far as those before them are whole.
    fn advance(&mut self, on: &mut Vec<Ordered>) {
        while let Some(Waiting { call, input }) = self.waiting.pop_front() {
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

    /// All calls are over: what waited comes out.
    pub fn finish(&mut self, on: &mut Vec<Ordered>) {
        for Waiting { call, input } in self.waiting.drain(..) {
            on.push(Ordered::Begin(call));
            if !input.is_empty() {
                on.push(Ordered::Input(input));
            }
        }
        self.current = None;
    }
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
        let mut ordering = Ordering::default();
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
            })
            .collect();
        assert_eq!(told.concat(), "#0 {\"a\":\"}\"}#1 {}#2 {\"b\":1");
    }
}
