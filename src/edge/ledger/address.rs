//! Which object keeps what, and how it is reached. An object lives in the
//! jurisdiction of its store; what crosses from one to another is sums, and the
//! names they are kept under.

use super::super::{host, settings};
use crate::config::limits::Authority;
use crate::config::Config;
use crate::ledger::{Held, Message, Reply, Spread, Standing};
use crate::regions::bindings::LEDGER as BINDING;
use crate::upstream::health::Notice;
use futures::future::{select, Either};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use worker::{wasm_bindgen, Delay, Env, Method, Request, RequestInit, Result};

/// How long an object may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// A team's, for its rows of one store.
    Team {
        /// The team.
        team: String,
        /// The store.
        store: String,
        /// Which of several, where one would have too much to do.
        #[serde(default, skip_serializing_if = "is_only")]
        shard: u16,
    },
    /// The company's.
    Company,
}

fn is_only(shard: &u16) -> bool {
    *shard == 0
}

/// What an object is told and asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Letter {
    /// To whom.
    pub to: Address,
    /// From a purse or another book.
    pub message: Message,
    /// Rows of calls that are over, as a JSON list: they are stored as they come.
    #[serde(default)]
    pub rows: Option<Box<RawValue>>,
    /// How endpoints fare.
    #[serde(default)]
    pub news: Vec<Notice>,
    /// Up to when the sender has heard how endpoints fare.
    #[serde(default)]
    pub heard: u64,
    /// The accounts are wanted, for people.
    #[serde(default)]
    pub look: bool,
    /// What is held for lost calls is to be released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
}

/// What an operator releases.
#[derive(Debug, Serialize, Deserialize)]
pub struct Release {
    /// Only what is held for calls under this limit.
    #[serde(default)]
    pub limit: Option<String>,
}

/// What an object answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// To the message.
    pub reply: Reply,
    /// What others say of endpoints, and when it was told.
    #[serde(default)]
    pub notices: Vec<(u64, Notice)>,
    /// The accounts.
    #[serde(default)]
    pub accounts: Vec<Standing>,
    /// How many letters it gets in a second.
    #[serde(default)]
    pub load: u32,
    /// Objects that have borrowed from it and hold something, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holding: Vec<String>,
    /// What was released.
    #[serde(default)]
    pub released: Held,
}

impl Letter {
    /// One with a message alone.
    pub fn new(to: Address, message: Message) -> Letter {
        Letter {
            to,
            message,
            rows: None,
            news: Vec::new(),
            heard: 0,
            look: false,
            release: None,
        }
    }
}

/// Where accounts are kept that are about callers of any zone: the store of
/// those of whom nothing is known.
fn home(config: Option<&Config>) -> &str {
    let zone = config.and_then(|config| config.regions.default_zone());
    zone.map_or("", |zone| zone.usage_store.as_str())
}

impl Address {
    /// Where an authority is.
    pub fn of(authority: &Authority, config: Option<&Config>) -> Address {
        match authority {
            Authority::Team(team) => Address::Team {
                team: team.clone(),
                store: home(config).to_owned(),
                shard: 0,
            },
            Authority::Company => Address::Company,
        }
    }

    /// What it is the authority for.
    pub fn is(&self) -> Vec<Authority> {
        let config = settings::config().ok();
        match self {
            Address::Company => vec![Authority::Company],
            Address::Team {
                team,
                store,
                shard: 0,
            } if store == home(config) => vec![Authority::Team(team.clone())],
            Address::Team { .. } => Vec::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Address::Team { shard: 0, .. } => self.unsharded(),
            Address::Team { shard, .. } => format!("shard {shard} of {}", self.unsharded()),
            Address::Company => "company".to_owned(),
        }
    }

    fn unsharded(&self) -> String {
        match self {
            Address::Team { team, store, .. } => format!("team {store} {team}"),
            Address::Company => "company".to_owned(),
        }
    }

    /// The same with a number of its own, if the name is that of one of its shards.
    pub fn shard_named(&self, name: &str) -> Option<Address> {
        let (nth, of) = name.strip_prefix("shard ")?.split_once(" of ")?;
        let Address::Team { team, store, .. } = self else {
            return None;
        };
        (of == self.unsharded()).then_some(Address::Team {
            team: team.clone(),
            store: store.clone(),
            shard: nth.parse().ok()?,
        })
    }

    /// The team whose calls it is for.
    pub fn team(&self) -> Option<&str> {
        match self {
            Address::Team { team, .. } => Some(team),
            Address::Company => None,
        }
    }

    /// What is left for it in its database goes by this word.
    pub fn mark(&self) -> String {
        match self {
            Address::Team { team, shard: 0, .. } => team.clone(),
            Address::Team { .. } | Address::Company => self.name(),
        }
    }

    /// The store it writes to.
    pub fn store(&self) -> Option<&str> {
        match self {
            Address::Team { store, .. } => Some(store),
            Address::Company => None,
        }
    }
}

thread_local! {
    // What instances that share a team's objects are told apart by.
    static SALT: Cell<u64> = const { Cell::new(0) };
    // How many letters were sent, and how many bytes.
    static SENT: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static SPREADS: RefCell<BTreeMap<(String, String), Spread>> = RefCell::default();
}

/// The object that this instance goes to for a team's calls.
pub fn for_calls(team: &str, store: &str) -> Address {
    if SALT.get() == 0 {
        let mut hasher = DefaultHasher::new();
        host::request_id(host::now()).to_string().hash(&mut hasher);
        SALT.set(hasher.finish() | 1);
    }
    let name = (team.to_owned(), store.to_owned());
    let spread = SPREADS.with_borrow(|spreads| spreads.get(&name).cloned());
    let (team, store) = name;
    Address::Team {
        team,
        store,
        shard: spread.map_or(0, |spread| spread.shard(SALT.get() >> 1)),
    }
}

/// An object has said how much it has to do.
pub fn hear_load(_: &Env, address: &Address, load: u32) {
    let Address::Team { team, store, .. } = address else {
        return;
    };
    let hot = hot();
    SPREADS.with_borrow_mut(|spreads| {
        let name = (team.clone(), store.clone());
        if load <= hot && !spreads.contains_key(&name) {
            return;
        }
        spreads
            .entry(name)
            .or_default()
            .told(host::now(), load, hot);
    });
}

/// From so many requests a second on an object has too much to do.
fn hot() -> u32 {
    let config = settings::config().ok();
    let set = config.and_then(|config| config.gateway.limits.requests_per_object);
    set.unwrap_or(Spread::HOT)
}

/// How many letters this instance has sent, and how many bytes.
pub fn sent() -> (u64, u64) {
    SENT.get()
}

/// Sends a letter and waits for the answer.
pub async fn send(env: &Env, letter: &Letter) -> Result<Answer> {
    send_within(env, letter, PATIENCE).await
}

/// Sends a letter and waits so long for the answer.
pub async fn send_within(env: &Env, letter: &Letter, patience: Duration) -> Result<Answer> {
    let mut init = RequestInit::new();
    let text = serde_json::to_string(letter)?;
    let (letters, bytes) = SENT.get();
    SENT.set((letters + 1, bytes + text.len() as u64));
    let body = JsValue::from_str(&text);
    init.with_method(Method::Post).with_body(Some(body));
    let request = Request::new_with_init("https://ledger/", &init)?;
    let store = letter.to.store();
    let home = home(settings::config().ok());
    let namespace = namespace(env, store.unwrap_or(home))?;
    let stub = namespace.id_from_name(&letter.to.name())?.get_stub()?;
    let asked = pin!(stub.fetch_with_request(request));
    let mut response = match select(asked, pin!(Delay::from(patience))).await {
        Either::Left((response, _)) => response?,
        Either::Right(_) => return Err("the ledger did not answer in time".into()),
    };
    match response.status_code() {
        200 => Ok(serde_json::from_str(&response.text().await?)?),
        status => Err(format!("the ledger answered {status}").into()),
    }
}

/// What workerd says where it runs outside Cloudflare: there are no
/// jurisdictions there, because all its storage is on the one machine.
const NO_JURISDICTIONS: &str = "not implemented in workerd";

/// The namespace, bound to the store's jurisdiction where it has one. `worker`
/// does not wrap that call, so it is made on the JavaScript value.
fn namespace(env: &Env, store: &str) -> Result<worker::ObjectNamespace> {
    let namespace = env.durable_object(BINDING)?;
    let stores = settings::config().map(|config| &config.regions.policy.stores);
    let jurisdiction = stores
        .ok()
        .and_then(|s| s.get(store)?.jurisdiction.as_deref());
    let Some(jurisdiction) = jurisdiction else {
        return Ok(namespace);
    };
    let value: &JsValue = namespace.as_ref();
    let method: js_sys::Function =
        js_sys::Reflect::get(value, &"jurisdiction".into())?.dyn_into()?;
    match method.call1(value, &jurisdiction.into()) {
        Ok(bound) => Ok(bound.unchecked_into()),
        Err(error)
            if worker::Error::from(error.clone())
                .to_string()
                .contains(NO_JURISDICTIONS) =>
        {
            Ok(namespace)
        }
        Err(error) => Err(error.into()),
    }
}
