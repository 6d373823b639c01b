//! `meridian admins`: who may use the admin API; and `meridian receipts`: the
//! keys that receipts are signed with.

use super::project::{now, random_bytes, random_text};
use super::store::Place;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use clap::{Subcommand, ValueEnum};
use ed25519_dalek::SigningKey;
use meridian::admin::{AdminRecord, Role, KEY_PREFIX};
use meridian::answer::receipt::{Key, Keys};
use std::fs;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Admins {
    /// Gives somebody roles, with an admin key or through Cloudflare Access.
    Add {
        /// Their mail address. One person has one: nobody approves their own
        /// draft, whichever way they come.
        #[arg(long)]
        who: String,
        /// What they may do; again for more.
        #[arg(long = "role", required = true)]
        roles: Vec<RoleName>,
        /// Through Cloudflare Access, without a key.
        #[arg(long)]
        access: bool,
        /// Print the key alone, for scripts.
        #[arg(long)]
        quiet: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Lists them.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Takes somebody's keys and roles away.
    Remove {
        /// Their mail address, or the id of one key.
        who: String,
        #[command(flatten)]
        place: Place,
    },
}

/// A role, as it is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// Reads everything.
    Viewer,
    /// Proposes and approves maps.
    Compliance,
    /// Rolls back, proposes.
    Operator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Role {
        match name {
            RoleName::Viewer => Role::Viewer,
            RoleName::Compliance => Role::Compliance,
            RoleName::Operator => Role::Operator,
        }
    }
}

/// Runs one of them.
pub fn run(command: Admins) -> Result<(), String> {
    match command {
        Admins::Add {
            who,
            roles,
            access,
            quiet,
            place,
        } => add(&who, &roles, access, quiet, &place),
        Admins::List { place } => list(&place),
        Admins::Remove { who, place } => remove(&who, &place),
    }
}

fn add(
    who: &str,
    roles: &[RoleName],
    access: bool,
    quiet: bool,
    place: &Place,
) -> Result<(), String> {
    if !who.contains('@') {
        return Err(format!("`{who}` is no mail address"));
    }
    let id = if access {
        String::new()
    } else {
        random_text(10)?
    };
    let key = format!("{KEY_PREFIX}{id}_{}", random_text(40)?);
    let record = AdminRecord {
        id,
        who: who.trim().to_lowercase(),
        roles: roles.iter().map(|role| Role::from(*role)).collect(),
        created: now(),
        revoked: None,
    };
    let name = match access {
        true => AdminRecord::name_of_person(who),
        false => AdminRecord::name_of_key(&key),
    };
    place.put_json(&name, &record)?;
    match (access, quiet) {
        (true, true) => {}
        (true, false) => println!("{who} may come through Cloudflare Access now."),
        (false, true) => println!("{key}"),
        (false, false) => println!(
            "{key}\n\nThis is the admin key of {who}. It is shown this once and stored nowhere."
        ),
    }
    Ok(())
}

fn list(place: &Place) -> Result<(), String> {
    for (name, record) in place.list_json::<AdminRecord>("admin:")? {
        let roles: Vec<&str> = record.roles.iter().map(|role| role.as_str()).collect();
        let how = if name.starts_with("admin:person:") {
            "access".to_owned()
        } else {
            format!("key {}", record.id)
        };
        let state = record
            .revoked
            .map_or(String::new(), |at| format!("  REMOVED {at}"));
        println!(
            "{}  {how}  {}  since {}{state}",
            record.who,
            roles.join(", "),
            record.created
        );
    }
    Ok(())
}

fn remove(who: &str, place: &Place) -> Result<(), String> {
    let asked = who.trim().to_lowercase();
    let mut removed = 0;
    for (name, mut record) in place.list_json::<AdminRecord>("admin:")? {
        if (record.who == asked || record.id == who) && record.revoked.is_none() {
            record.revoked = Some(now());
            place.put_json(&name, &record)?;
            removed += 1;
        }
    }
    match removed {
        0 => Err(format!(
            "nobody is known as {who}; `meridian admins list` shows all"
        )),
        count => {
            println!("{count} removed; they stop working within a minute.");
            Ok(())
        }
    }
}

/// The keys of receipts.
#[derive(Debug, Subcommand)]
pub enum Receipts {
    /// Makes a signing key and prints what the Worker secret RECEIPT_KEYS is to
    /// be. Keep it: it is stored nowhere.
    Keygen {
        /// The gateway's present public keys (a file of its
        /// /.well-known/jwks.json): they stay published, so that the receipts
        /// signed with them can still be checked.
        #[arg(long, value_name = "FILE")]
        keep: Option<String>,
    },
}

/// `meridian receipts`.
pub fn receipts(command: Receipts) -> Result<(), String> {
    let Receipts::Keygen { keep } = command;
    let seed = <[u8; 32]>::try_from(random_bytes(32)?).map_err(|_| "no randomness")?;
    let signing = SigningKey::from_bytes(&seed);
    let mut keys = Keys {
        keys: vec![Key {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            kid: format!(
                "{}-{}",
                now().chars().take(10).collect::<String>(),
                random_text(6)?
            ),
            x: URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes()),
            d: Some(URL_SAFE_NO_PAD.encode(seed)),
        }],
    };
    if let Some(file) = keep {
        let text = fs::read_to_string(&file).map_err(|e| format!("cannot read {file}: {e}"))?;
        let earlier: Keys =
            serde_json::from_str(&text).map_err(|e| format!("{file} holds no keys: {e}"))?;
        keys.keys
            .extend(earlier.keys.into_iter().map(|key| Key { d: None, ..key }));
    }
    println!(
        "{}",
        serde_json::to_string(&keys).map_err(|e| e.to_string())?
    );
    Ok(())
}
