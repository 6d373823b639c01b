//! A request's body on its way out, as JavaScript takes it.

use crate::dialect::outgoing::Outgoing;
use js_sys::Uint8Array;
use std::panic::AssertUnwindSafe;
use wasm_bindgen::prelude::*;

/// A body on its way out.
#[wasm_bindgen]
pub struct Outflow(AssertUnwindSafe<Outgoing>);

impl Outflow {
    /// One of a body.
    pub fn of(body: &Outgoing) -> Outflow {
        Outflow(AssertUnwindSafe(body.clone()))
    }
}

#[wasm_bindgen]
impl Outflow {
    /// How long it is.
    pub fn length(&self) -> usize {
        self.0.length()
    }

    /// Fills bytes of JavaScript's with what stands from a place on.
    pub fn fill(&self, at: usize, target: &Uint8Array) {
        let mut filled = 0;
        for piece in self.0.part(at, target.length() as usize) {
            let length = piece.len() as u32;
            target.subarray(filled, filled + length).copy_from(piece);
            filled += length;
        }
    }
}
