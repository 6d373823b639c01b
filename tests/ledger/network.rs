//! What is under way between instances, objects and the database, and the contexts of
//! requests that it belongs to.

use meridian::ledger::instance::{self, Spill, Timer};
use meridian::ledger::object::{self, AfterSpilled, Exchange};
use meridian::ledger::{LedgerRequest, LedgerResponse};
use meridian::units::Millis;

/// The time and place in which effects are performed: a request's, or an alarm's.
pub struct Context {
    pub owner: Owner,
    /// Of its owner: a later one knows nothing of this context.
    pub epoch: u32,
    pub purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Instance(usize),
    Object(usize),
}

/// What a context is for.
pub enum Purpose {
    /// A call asks to begin.
    Call(Call),
    /// What an instance does after its calls.
    Background,
    /// An object serves a request of another context.
    Serve { asker: usize, id: u64 },
    /// An object serves a request that nobody waits for any more.
    Ghost,
    /// An object's alarm.
    Alarm,
}

/// A call, the most it can take, and what it takes.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: String,
    pub bound: i64,
    pub took: i64,
    pub limits: &'static [usize],
    /// By the clock of its instance, and by nobody's.
    pub deadline: Millis,
    pub ends: Millis,
}

/// Something under way.
pub struct Envelope {
    pub context: usize,
    pub since: Millis,
    pub what: What,
}

pub enum What {
    Request(u64, Box<LedgerRequest>),
    Reply(u64, Result<Box<LedgerResponse>, String>),
    Timer(Millis, Timer),
    Spill(Spill),
    Exchange(Box<Exchange>),
    ReadSpilled(String),
    DeleteSpilled(Vec<String>, AfterSpilled),
}

impl What {
    /// What is under way because of an effect of an instance; nothing of a decision.
    pub fn of_instance(now: Millis, effect: instance::Effect) -> What {
        match effect {
            instance::Effect::Send { id, request, .. } => What::Request(id, request),
            instance::Effect::Wait(ms, timer) => What::Timer(Millis(now.0 + ms), timer),
            instance::Effect::Spill(spill) => What::Spill(spill),
            instance::Effect::Decide(_) => unreachable!("decided at once"),
        }
    }

    pub fn of_object(effect: object::Effect) -> Option<What> {
        Some(match effect {
            object::Effect::Send(id, request) => What::Request(id, request),
            object::Effect::Exchange(exchange) => What::Exchange(exchange),
            object::Effect::ReadSpilled { mark, .. } => What::ReadSpilled(mark),
            object::Effect::DeleteSpilled { ids, then, .. } => What::DeleteSpilled(ids, then),
            object::Effect::SetAlarm(_)
            | object::Effect::Respond(_)
            | object::Effect::SendWebhook(_)
            | object::Effect::Warn(_) => return None,
        })
    }
}
