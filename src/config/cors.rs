//! Pages of other origins that may call from a browser: `[cors]` in `gateway.toml`.
//! Without it a browser lets none read what the gateway answers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// For how long a browser may go by the answer to a preflight, in seconds.
const KNOWN_FOR: u32 = 7_200;
/// How long a browser's list of headers may be.
const LONGEST_LIST: usize = 4_000;

/// What a page may read of a reply's headers.
const EXPOSED: &str =
    "meridian-request-id, meridian-zone, meridian-zone-reason, meridian-served-by, \
     meridian-hosting, meridian-map, meridian-attempts, meridian-receipt, meridian-dropped, \
     meridian-budget, meridian-downgraded, meridian-runaway, request-id, x-request-id, \
     openai-processing-ms, retry-after, retry-after-ms";

/// Who may call from a browser.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cors {
    /// The origins, as browsers write them: `https://app.example.com`.
    #[serde(default)]
    pub origins: BTreeSet<String>,
}

impl Cors {
    /// The headers of a reply to a page of an origin, a line each, if pages of it may
    /// call.
    pub fn reply(&self, origin: &str) -> Option<String> {
        let allowed = self.origins.contains(origin);
        allowed.then(|| {
            format!(
                "access-control-allow-origin: {origin}\nvary: Origin\n\
                 access-control-expose-headers: {EXPOSED}"
            )
        })
    }

    /// The headers of the answer to a preflight, which asks for some headers too.
    pub fn preflight(&self, origin: &str, headers: Option<&str>) -> Option<String> {
        let reply = self.reply(origin)?;
        let is_list = |list: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte);
            list.len() <= LONGEST_LIST && list.bytes().all(plain)
        };
        let headers = headers
            .filter(is_list)
            .unwrap_or("authorization, content-type");
        Some(format!(
            "{reply}\naccess-control-allow-methods: GET, POST\n\
             access-control-allow-headers: {headers}\naccess-control-max-age: {KNOWN_FOR}"
        ))
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::read;

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! From `gateway.toml`.

    use super::Cors;
    use crate::regions::check::Rule;
    use crate::regions::read::{Notes, Table};

    /// Reads `[cors]`.
    pub fn read(table: &mut Table<'_>, notes: &mut Notes) -> Cors {
        let mut cors = Cors::default();
        let Some(mut said) = table.table("cors", notes) else {
            return cors;
        };
        for origin in said.maybe_list("origins", notes).unwrap_or_default() {
            if is_origin(&origin.text) {
                cors.origins.insert(origin.text);
                continue;
            }
            let what = format!("`{}` is no origin of a page", origin.text);
            let problem = said.source().problem(Rule::BadOrigin, origin.at, what);
            notes
                .problems
                .push(problem.instead("one such as \"https://app.example.com\""));
        }
        said.finish(notes);
        cors
    }

    /// Whether it is scheme, host and maybe port, as browsers send them.
    fn is_origin(text: &str) -> bool {
        let host = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
        };
        host.is_some_and(|host| !host.is_empty() && host.bytes().all(fits))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_origin_has_no_path_and_stands_for_itself() {
            for origin in [
                "https://app.example.com",
                "http://localhost:3000",
                "http://[::1]:80",
            ] {
                assert!(is_origin(origin), "{origin}");
            }
            for other in [
                "*",
                "https://",
                "https://a.example/",
                "https://*.a.example",
                "a.example",
                "https://A.example",
                "null",
                "https://a.example, https://b.example",
            ] {
                assert!(!is_origin(other), "{other}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors {
            origins: ["https://app.example.com".to_owned()].into(),
        }
    }

    #[test]
    fn pages_of_listed_origins_alone_are_answered() {
        let reply = cors().reply("https://app.example.com").unwrap();
        assert!(reply.contains("access-control-allow-origin: https://app.example.com\n"));
        assert!(reply.contains("meridian-receipt"));
        for other in [
            "https://app.example.com.evil.example",
            "https://APP.example.com",
            "null",
            "",
        ] {
            assert_eq!(cors().reply(other), None, "{other}");
            assert_eq!(cors().preflight(other, None), None, "{other}");
        }
        assert_eq!(Cors::default().reply("https://app.example.com"), None);
    }

    #[test]
    fn a_preflight_is_told_the_headers_it_asks_for() {
        let told = |headers| {
            cors()
                .preflight("https://app.example.com", headers)
                .unwrap()
        };
        let asked = "authorization,content-type,x-stainless-lang";
        assert!(told(Some(asked)).contains(&format!("allow-headers: {asked}\n")));
        assert!(told(Some("a: b")).contains("allow-headers: authorization, content-type\n"));
        assert!(told(None).contains("access-control-max-age: 7200"));
    }
}
