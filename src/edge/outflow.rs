//! A request's body on its way out, without a second copy of it.

use js_sys::Uint8Array;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A body on its way out, as JavaScript takes it.
#[wasm_bindgen]
pub struct Outflow(AssertUnwindSafe<Rc<String>>);

impl Outflow {
    /// One of a body.
    pub fn of(body: &Rc<String>) -> Outflow {
        Outflow(AssertUnwindSafe(Rc::clone(body)))
    }
}

#[wasm_bindgen]
impl Outflow {
    /// How long it is.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Fills bytes of JavaScript's with what stands from a place on.
    pub fn fill(&self, at: usize, target: &Uint8Array) {
        let end = at.saturating_add(target.length() as usize);
        if let Some(piece) = self.0.as_bytes().get(at..end) {
            target.copy_from(piece);
        }
    }
}
