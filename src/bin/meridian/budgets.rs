//! Limits: how they stand, and setting them while the gateway runs.

use super::api::Gateway;
use clap::{Args, Subcommand};
use meridian::admin::budget::Wish;
use meridian::config::limits::Per;
use serde_json::{json, Value};

/// Limits.
#[derive(Debug, Subcommand)]
pub enum Budgets {
    /// How much of each limit is spent.
    List {
        /// One team only.
        #[arg(long)]
        team: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Sets a limit; it is in force everywhere within a minute.
    Set(Box<Set>),
    /// Releases what is held for calls whose cost is unknown: its
    /// budgets can be spent again. If providers bill those calls after all, as much
    /// more than the budget can be billed.
    Release {
        /// The team.
        #[arg(long)]
        team: String,
        /// Only what is held for calls under this limit.
        #[arg(long)]
        limit: Option<String>,
        /// Why, for the audit log.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Removes a limit that was set.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        gateway: Gateway,
    },
}

/// A limit: the words of `gateway.toml`. `*` stands for an account of each
/// one's own.
#[derive(Debug, Args)]
pub struct Set {
    /// Its name; one that there is already is replaced.
    name: String,
    /// The team it is about.
    #[arg(long)]
    team: Option<String>,
    /// The key, by its id.
    #[arg(long)]
    key: Option<String>,
    /// The feature.
    #[arg(long)]
    feature: Option<String>,
    /// The environment calls are tagged with.
    #[arg(long)]
    environment: Option<String>,
    /// The model, by its own name.
    #[arg(long)]
    model: Option<String>,
    /// Dollars that may be spent.
    #[arg(long, value_name = "DOLLARS", requires = "per")]
    budget: Option<String>,
    /// In which time.
    #[arg(long, value_parser = ["day", "week", "month", "ever"])]
    per: Option<String>,
    /// Calls a minute.
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Tokens a minute.
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u32>,
    /// Calls at once.
    #[arg(long, value_name = "N")]
    concurrent: Option<u32>,
    /// The model that answers instead once the budget is spent.
    #[arg(long, value_name = "MODEL")]
    downgrade: Option<String>,
    /// The webhook that is called at 50, 80 and 100 %.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    why: String,
    #[command(flatten)]
    gateway: Gateway,
}

/// `meridian budget`.
pub fn run(command: Budgets) -> Result<(), String> {
    match command {
        Budgets::List {
            team,
            json,
            gateway,
        } => {
            let team = team.as_deref().map(|team| ("team", team));
            let reply = gateway.ask("budgets", team.as_slice())?;
            match json {
                true => println!(
                    "{}",
                    serde_json::to_string_pretty(&reply).map_err(|e| e.to_string())?
                ),
                false => print!("{}{}", unread(&reply), table(&reply)),
            }
        }
        Budgets::Set(set) => {
            let wish = wish(&set)?;
            let body = serde_json::to_value(wish).map_err(|e| e.to_string())?;
            set.gateway.post("budgets", &body)?;
            println!(
                "The limit {} is in force; everywhere within a minute.",
                set.name
            );
        }
        Budgets::Release {
            team,
            limit,
            why,
            gateway,
        } => {
            let body = json!({"team": team, "limit": limit, "why": why});
            let reply = gateway.post("budgets/release", &body)?;
            print!("{}", released(&reply));
        }
        Budgets::Remove { name, gateway } => {
            gateway.post("budgets/remove", &json!({"name": name}))?;
            println!("The limit {name} is removed; everywhere within a minute.");
        }
    }
    Ok(())
}

fn wish(set: &Set) -> Result<Wish, String> {
    let per = set
        .per
        .as_ref()
        .map(|per| serde_json::from_value::<Per>(json!(per)));
    Ok(Wish {
        name: set.name.clone(),
        team: set.team.clone(),
        key: set.key.clone(),
        feature: set.feature.clone(),
        environment: set.environment.clone(),
        model: set.model.clone(),
        budget: set.budget.clone(),
        per: per.transpose().map_err(|e| e.to_string())?,
        requests_per_minute: set.requests_per_minute,
        tokens_per_minute: set.tokens_per_minute,
        concurrent: set.concurrent,
        downgrade: set.downgrade.clone(),
        webhook: set.webhook.clone(),
        why: set.why.clone(),
    })
}

/// What of the limits that were set cannot be read, and so refuses calls.
fn unread(reply: &Value) -> String {
    let all = reply.get("unread").and_then(Value::as_array);
    let reply = all.into_iter().flatten();
    let reply = reply.filter_map(|one| one.get("told").and_then(Value::as_str));
    reply.map(|reply| format!("! {reply}\n")).collect()
}

fn released(reply: &Value) -> String {
    let of = |name: &str| reply.get(name).cloned().unwrap_or_default();
    let money = of("released");
    match (of("released_nano").as_i64(), of("released_calls").as_i64()) {
        (Some(0), Some(0)) => "Nothing was held.\n".to_owned(),
        _ => format!(
            "Released: at most {} for {} calls. If providers bill them after all, budgets can be exceeded by as much.\n",
            money.as_str().unwrap_or_default(),
            of("released_calls")
        ),
    }
}

fn table(reply: &Value) -> String {
    let empty = Vec::new();
    let accounts = reply
        .get("accounts")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    if accounts.is_empty() {
        return "No call has come under a limit yet.\n".to_owned();
    }
    let mut lines =
        vec![["limit", "for", "spent", "%", "reserved", "held", "resets"].map(str::to_owned)];
    for account in accounts {
        let text = |name: &str| {
            account
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        let number = |name: &str| {
            account
                .get(name)
                .and_then(Value::as_i64)
                .unwrap_or_default()
        };
        let whom = match text("whom") {
            whom if whom.is_empty() => "all".to_owned(),
            whom => whom,
        };
        let amount = |name: &str| match text("measure").as_str() {
            "budget" => meridian::units::NanoUsd(number(name)).rounded(),
            _ => number(name).to_string(),
        };
        let resets = match text("resets") {
            never if never.is_empty() => "-".to_owned(),
            resets => resets,
        };
        lines.push([
            text("limit"),
            whom,
            text("told"),
            number("percent").to_string(),
            amount("reserved"),
            amount("held"),
            resets,
        ]);
    }
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let cells: Vec<String> = cells.collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out.push_str(&held(accounts));
    out
}

/// What is held of budgets, one line each.
fn held(accounts: &[Value]) -> String {
    let lines = accounts.iter().filter_map(|account| {
        let number = |name: &str| account.get(name).and_then(Value::as_i64);
        let is_budget = account.get("measure").and_then(Value::as_str) == Some("budget");
        let money = number("held").filter(|held| *held > 0 && is_budget)?;
        Some(format!(
            "! {} held: at most {} for {} calls, not in what is spent; `meridian budget release` releases it\n",
            account.get("limit").and_then(Value::as_str).unwrap_or_default(),
            meridian::units::NanoUsd(money),
            number("held_calls").unwrap_or_default()
        ))
    });
    lines.collect()
}
