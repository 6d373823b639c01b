//! The credential of an endpoint: a secret for a header, a key that signs each request,
//! or a key that is exchanged for an access token. Secrets are read here; `edge/`
//! fetches and caches tokens.

use crate::regions::Auth;
use crate::units::Millis;
use crate::upstream::sigv4::{self, AccessKey, Request, Scope};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use serde::Deserialize;
use serde_json::json;

/// How long before its end a token is renewed.
const SPARE_MS: u64 = 5 * 60 * 1000;
/// The lifetime of a signed token request: the longest that Google allows.
const HOUR: u64 = 3_600;

/// Google's token endpoint. The address in a key file is ignored.
pub const GOOGLE_TOKENS: &str = "https://oauth2.googleapis.com/token";

/// A credential, ready to be used.
#[derive(Clone)]
pub enum Credential {
    /// A header with the secret in it.
    Header {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// The secret alone.
        secret: String,
    },
    /// A key that signs each request.
    Aws(AccessKey),
    /// A Google service account.
    Google(ServiceAccount),
    /// An application at Microsoft Entra.
    Entra(Application),
}

/// A Google service account, as its key file has it.
#[derive(Clone, Deserialize)]
pub struct ServiceAccount {
    /// The account's address.
    pub client_email: String,
    /// Its key, PKCS 8 in PEM.
    pub private_key: String,
    /// The key's id.
    #[serde(default)]
    pub private_key_id: String,
}

/// An application at Microsoft Entra.
#[derive(Clone)]
pub struct Application {
    tenant: String,
    client: String,
    secret: String,
}

/// A token and when it expires.
#[derive(Clone)]
pub struct Token {
    /// The token.
    pub value: String,
    expires: Millis,
}

impl Token {
    /// Whether it may still be used, with some time to spare.
    pub fn is_fresh(&self, now: Millis) -> bool {
        now.0.saturating_add(SPARE_MS) < self.expires.0
    }

    /// Reads what a token endpoint answered at `now`.
    pub fn read(body: &[u8], now: Millis) -> Option<Token> {
        #[derive(Deserialize)]
        struct Given {
            access_token: String,
            #[serde(default)]
            expires_in: u64,
        }
        let given: Given = serde_json::from_slice(body).ok()?;
        let lives = given.expires_in.saturating_mul(1000);
        Some(Token {
            value: given.access_token,
            expires: Millis(now.0.saturating_add(lives)),
        })
    }
}

impl Credential {
    /// Reads a secret in the format of an endpoint's sign-in; `None` if it has another
    /// format.
    pub fn read(auth: &Auth, secret: &str) -> Option<Credential> {
        let secret = secret.trim();
        if secret.is_empty() {
            return None;
        }
        let header = |name, value: String| {
            Some(Credential::Header {
                name,
                value,
                secret: secret.to_owned(),
            })
        };
        match auth {
            Auth::Bearer { .. } => header("authorization", format!("Bearer {secret}")),
            Auth::ApiKey { .. } => header("x-api-key", secret.to_owned()),
            Auth::AzureKey { .. } => header("api-key", secret.to_owned()),
            Auth::GoogleKey { .. } => header("x-goog-api-key", secret.to_owned()),
            Auth::Google { .. } => serde_json::from_str(secret).ok().map(Credential::Google),
            Auth::Entra { .. } => {
                let mut parts = secret.splitn(3, ':').map(str::to_owned);
                Some(Credential::Entra(Application {
                    tenant: parts.next().filter(|tenant| is_plain(tenant))?,
                    client: parts.next().filter(|client| is_plain(client))?,
                    secret: parts.next()?,
                }))
            }
            Auth::SigV4 { .. } => {
                let mut parts = secret.splitn(3, ':').map(str::to_owned);
                Some(Credential::Aws(AccessKey {
                    id: parts.next()?,
                    secret: parts.next()?,
                    session: parts.next(),
                }))
            }
        }
    }

    /// The text that no response may quote.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Credential::Header { secret, .. } => vec![secret],
            Credential::Aws(key) => {
                let session = key.session.as_deref();
                [Some(key.secret.as_str()), session]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Credential::Google(account) => vec![&account.private_key],
            Credential::Entra(application) => vec![&application.secret],
        }
    }
}

fn is_plain(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    !part.is_empty() && part.bytes().all(plain)
}

/// The headers that sign a request to a host of AWS; `None` where the host
/// does not say its region.
pub fn aws_headers(
    key: &AccessKey,
    request: Request<'_>,
    now: Millis,
) -> Option<Vec<(&'static str, String)>> {
    let scope = Scope {
        region: region(request.host)?,
        service: "bedrock",
    };
    Some(sigv4::sign(key, scope, request, now))
}

/// The region of a host, as in `bedrock-runtime.eu-central-1.amazonaws.com`.
fn region(host: &str) -> Option<&str> {
    let looks = |label: &&str| {
        label.matches('-').count() >= 2 && label.ends_with(|c: char| c.is_ascii_digit())
    };
    host.split('.').find(looks)
}

impl ServiceAccount {
    /// The header and claims to sign for a token.
    pub fn claims(&self, now: Millis) -> String {
        let at = now.0 / 1000;
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": self.private_key_id});
        let claims = json!({
            "iss": self.client_email,
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": GOOGLE_TOKENS,
            "iat": at,
            "exp": at + HOUR,
        });
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}", part(head), part(claims))
    }

    /// The token request, as a form.
    pub fn form(&self, claims: &str, signature: &[u8]) -> String {
        let signature = URL_SAFE_NO_PAD.encode(signature);
        format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={claims}.{signature}")
    }
}

impl Application {
    /// Its token endpoint.
    pub fn tokens(&self) -> String {
        format!(
            "https://login.microsoftonline.com/{}/oauth2/v2.0/token",
            self.tenant
        )
    }

    /// The token request, as a form.
    pub fn form(&self) -> String {
        let secret = crate::upstream::translate::segment(&self.secret);
        format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default",
            self.client
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_its_sign_in_wants_it() {
        let secret = String::new();
        let sigv4 = Auth::SigV4 {
            secret: secret.clone(),
        };
        assert!(matches!(
            Credential::read(&sigv4, "AKID:se/cret"),
            Some(Credential::Aws(AccessKey { session: None, .. }))
        ));
        assert!(Credential::read(&sigv4, "no-colon").is_none());
        let entra = Auth::Entra {
            secret: secret.clone(),
        };
        assert!(Credential::read(&entra, "tenant:client:s:e").is_some());
        assert!(Credential::read(&entra, "ten/ant:client:s").is_none());
        let google = Auth::Google { secret };
        assert!(
            Credential::read(&google, "{\"client_email\":\"a\",\"private_key\":\"k\"}").is_some()
        );
        assert!(Credential::read(&google, "AIza…").is_none());
    }

    #[test]
    fn the_region_is_in_the_host() {
        assert_eq!(
            region("bedrock-runtime.eu-central-1.amazonaws.com"),
            Some("eu-central-1")
        );
        assert_eq!(
            region("bedrock-runtime-fips.us-gov-west-1.amazonaws.com"),
            Some("us-gov-west-1")
        );
    }
}
