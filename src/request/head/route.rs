//! Routes a path to an operation. Extra slashes and Azure's paths for OpenAI's
//! operations are accepted.

use super::address::{decoded, in_own_words, pairs, plain};
use super::Head;
use crate::dialect::responses::stored::{self, Stored};
use crate::dialect::{Api, Family};
use crate::refusal::Refusal;

/// The route of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A model call.
    Call(Api),
    /// The list of models.
    Models,
    /// One model, by its name.
    Model(String),
    /// The health check.
    Health,
    /// The bare host: clients probe it.
    Root,
    /// The public keys that receipts are checked with.
    ReceiptKeys,
}

/// What is not served, and what to do instead.
const UNSERVED: [(&str, &str); 5] = [
    (
        "/v1/messages/batches",
        "Batches are not served: send the requests one by one.",
    ),
    (
        "/v1/batches",
        "Batches are not served: send the requests one by one.",
    ),
    (
        "/v1/files",
        "Files are not served: send the content in the request.",
    ),
    ("/v1/realtime", "Realtime sessions are not served."),
    ("/v1/audio/", "Audio is served only in chat completions."),
];

impl Head {
    /// The route, if the head is valid.
    pub fn route(&self) -> Result<Route, Refusal> {
        self.check_size()?;
        let path = plain(&self.path);
        let (path, model) = in_own_words(&path);
        let routed = self.routed(&path, model);
        let (route, methods) = routed.ok_or_else(|| self.unserved(&path))?;
        if methods.contains(&self.method.as_str()) {
            return Ok(route);
        }
        let upgrades = self.header("upgrade");
        let is_call = matches!(route, Route::Call(_));
        if is_call && upgrades.is_some_and(|to| to.eq_ignore_ascii_case("websocket")) {
            return Err(Refusal::NoWebSocket);
        }
        Err(Refusal::WrongMethod {
            method: self.method.chars().take(20).collect(),
            allowed: methods.first().copied().unwrap_or_default(),
        })
    }

    fn routed(&self, path: &str, model: Option<&str>) -> Option<(Route, &'static [&'static str])> {
        if let Some(api) = called(path) {
            return Some((Route::Call(api), &["POST"]));
        }
        if let (None, Some((_, _, methods))) = (model, stored::at(path)) {
            return Some((Route::Call(Api::Stored), methods));
        }
        if model.is_some() {
            return None;
        }
        let probe = &["GET", "HEAD"];
        Some(match path {
            "/v1/models" => (Route::Models, &["GET"]),
            "/healthz" => (Route::Health, probe),
            "/.well-known/jwks.json" => (Route::ReceiptKeys, probe),
            "/" => (Route::Root, probe),
            _ => {
                let name = path.strip_prefix("/v1/models/")?;
                // Google's operations are at the model.
                if self.method == "POST" && is_googles(name) {
                    return None;
                }
                (Route::Model(decoded(name)), &["GET"])
            }
        })
    }

    fn unserved(&self, path: &str) -> Refusal {
        let instead = match self.family() {
            Family::Google => "Google's own dialect is not taken from clients: Gemini's models answer OpenAI's and Anthropic's SDKs here.",
            Family::Aws => "Bedrock's own dialect is not taken from clients: its models answer OpenAI's and Anthropic's SDKs here.",
            Family::OpenAi | Family::Anthropic => {
                let known = UNSERVED.iter().find(|(begins, _)| path.starts_with(begins));
                known.map(|(_, instead)| *instead).unwrap_or_default()
            }
        };
        Refusal::NoRoute {
            path: self.path.chars().take(200).collect(),
            instead,
        }
    }

    /// The operation; for an unknown path, the usual one of its family, since such a
    /// request leaves a row too.
    pub fn api(&self) -> Api {
        let path = plain(&self.path);
        let (path, _) = in_own_words(&path);
        let stored = || stored::at(&path).map(|_| Api::Stored);
        called(&path)
            .or_else(stored)
            .unwrap_or_else(|| match self.family_of(&path) {
                Family::Anthropic => Api::Messages,
                Family::OpenAi | Family::Google | Family::Aws => Api::Chat,
            })
    }

    /// The operation on a stored response, if the path is one.
    pub fn stored(&self) -> Result<Option<Stored>, Refusal> {
        let path = plain(&self.path);
        let (path, _) = in_own_words(&path);
        let Some((id, tail, methods)) = stored::at(&path) else {
            return Ok(None);
        };
        let method = methods.iter().find(|method| **method == self.method);
        let Some(method) = method.copied() else {
            return Ok(None);
        };
        let stored = Stored::read(decoded(id), method, tail, self.query());
        stored.map(Some).map_err(Refusal::Body)
    }

    /// The query's pairs of name and value.
    pub fn query(&self) -> Vec<(String, String)> {
        pairs(&self.query)
    }

    /// The model, where the path names it: Azure's deployment.
    pub fn model(&self) -> Option<String> {
        let path = plain(&self.path);
        let (_, model) = in_own_words(&path);
        model.map(decoded)
    }

    /// The SDK family of the client, in whose format errors are written.
    pub fn family(&self) -> Family {
        let path = plain(&self.path);
        let (path, _) = in_own_words(&path);
        called(&path).map_or_else(|| self.family_of(&path), Api::family)
    }

    fn family_of(&self, path: &str) -> Family {
        if path.starts_with("/v1beta") || path.starts_with("/v1alpha") || is_googles(path) {
            Family::Google
        } else if path.starts_with("/model/") {
            Family::Aws
        } else if path.starts_with("/v1/messages") || self.header("anthropic-version").is_some() {
            Family::Anthropic
        } else {
            Family::OpenAi
        }
    }
}

/// Whether a path ends in an operation of Google's: `model:generateContent`.
fn is_googles(path: &str) -> bool {
    const VERBS: [&str; 5] = ["generate", "stream", "count", "embed", "predict"];
    let verb = path.rsplit_once(':').map(|(_, verb)| verb);
    verb.is_some_and(|verb| VERBS.iter().any(|known| verb.starts_with(known)))
}

/// The operation at a path.
fn called(path: &str) -> Option<Api> {
    let is_at = |api: &Api| *api != Api::Stored && api.path() == path;
    Api::ALL.into_iter().find(is_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(flat: &str) -> Result<Route, u16> {
        Head::read(flat).route().map_err(|refusal| refusal.status())
    }

    fn call(api: Api) -> Result<Route, u16> {
        Ok(Route::Call(api))
    }

    #[test]
    fn slashes_too_many_change_nothing() {
        for path in [
            "//v1/messages",
            "/v1/messages/",
            "/v1//messages//",
            "/v1/messages",
        ] {
            assert_eq!(
                route(&format!("POST\n{path}")),
                call(Api::Messages),
                "{path}"
            );
        }
        assert_eq!(route("GET\n//"), Ok(Route::Root));
        assert_eq!(route("GET\n/v1/models/"), Ok(Route::Models));
        // Admin paths are not normalised, since access rules in front of them match the
        // exact path.
        assert_eq!(route("GET\n//admin/v1/keys"), Err(404));
    }

    #[test]
    fn azures_paths_name_an_operation_and_maybe_a_model() {
        let at = |path: &str| {
            let head = Head::read(&format!("POST\n/openai/{path}"));
            let api = head.route().map_err(|refusal| refusal.status());
            api.map(|api| (api, head.model()))
        };
        let called = |api, model: Option<&str>| Ok((Route::Call(api), model.map(str::to_owned)));
        let deployed = "deployments/gpt-mini";
        assert_eq!(
            at(&format!("{deployed}/chat/completions")),
            called(Api::Chat, Some("gpt-mini"))
        );
        assert_eq!(
            at(&format!("{deployed}/embeddings/")),
            called(Api::Embeddings, Some("gpt-mini"))
        );
        assert_eq!(
            at(&format!("{deployed}/completions")),
            called(Api::Completions, Some("gpt-mini"))
        );
        assert_eq!(
            at("deployments/a%2Fb%20%zz/responses"),
            called(Api::Responses, Some("a/b %zz"))
        );
        assert_eq!(at("v1/chat/completions"), called(Api::Chat, None));
        assert_eq!(at("v1/responses/"), called(Api::Responses, None));
        assert_eq!(at("responses"), called(Api::Responses, None));
        for unknown in [
            deployed,
            "deployments/gpt-mini/files",
            "v1",
            "v2/responses",
            "deployments//responses",
        ] {
            assert_eq!(at(unknown), Err(404), "{unknown}");
        }
        assert_eq!(route("GET\n/openai/models"), Ok(Route::Models));
        assert_eq!(route("GET\n/openai/deployments/gpt-mini/models"), Err(404));
    }

    #[test]
    fn a_model_is_named_by_all_that_follows() {
        let model = |name: &str| Ok(Route::Model(name.to_owned()));
        assert_eq!(route("GET\n/v1/models/gpt-mini"), model("gpt-mini"));
        assert_eq!(route("GET\n/v1/models/a%2Fb:c"), model("a/b:c"));
        assert_eq!(route("GET\n/v1/models/a/b"), model("a/b"));
        assert_eq!(route("DELETE\n/v1/models/gpt-mini"), Err(405));
        assert_eq!(route("POST\n/v1/models/gemini:generateContent"), Err(404));
    }

    #[test]
    fn a_websocket_is_refused_in_the_way_that_clients_go_on_from() {
        let asks = |path: &str, to: &str| route(&format!("GET\n{path}\n\n\nupgrade: {to}"));
        assert_eq!(asks("/v1/responses", "websocket"), Err(426));
        assert_eq!(asks("/openai/v1/responses", "WebSocket"), Err(426));
        assert_eq!(asks("/v1/responses", "h2c"), Err(405));
        assert_eq!(route("GET\n/v1/responses"), Err(405));
    }

    #[test]
    fn errors_are_told_in_the_dialect_of_the_path() {
        let family = |flat: &str| Head::read(flat).family();
        let cases = [
            ("/v1/messages", Family::Anthropic),
            ("/v1/messages/batches/", Family::Anthropic),
            ("/v1/nothing", Family::OpenAi),
            ("/openai/deployments/x/files", Family::OpenAi),
            (
                "/v1beta/models/gemini-2.5-pro:generateContent",
                Family::Google,
            ),
            (
                "/v1/models/gemini-2.5-pro:streamGenerateContent",
                Family::Google,
            ),
            (
                "/v1/projects/p/locations/l/publishers/google/models/m:countTokens",
                Family::Google,
            ),
            ("/model/eu.anthropic.claude/converse", Family::Aws),
        ];
        for (path, expected) in cases {
            assert_eq!(family(&format!("POST\n{path}")), expected, "{path}");
        }
        let version = "\n\n\nanthropic-version: 2023-06-01";
        assert_eq!(
            family(&format!("GET\n/v1/models{version}")),
            Family::Anthropic
        );
        assert_eq!(
            family(&format!("POST\n/v1/files{version}")),
            Family::Anthropic
        );
        assert_eq!(
            family(&format!("POST\n/v1/embeddings{version}")),
            Family::OpenAi
        );
    }
}
