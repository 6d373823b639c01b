//! What an auditor asks for: the audit log, where requests went, and whether a
//! receipt is genuine.

use super::api::Gateway;
use super::project;
use super::retention;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use clap::{Args, Subcommand, ValueEnum};
use ed25519_dalek::{Signature, VerifyingKey};
use meridian::admin::audit::{Chain, Entry};
use meridian::answer::receipt::{Keys, Receipt};
use meridian::regions::shown;
use meridian::report::transfers::{Page, Report};
use std::time::UNIX_EPOCH;

/// The audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Prints it.
    Log {
        #[command(flatten)]
        gateway: Gateway,
        /// Print JSON, one entry a line.
        #[arg(long)]
        json: bool,
    },
    /// Checks that nothing in it was altered, left out or slipped in.
    Verify {
        #[command(flatten)]
        gateway: Gateway,
        /// The `entry:hash` an earlier check ended with: it must still be there.
        #[arg(long, value_name = "SEQ:HASH")]
        known: Option<String>,
    },
}

/// `meridian audit`.
pub fn audit(command: Audit) -> Result<(), String> {
    match command {
        Audit::Log { gateway, json } => entries(&gateway, |entry| {
            match json {
                true => println!(
                    "{}",
                    serde_json::to_string(entry).map_err(|e| e.to_string())?
                ),
                false => println!(
                    "{:>4}  {}  {} {} map {}  {} ({}): {}",
                    entry.seq,
                    entry.at.rfc3339(),
                    entry.action.as_str(),
                    entry.subject,
                    shown(&entry.version),
                    entry.who,
                    entry.via,
                    entry.why
                ),
            }
            Ok(())
        }),
        Audit::Verify { gateway, known } => verify_log(&gateway, known.as_deref()),
    }
}

fn entries(
    gateway: &Gateway,
    mut each: impl FnMut(&Entry) -> Result<(), String>,
) -> Result<(), String> {
    let mut after = 0;
    loop {
        let reply = gateway.get(&format!("audit?after={after}"))?;
        let page: Vec<Entry> =
            serde_json::from_value(reply.get("entries").cloned().unwrap_or_default())
                .map_err(|e| format!("the audit log cannot be read: {e}"))?;
        page.iter().try_for_each(&mut each)?;
        match reply.get("next").and_then(serde_json::Value::as_u64) {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

fn verify_log(gateway: &Gateway, known: Option<&str>) -> Result<(), String> {
    let mut chain = Chain::default();
    let mut found = known.is_none();
    entries(gateway, |entry| {
        chain
            .take(entry)
            .map_err(|broken| format!("the audit log is broken: {broken}"))?;
        found |= known == Some(format!("{}:{}", entry.seq, entry.hash).as_str());
        Ok(())
    })?;
    let (count, hash) = chain.head();
    if !found {
        return Err(format!("the chain holds together, but {} is not in it: its end was cut off or it was written anew", known.unwrap_or_default()));
    }
    println!("✓ {count} entries, each follows from the one before. Keep this, and check it next time with --known:\n{count}:{hash}");
    Ok(())
}

/// Where requests went.
#[derive(Debug, Subcommand)]
pub enum Reports {
    /// Caller's country × place of processing × endpoint × team.
    Transfers {
        /// The first day, `2026-05-01`, in UTC.
        #[arg(long)]
        from: String,
        /// The last day, which is counted too.
        #[arg(long)]
        to: String,
        /// One zone only.
        #[arg(long)]
        zone: Option<String>,
        /// How to write it.
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        #[command(flatten)]
        gateway: Gateway,
    },
}

/// A format of reports.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// A table in Markdown.
    Markdown,
}

/// `meridian report`.
pub fn report(command: Reports) -> Result<(), String> {
    let Reports::Transfers {
        from,
        to,
        zone,
        format,
        gateway,
    } = command;
    let (from, until) = (day(&from)?, day(&to)? + 86_400_000);
    if from >= until {
        return Err("--from is after --to".to_owned());
    }
    let zone = zone.map_or(String::new(), |zone| format!("&zone={zone}"));
    let mut report = Report::default();
    let mut after = String::new();
    loop {
        let page = gateway.get(&format!("transfers?from={from}&until={until}{zone}{after}"))?;
        let page: Page =
            serde_json::from_value(page).map_err(|e| format!("the report cannot be read: {e}"))?;
        page.groups.into_iter().for_each(|group| report.take(group));
        match page.next {
            Some(next) => after = format!("&cursor={next}"),
            None => break,
        }
    }
    match format {
        Format::Csv => print!("{}", report.csv(&project::time)),
        Format::Markdown => print!("{}", report.markdown(&project::time)),
    }
    retention::warn_of_deleted(&gateway, &project::time(from));
    Ok(())
}

/// The beginning of a day, milliseconds since 1970.
fn day(written: &str) -> Result<u64, String> {
    let wrong = |_| format!("`{written}` is no day; write it as 2026-05-01");
    let at = humantime::parse_rfc3339(&format!("{written}T00:00:00Z")).map_err(wrong)?;
    let since = at
        .duration_since(UNIX_EPOCH)
        .map_err(|_| format!("`{written}` is too early"))?;
    u64::try_from(since.as_millis()).map_err(|_| format!("`{written}` is too late"))
}

/// A receipt to check.
#[derive(Debug, Args)]
pub struct Verify {
    /// The receipt, from the header `meridian-receipt` or a usage row.
    receipt: String,
    /// The public keys as a file, instead of the gateway's own.
    #[arg(long, value_name = "FILE")]
    jwks: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: Gateway,
}

/// `meridian verify`.
pub fn verify(options: &Verify) -> Result<(), String> {
    let keys = match &options.jwks {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}"))?
        }
        None => options.gateway.receipt_keys()?,
    };
    let keys: Keys = serde_json::from_str(&keys).map_err(|e| format!("these are no keys: {e}"))?;
    let signed = Receipt::read(&options.receipt)
        .ok_or("this is no receipt: it should be three parts with dots between them")?;
    let key = keys
        .keys
        .iter()
        .find(|key| key.kid == signed.key_id && key.kty == "OKP" && key.crv == "Ed25519");
    let key = key.ok_or_else(|| {
        format!(
            "NOT GENUINE, or of another gateway: no key is called {}",
            signed.key_id
        )
    })?;
    let public = URL_SAFE_NO_PAD
        .decode(&key.x)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let public = public
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .ok_or("the public key cannot be read")?;
    let signature = Signature::from_slice(&signed.signature)
        .map_err(|_| "NOT GENUINE: the signature is none")?;
    public
        .verify_strict(signed.signed.as_bytes(), &signature)
        .map_err(|_| "NOT GENUINE: the signature does not fit what the receipt says")?;
    let receipt = &signed.receipt;
    if options.json {
        println!(
            "{}",
            serde_json::to_string_pretty(receipt).map_err(|e| e.to_string())?
        );
        return Ok(());
    }
    println!("✓ genuine, signed with key {}", signed.key_id);
    println!(
        "request   {} at {}",
        receipt.jti,
        project::time(receipt.iat * 1000)
    );
    println!(
        "caller    country {}, gateway in {}",
        named(&receipt.country),
        named(&receipt.colo)
    );
    println!(
        "zone      {} by map {}: {}",
        named(&receipt.zone),
        named(&receipt.map),
        named(&receipt.zone_reason)
    );
    for contact in &receipt.attempts {
        println!(
            "sent to   {} ({}) in {}, {}",
            contact.endpoint, contact.host, contact.hosting, contact.guarantee
        );
    }
    if receipt.attempts.is_empty() {
        println!("sent to   no provider");
    }
    let error = receipt
        .error
        .as_ref()
        .map_or(String::new(), |error| format!(", {error}"));
    println!(
        "outcome   {} with status {}{error}",
        receipt.outcome, receipt.status
    );
    Ok(())
}

fn named(text: &str) -> &str {
    match text {
        "" => "none",
        text => text,
    }
}
