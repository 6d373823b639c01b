//! The names under which the gateway itself is given secrets, settings and
//! stores. `edge/` and the command line take them from here, so that no
//! endpoint can have one of them for its secret.

/// The store of keys, published maps, and limits.
pub const KEYS: &str = "KEYS";
/// The ledger's objects.
pub const LEDGER: &str = "LEDGER";
/// The database of published maps and the audit log.
pub const AUDIT: &str = "AUDIT";
/// The keys that receipts are signed with.
pub const RECEIPT_KEYS: &str = "RECEIPT_KEYS";
/// Where this is: drills want to be asked twice in production.
pub const ENVIRONMENT: &str = "ENVIRONMENT";
/// The team's domain at Cloudflare Access.
pub const ACCESS_TEAM: &str = "ACCESS_TEAM";
/// The application's tag at Cloudflare Access.
pub const ACCESS_AUDIENCE: &str = "ACCESS_AUDIENCE";

/// All of them.
pub const OWN: [&str; 7] = [
    KEYS,
    LEDGER,
    AUDIT,
    RECEIPT_KEYS,
    ENVIRONMENT,
    ACCESS_TEAM,
    ACCESS_AUDIENCE,
];

/// Whether a name is one of the gateway's own; those of databases stand in the
/// map.
pub fn is_own(name: &str) -> bool {
    OWN.contains(&name)
}

/// Whether a name is one of a secret: capital letters, digits and `_`.
pub fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// Whatever `edge/` reads from its bindings by a name that is written out.
    fn read_in(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read_in(&path, found);
                continue;
            }
            found.extend(read_by(&fs::read_to_string(&path).unwrap()));
        }
    }

    fn read_by(text: &str) -> Vec<String> {
        let calls = ["var(\"", "secret(\"", "kv(\"", "d1(\"", "durable_object(\""];
        let after = calls.iter().flat_map(|call| text.split(call).skip(1));
        let called = after.filter_map(|rest| Some(rest.split_once('"')?.0));
        // A name that is made a constant there instead of here.
        let constants = text
            .lines()
            .filter(|line| line.contains("const ") && line.contains(": &str = \""));
        let named = constants.filter_map(|line| line.split('"').nth(1));
        let named = named.filter(|name| is_name(name) && name.contains('_'));
        called.chain(named).map(str::to_owned).collect()
    }

    #[test]
    fn guard_every_name_the_edge_reads_is_in_the_list() {
        let edge = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edge");
        let mut found = Vec::new();
        read_in(&edge, &mut found);
        let text = "env.var(\"A\")\nconst TOKEN: &str = \"B_C\";";
        assert_eq!(read_by(text), ["A", "B_C"]);
        // And those it reads by their constants here.
        let here = include_str!("bindings.rs").lines();
        let here = here.filter(|line| line.starts_with("pub const ") && line.contains(": &str = "));
        let named: Vec<String> = here
            .filter_map(|line| Some(line.split('"').nth(1)?.to_owned()))
            .collect();
        assert!(named.len() >= 7, "{named:?}");
        found.extend(named);
        for name in found {
            assert!(is_own(&name), "{name} is not in regions/bindings.rs");
        }
    }

    #[test]
    fn the_gateways_own_names_are_told_from_endpoints() {
        for own in OWN {
            assert!(is_own(own) && is_name(own), "{own}");
        }
        for other in ["OPENAI_EU_KEY", "RECEIPT_KEYS_2", "KEYS_", "ACCESS"] {
            assert!(!is_own(other), "{other}");
        }
        for bad in ["", "receipt_keys", "RECEIPT_KEYS ", "A-B", "constructor"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
