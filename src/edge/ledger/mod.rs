//! The ledger's objects: one a team and jurisdiction, and one for the company.
//! Each is a thin host of a [`Book`]: what comes in is stored before it is
//! answered, what is stored goes to the database by alarm.

mod address;
mod flush;
mod held;
mod hooks;
mod storage;

pub use address::{
    for_calls, hear_load, send, send_within, sent, Address, Answer, Letter, Release, PATIENCE,
};
pub use hooks::tell;

use super::{host, settings};
use crate::config::limits::Authority;
use crate::ledger::{Book, Load, Message, Reply, Want};
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use storage::Storage;
use worker::{durable_object, wasm_bindgen, DurableObject, Env, Request, Response, Result, State};

/// How soon what came in goes to the database.
const SOON_MS: u64 = 250;
/// How often a book borrows for one who asks.
const MOST_TRIES: usize = 3;
/// How often a book that has borrowed tells those it has it from.
const TELL_MS: u64 = 1_000;

/// One object.
#[durable_object]
pub struct Ledger {
    state: State,
    env: Env,
    // A change that panics leaves nothing half done: the book is out of here
    // meanwhile, and is read again from what is stored.
    memory: AssertUnwindSafe<Memory>,
}

/// What it knows without looking into its storage.
struct Memory {
    known: RefCell<Option<Known>>,
    /// When the alarm rings, as far as is known.
    alarm: Cell<u64>,
    /// Attempts at the database that failed in a row.
    failures: Cell<u32>,
    notices: RefCell<flush::Notices>,
    load: RefCell<Load>,
    /// Until then the database is left alone, and hooks.
    database_at: Cell<u64>,
    hooks_at: Cell<Option<u64>>,
    told_at: Cell<u64>,
    /// It was not looked yet what was left in the database meanwhile.
    away: Cell<bool>,
}

/// Who it is, and its book.
struct Known {
    address: Address,
    book: Book,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Ledger {
            state,
            env,
            memory: AssertUnwindSafe(Memory {
                known: RefCell::new(None),
                alarm: Cell::new(u64::MAX),
                failures: Cell::new(0),
                notices: RefCell::default(),
                load: RefCell::default(),
                database_at: Cell::new(0),
                hooks_at: Cell::new(None),
                told_at: Cell::new(0),
                away: Cell::new(true),
            }),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let letter: Letter = serde_json::from_str(&request.text().await?)?;
        let answer = self.answer(letter).await?;
        Response::ok(serde_json::to_string(&answer)?)
    }

    async fn alarm(&self) -> Result<Response> {
        self.memory.alarm.set(u64::MAX);
        let Some(address) = self.remembered()? else {
            return Response::ok("");
        };
        let due = self.with_book(|book| book.next_expiry())?;
        if due.is_some_and(|at| at <= host::now()) {
            // What was left for this object counts before holders are given up.
            self.read_spilled(&address).await;
        }
        self.pass_time(host::now())?;
        let left = self.flush(&address).await;
        self.tell_hooks().await;
        self.tell_above().await?;
        self.rearm(left).await?;
        Response::ok("")
    }
}

impl Ledger {
    fn storage(&self) -> Storage {
        Storage::of(&self.state)
    }

    /// Loads what is stored, the first time.
    fn know(&self, address: &Address) -> Result<()> {
        if self.memory.known.borrow().is_some() {
            return Ok(());
        }
        let storage = self.storage();
        storage.prepare()?;
        storage.remember(address)?;
        let book = Book::new(address.is(), storage.state()?);
        let address = address.clone();
        self.memory.known.replace(Some(Known { address, book }));
        Ok(())
    }

    /// Who this is, if it was ever told.
    fn remembered(&self) -> Result<Option<Address>> {
        let storage = self.storage();
        storage.prepare()?;
        let Some(address) = storage.address()? else {
            return Ok(None);
        };
        self.know(&address)?;
        Ok(Some(address))
    }

    /// Changes the book and stores what has changed, in one piece.
    fn with_book<T>(&self, change: impl FnOnce(&mut Book) -> T) -> Result<T> {
        let Some(Known { address, mut book }) = self.memory.known.take() else {
            return Err("the ledger was not told who it is".into());
        };
        let done = change(&mut book);
        let storage = self.storage();
        for crossed in book.crossed() {
            hooks::keep(&storage, &crossed)?;
        }
        storage.write(&book.changes())?;
        self.memory.known.replace(Some(Known { address, book }));
        Ok(done)
    }

    async fn answer(&self, letter: Letter) -> Result<Answer> {
        self.know(&letter.to)?;
        let now = host::now();
        self.pass_time(now)?;
        let Letter {
            message,
            rows,
            release,
            ..
        } = letter;
        let load = self.memory.load.borrow_mut().one_more(now);
        self.memory.notices.borrow_mut().take(now, letter.news);
        let rows = rows.as_ref().map_or("[]", |rows| rows.get());
        let (told, wants) = self.settle(now, message, rows)?;
        let released = self.release(now, release)?;
        let noted = told.1.noted;
        // Whatever becomes of the rest, what was stored goes on from here.
        self.ring_within(now, SOON_MS).await?;
        let mut reply = match wants.is_empty() {
            true => told.1,
            false => self.lend(now, told.0, wants).await?,
        };
        reply.noted |= noted;
        Ok(Answer {
            reply,
            notices: self.memory.notices.borrow().since(letter.heard),
            accounts: match letter.look {
                true => self.with_book(|book| book.standings())?,
                false => Vec::new(),
            },
            load,
            holding: match letter.look {
                true => self.with_book(|book| book.holding())?,
                false => Vec::new(),
            },
            released,
        })
    }

    /// Gives up holders whose time is over; what they had is held.
    fn pass_time(&self, now: Millis) -> Result<()> {
        let forfeits = self.with_book(|book| {
            book.tidy(now);
            book.expire(now)
        })?;
        for forfeit in &forfeits {
            self.holds(now, now, forfeit.money, forfeit.calls)?;
        }
        Ok(())
    }

    /// Stores rows, each once, and settles the calls that are new. Gives back
    /// what was said otherwise, with its reply, and what is wanted.
    fn settle(
        &self,
        now: Millis,
        mut message: Message,
        rows: &str,
    ) -> Result<((Message, Reply), Vec<Want>)> {
        let storage = self.storage();
        let new = storage.add(now.0, rows)?;
        message.unfold();
        message.settled.retain(|one| new.contains(&one.id));
        let wants = std::mem::take(&mut message.wants);
        let (reply, credits) = self.with_book(|book| {
            let settled = message.settled.iter().filter(|one| one.closes.is_none());
            let credits = settled.map(|one| book.credit(&one.holder, &one.parts));
            let mut credits: Vec<_> = credits.flatten().collect();
            let reply = book.take(now, &message);
            let known = message.settled.iter().filter(|one| one.closes.is_some());
            credits.extend(known.filter_map(|one| book.let_go(&one.holder)));
            (reply, credits)
        })?;
        for credit in &credits {
            self.holds_no_more(now, credit)?;
        }
        message.settled.clear();
        message.totals.clear();
        message.holds = None;
        Ok(((message, reply), wants))
    }

    /// Lends what is wanted, after borrowing what is short.
    async fn lend(&self, now: Millis, mut message: Message, wants: Vec<Want>) -> Result<Reply> {
        let refused = |exceeded: Box<Exceeded>| {
            let mut all = wants.iter();
            let want = all.find(|want| exceeded.is_of(&want.applied));
            let needed = want.map_or(exceeded.needed, |want| want.need);
            Reply::refuses(Box::new(exceeded.to_one_who_needs(needed)))
        };
        message.wants.clone_from(&wants);
        for _ in 0..MOST_TRIES {
            if let Some(said) = self.with_book(|book| book.refused_lately(now, &wants))? {
                return Ok(refused(said));
            }
            for (authority, missing) in self.with_book(|book| book.short_of(now, &wants))? {
                if let Err(exceeded) = self.borrow(now, &authority, &missing).await? {
                    return Ok(refused(exceeded));
                }
            }
            // Others may have taken what came meanwhile.
            if !self.with_book(|book| book.lacks(&wants))? {
                break;
            }
        }
        self.with_book(|book| book.take(now, &message))
    }

    /// Borrows what is missing from its authority, which may refuse it.
    async fn borrow(
        &self,
        now: Millis,
        authority: &Authority,
        missing: &[Want],
    ) -> Result<std::result::Result<(), Box<Exceeded>>> {
        let mut question = self.with_book(|book| book.ask(now, authority, missing))?;
        (question.holder, question.team) = self.own_name();
        let to = Address::of(authority, settings::config().ok());
        let letter = Letter::new(to, question);
        match send(&self.env, &letter).await {
            Ok(Answer { reply, .. }) => {
                self.with_book(|book| book.answered(host::now(), &letter.message, &reply))
            }
            Err(error) => {
                self.with_book(|book| book.not_answered(&letter.message))?;
                Err(error)
            }
        }
    }

    /// The name it borrows under, and its team.
    fn own_name(&self) -> (String, Option<String>) {
        let known = self.memory.known.borrow();
        let address = known.as_ref().map(|known| &known.address);
        let team = address.and_then(Address::team).map(str::to_owned);
        (address.map(Address::name).unwrap_or_default(), team)
    }

    async fn tell_hooks(&self) {
        let now = host::now().0;
        if self.memory.hooks_at.get().is_none_or(|at| at <= now) {
            let pause = hooks::send(&self.storage()).await;
            let at = pause.map(|pause| now.saturating_add(pause));
            self.memory.hooks_at.set(at);
        }
    }

    /// Tells authorities what was spent, and gives back what nobody needs.
    async fn tell_above(&self) -> Result<()> {
        let now = host::now();
        if now.0.abs_diff(self.memory.told_at.get()) < TELL_MS {
            return Ok(());
        }
        self.memory.told_at.set(now.0);
        for authority in self.with_book(|book| book.funded_by())? {
            let Some(mut message) = self.with_book(|book| book.report(now, &authority))? else {
                continue;
            };
            (message.holder, message.team) = self.own_name();
            let to = Address::of(&authority, settings::config().ok());
            let letter = Letter::new(to, message);
            let answer = send(&self.env, &letter).await.ok();
            let reply = answer.map(|answer| answer.reply);
            self.with_book(|book| book.reported(&authority, &letter.message, reply.as_ref()))?;
        }
        Ok(())
    }

    /// Sees to it that the alarm rings in time.
    async fn ring_within(&self, now: Millis, ms: u64) -> Result<()> {
        let at = now.0.saturating_add(ms);
        if at < self.memory.alarm.get() {
            self.memory.alarm.set(at);
            self.state
                .storage()
                .set_alarm(Duration::from_millis(ms))
                .await?;
        }
        Ok(())
    }

    async fn rearm(&self, left: bool) -> Result<()> {
        let now = host::now();
        if left {
            let at = Millis(self.memory.database_at.get());
            self.ring_within(now, at.since(now).max(SOON_MS)).await?;
        }
        if let Some(at) = self.memory.hooks_at.get() {
            self.ring_within(now, Millis(at).since(now).max(SOON_MS))
                .await?;
        }
        let (expiry, borrowed) =
            self.with_book(|book| (book.next_expiry(), book.has_borrowed()))?;
        if borrowed {
            self.ring_within(now, TELL_MS).await?;
        }
        match expiry {
            Some(at) => self.ring_within(now, at.since(now).saturating_add(1)).await,
            None => Ok(()),
        }
    }
}
