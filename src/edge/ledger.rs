//! The Durable Object that keeps what may not be lost. Today these are usage
//! rows that a database did not take: it holds them in its own storage and
//! tries again until they are written.

use super::{settings, usage};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use worker::{durable_object, wasm_bindgen, DurableObject, Env, Method, Request, RequestInit};
use worker::{Response, Result, State};

/// The Durable Object binding.
const BINDING: &str = "LEDGER";
const RETRY_EVERY: Duration = Duration::from_secs(15);
const ROWS_A_TRY: usize = 50;

/// Rows for one database, as the ledger is handed them.
#[derive(Serialize, Deserialize)]
struct Batch {
    store: String,
    rows: String,
}

/// The ledger of one database's jurisdiction.
#[durable_object]
pub struct Ledger {
    state: State,
    env: Env,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Ledger { state, env }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let batch: Batch = request.json().await?;
        let sql = self.state.storage().sql();
        sql.exec(CREATE, None)?;
        sql.exec(
            "INSERT INTO kept (store, rows) VALUES (?, ?)",
            vec![batch.store.into(), batch.rows.into()],
        )?;
        self.state.storage().set_alarm(RETRY_EVERY).await?;
        Response::ok("kept")
    }

    async fn alarm(&self) -> Result<Response> {
        let sql = self.state.storage().sql();
        sql.exec(CREATE, None)?;
        let cursor = sql.exec(
            &format!("SELECT id, store, rows FROM kept ORDER BY id LIMIT {ROWS_A_TRY}"),
            None,
        )?;
        for kept in cursor.to_array::<Kept>()? {
            // One that fails stays, and so does the alarm.
            if usage::insert(&self.env, &kept.store, &kept.rows)
                .await
                .is_ok()
            {
                sql.exec("DELETE FROM kept WHERE id = ?", vec![kept.id.into()])?;
            }
        }
        let left = sql
            .exec("SELECT count(*) AS rows FROM kept", None)?
            .one::<Left>()?;
        if left.rows > 0 {
            self.state.storage().set_alarm(RETRY_EVERY).await?;
        }
        Response::ok("")
    }
}

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, store TEXT, rows TEXT)";

#[derive(Deserialize)]
struct Kept {
    id: i64,
    store: String,
    rows: String,
}

#[derive(Deserialize)]
struct Left {
    rows: i64,
}

/// Hands rows to the ledger of their database's jurisdiction. If even that
/// fails, they go to the log: they hold nothing that may not stand there.
pub async fn keep(env: &Env, store: &str, rows: &str) {
    if let Err(error) = hand_over(env, store, rows).await {
        worker::console_error!("usage rows not stored ({error}), store {store}: {rows}");
    }
}

async fn hand_over(env: &Env, store: &str, rows: &str) -> Result<()> {
    let batch = Batch {
        store: store.to_owned(),
        rows: rows.to_owned(),
    };
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(JsValue::from_str(&serde_json::to_string(&batch)?)));
    let request = Request::new_with_init("https://ledger/", &init)?;
    let namespace = namespace(env, store)?;
    let stub = namespace.id_from_name(store)?.get_stub()?;
    let response = stub.fetch_with_request(request).await?;
    match response.status_code() {
        200 => Ok(()),
        status => Err(worker::Error::RustError(format!(
            "the ledger answered {status}"
        ))),
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
