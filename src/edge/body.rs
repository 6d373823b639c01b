//! Reading a request's body, see `body.js`: no more of it than there is room for
//! beside the bodies of other calls, and not for longer than it may take. What
//! there is room for, and which body ends for another, is decided in `crate::request::body`.

use crate::refusal::{Invalid, Refusal};
use crate::request::body::{Bodies, Full, Gunzip, Id, Owner, Stop, DEADLINES, MOST_TIMES};
use crate::request::head::{Coding, Head, LARGEST_BODY};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys::Request;

#[wasm_bindgen(module = "/src/edge/body.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = readBody)]
    async fn read_body_js(
        request: &Request,
        limit: u32,
        pause_ms: u32,
        whole_ms: u32,
        inflow: Inflow,
    ) -> Result<JsValue, JsValue>;

    /// Reads what the client still sends, within reason, and forgets it.
    async fn drain(request: &Request);
}

thread_local! {
    static BODIES: RefCell<Bodies> = RefCell::default();
}

/// A body's part of the instance's memory, given back when it is dropped.
#[derive(Debug)]
pub struct Holding(Id);

impl Holding {
    fn open(owner: Owner, most: usize) -> Holding {
        Holding(BODIES.with_borrow_mut(|bodies| bodies.open(owner, most)))
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        BODIES.with_borrow_mut(|bodies| bodies.release(self.0));
    }
}

// What becomes of a body, as `body.js` has it.
const SOUND: u8 = 0;
const TOO_LONG: u8 = 1;
const FULL: u8 = 2;
const LATE: u8 = 3;
const GROWS: u8 = 4;
const NO_GZIP: u8 = 5;

/// Where JavaScript puts the bytes of a body, piece by piece.
#[wasm_bindgen]
pub struct Inflow {
    id: Id,
    gunzip: Option<Gunzip>,
}

#[wasm_bindgen]
impl Inflow {
    /// Takes the next; says so if there can be no more of them.
    pub fn push(&mut self, bytes: &[u8]) -> u8 {
        let id = self.id;
        let mut keep = |bytes: &[u8]| BODIES.with_borrow_mut(|bodies| bodies.push(id, bytes));
        match &mut self.gunzip {
            None => keep(bytes).map_or(FULL, |()| SOUND),
            Some(gunzip) => status(gunzip.push(bytes, &mut keep)),
        }
    }

    /// There are no more.
    pub fn end(&mut self) -> u8 {
        let gunzip = self.gunzip.take();
        gunzip.map_or(SOUND, |gunzip| status(gunzip.finish()))
    }

    /// Whether the body has ended, to make room for another team's.
    pub fn ended(&self) -> bool {
        !BODIES.with_borrow(|bodies| bodies.holds(self.id))
    }
}

fn status(became: Result<(), Stop>) -> u8 {
    match became {
        Ok(()) => SOUND,
        Err(Stop::TooLong) => TOO_LONG,
        Err(Stop::Grows) => GROWS,
        Err(Stop::Full) => FULL,
        Err(Stop::Broken) => NO_GZIP,
    }
}

/// The body of a team's request as text. What it takes of the instance's memory is given
/// back with the second part.
pub async fn text(
    request: &Request,
    head: &Head,
    team: &str,
) -> Result<(String, Holding), Refusal> {
    let coding = match head.check_body() {
        Ok(coding) => coding,
        Err(refusal) => {
            // A client that is still sending would see a broken connection instead.
            drain(request).await;
            return Err(refusal);
        }
    };
    let announced = head.header("content-length").and_then(|l| l.parse().ok());
    let owner = Owner::Team(team.to_owned());
    let (bytes, holding) = read(request, owner, (coding, announced), LARGEST_BODY).await?;
    let text = String::from_utf8(bytes).map_err(|_| Refusal::Body(Invalid::Encoding))?;
    Ok((text, holding))
}

/// A request's body, which says how it is written down and maybe how long it is then.
pub async fn read(
    request: &Request,
    owner: Owner,
    (coding, announced): (Coding, Option<usize>),
    limit: usize,
) -> Result<(Vec<u8>, Holding), Refusal> {
    let gunzip = (coding == Coding::Gzip).then(|| Gunzip::new(limit));
    // How long it will become, a compressed one does not say.
    let most = announced.filter(|_| gunzip.is_none()).unwrap_or(limit);
    let holding = Holding::open(owner, most.min(limit));
    let is_gzip = gunzip.is_some();
    let inflow = Inflow {
        id: holding.0,
        gunzip,
    };
    let most = u32::try_from(limit).unwrap_or(u32::MAX);
    let (pause, whole) = (DEADLINES.pause, DEADLINES.whole);
    let became = read_body_js(request, most, pause, whole, inflow).await;
    let became = became.ok().and_then(|code| code.as_f64());
    let refusal = match became.map(|code| code as u8) {
        Some(SOUND) => match BODIES.with_borrow_mut(|bodies| bodies.complete(holding.0)) {
            Ok(bytes) => return Ok((bytes, holding)),
            // It ended between its last piece and here.
            Err(Full) => Refusal::BodiesFull,
        },
        Some(TOO_LONG) => Refusal::BodyTooLarge { limit },
        Some(FULL) => Refusal::BodiesFull,
        Some(LATE) => Refusal::BodyLate,
        Some(GROWS) => Refusal::BodyGrows { most: MOST_TIMES },
        Some(NO_GZIP) => Refusal::Body(Invalid::Gzip),
        _ => Refusal::BodyBroken,
    };
    // What has come is given back before its sender has gone on for a while.
    drop(holding);
    // A plain body that is too long was read on already.
    if refusal == Refusal::BodiesFull || is_gzip && refusal != Refusal::BodyLate {
        drain(request).await;
    }
    Err(refusal)
}
