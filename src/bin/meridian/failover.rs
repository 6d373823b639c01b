//! How endpoints fare, and drills: an endpoint treated as failing for a while.

use super::api::Gateway;
use clap::{Args, Subcommand};
use meridian::admin::drill::Kind;
use meridian::config::timeouts::Span;
use serde_json::{json, Value};

/// How endpoints fare.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    gateway: Gateway,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Every endpoint and model, not only those of which something is known.
    #[arg(long)]
    all: bool,
}

/// Drills.
#[derive(Debug, Subcommand)]
pub enum Drill {
    /// Treats an endpoint as failing, until the drill is ended or its time is
    /// up.
    Block(Block),
    /// Ends a drill.
    End {
        /// The endpoint.
        endpoint: String,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// The drills that go on.
    List {
        #[command(flatten)]
        gateway: Gateway,
    },
}

/// What a drill is.
#[derive(Debug, Args)]
pub struct Block {
    /// The endpoint, as the region map names it.
    endpoint: String,
    /// For how long: 90s, 10m, 1h.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    time: Span,
    /// How it fails.
    #[arg(long = "as", value_name = "HOW", default_value = "529", value_parser = Kind::ALL.map(Kind::as_str))]
    kind: String,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    why: String,
    /// It is meant, in production too.
    #[arg(long)]
    production: bool,
    #[command(flatten)]
    gateway: Gateway,
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "say a number and its unit: 90s, 10m, 1h".to_owned())
}

/// `meridian drill`.
pub fn drill(command: Drill) -> Result<(), String> {
    match command {
        Drill::Block(block) => {
            let wish = json!({
                "endpoint": block.endpoint,
                "kind": block.kind,
                "seconds": block.time.0 / 1_000,
                "why": block.why,
                "production": block.production,
            });
            let reply = block.gateway.post("drills", &wish)?;
            println!("{}", text(&reply, "/banner"));
            println!(
                "Every edge goes by it within a minute. End it early: meridian drill end {}",
                block.endpoint
            );
        }
        Drill::End { endpoint, gateway } => {
            gateway.post("drills/end", &json!({"endpoint": endpoint}))?;
            println!("The drill at {endpoint} is over; every edge has it within a minute.");
        }
        Drill::List { gateway } => {
            let reply = gateway.get("drills")?;
            match reply.get("banner").and_then(Value::as_str) {
                Some(banner) => println!("{banner}"),
                None => println!("No drill goes on."),
            }
        }
    }
    Ok(())
}

/// `meridian status`.
pub fn status(options: &Status) -> Result<(), String> {
    let reply = options.gateway.get("health")?;
    if options.json {
        let pretty = serde_json::to_string_pretty(&reply).map_err(|e| e.to_string())?;
        println!("{pretty}");
        return Ok(());
    }
    if let Some(banner) = reply.get("banner").and_then(Value::as_str) {
        println!("! {banner}\n");
    }
    let empty = Vec::new();
    let all = reply
        .get("endpoints")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    let known = |one: &&Value| options.all || one.get("recent_calls").is_some();
    let shown: Vec<&Value> = all.iter().filter(known).collect();
    println!(
        "{:<26} {:<20} {:<10} {:<22} {:>8} {:>14}  last failure",
        "endpoint", "model", "state", "until", "failed", "begins p50/p95"
    );
    for one in &shown {
        println!("{}", line(one));
    }
    let rest = all.len() - shown.len();
    if rest > 0 {
        println!("{rest} more were not asked lately and count as well (--all shows them).");
    }
    for store in reply
        .get("stores_not_read")
        .and_then(Value::as_array)
        .unwrap_or(&empty)
    {
        println!("! {store} did not answer: the reports stored there are missing.");
    }
    Ok(())
}

fn line(one: &Value) -> String {
    let number = |path: &str| one.pointer(path).and_then(Value::as_u64);
    let failed = match (number("/recent_failures"), number("/recent_calls")) {
        (Some(failed), Some(calls)) => format!("{failed}/{calls}"),
        _ => String::new(),
    };
    let begins = match (number("/begins_ms/p50"), number("/begins_ms/p95")) {
        (Some(p50), Some(p95)) => format!("{p50}/{p95} ms"),
        _ => String::new(),
    };
    let last = match text(one, "/last_failure/why").as_str() {
        "" => String::new(),
        why => format!("{why} at {}", text(one, "/last_failure/at")),
    };
    let line = format!(
        "{:<26} {:<20} {:<10} {:<22} {failed:>8} {begins:>14}  {last}",
        text(one, "/endpoint"),
        text(one, "/model"),
        text(one, "/state"),
        text(one, "/until"),
    );
    line.trim_end().to_owned()
}

fn text(one: &Value, path: &str) -> String {
    let found = one.pointer(path).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}
