//! The admin API of a running gateway.

use super::wrangler;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// Which gateway, and who asks.
#[derive(Debug, Clone, Args)]
pub struct Gateway {
    /// The gateway's URL [or the variable MERIDIAN_URL].
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The environment of wrangler.toml whose route is the gateway's URL.
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    env: Option<String>,
    /// An admin key; better in the variable MERIDIAN_ADMIN_KEY, where the shell
    /// does not remember it.
    #[arg(long, value_name = "KEY")]
    admin_key: Option<String>,
}

const PATIENCE: Duration = Duration::from_secs(60);
/// Large enough for the largest page.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

impl Gateway {
    fn base(&self) -> Result<String, String> {
        let url = match &self.env {
            Some(env) => Some(wrangler::url_of(env)?),
            None => self
                .url
                .clone()
                .or_else(|| std::env::var("MERIDIAN_URL").ok()),
        };
        let url = url.ok_or(
            "say which gateway: --url https://…, --env staging, or the variable MERIDIAN_URL",
        )?;
        let local = url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost");
        match url.starts_with("https://") || local {
            true => Ok(url.trim_end_matches('/').to_owned()),
            false => Err(format!("{url}: a key is sent by https only")),
        }
    }

    fn key(&self) -> Result<String, String> {
        let key = self
            .admin_key
            .clone()
            .or_else(|| std::env::var("MERIDIAN_ADMIN_KEY").ok());
        key.ok_or_else(|| "who are you? Set MERIDIAN_ADMIN_KEY; an operator makes a key with `meridian admins add`".to_owned())
    }

    /// Asks for something.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        self.ask(path, &[])
    }

    /// Asks for something with parameters, whatever is in their values.
    pub fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let url = format!("{}/admin/v1/{path}", self.base()?);
        let request = agent()
            .get(&url)
            .query_pairs(query.iter().copied())
            .header("authorization", format!("Bearer {}", self.key()?));
        answer(&url, request.call())
    }

    /// Does something.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}/admin/v1/{path}", self.base()?);
        let request = agent()
            .post(&url)
            .header("authorization", format!("Bearer {}", self.key()?))
            .header("content-type", "application/json");
        answer(&url, request.send(body.to_string()))
    }

    /// The public keys that receipts are signed with.
    pub fn receipt_keys(&self) -> Result<String, String> {
        let url = format!("{}/.well-known/jwks.json", self.base()?);
        answer(&url, agent().get(&url).call()).map(|keys| keys.to_string())
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .build();
    config.into()
}

type Answered = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn answer(url: &str, answered: Answered) -> Result<Value, String> {
    let mut response = answered.map_err(|e| format!("{url} did not answer: {e}"))?;
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(LARGEST_ANSWER)
        .read_to_string()
        .map_err(|e| format!("{url}: the answer broke off: {e}"))?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    match (
        status,
        body.pointer("/error/message").and_then(Value::as_str),
    ) {
        (200 | 202, _) if !body.is_null() => Ok(body),
        (_, Some(message)) => Err(message.to_owned()),
        _ => Err(format!(
            "{url} answered with status {status} and no explanation: is this a Meridian gateway?"
        )),
    }
}
