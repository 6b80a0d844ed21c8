//! An OpenID Connect provider that the test plays: a discovery document, keys, and ID tokens, which it signs by hand.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the provider calls the application.
pub const AUDIENCE: &str = "kafka-tests";

/// A key pair of the provider's, under its name.
pub struct Key {
    id: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<rsa::KeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl Key {
    /// A new key for RS256.
    pub fn rsa(id: &str) -> Self {
        // Nothing that the host is built with makes RSA keys.
        let made = Command::new("openssl")
            .args([
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
            ])
            .args(["-outform", "DER"])
            .output()
            .expect("openssl is installed, as ca-certificates need it");
        // Which of two formats it writes depends on its version.
        let pair = rsa::KeyPair::from_der(&made.stdout)
            .or_else(|_| rsa::KeyPair::from_pkcs8(&made.stdout))
            .expect("a key");
        Self {
            id: id.to_owned(),
            pair: Pair::Rsa(Box::new(pair)),
        }
    }

    /// A new key for ES256.
    pub fn ec(id: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        Self {
            id: id.to_owned(),
            pair: Pair::Ec(Box::new(pair.expect("the key that was made"))),
        }
    }

    /// The public half (RFC 7517).
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let public: rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({
                    "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
                    "n": BASE64.encode(public.n), "e": BASE64.encode(public.e),
                })
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({
                    "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
                    "x": BASE64.encode(x), "y": BASE64.encode(y),
                })
            }
        }
    }

    /// The public half as bytes, which some verifiers were made to take for a secret.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let algorithm = match &self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
        };
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": self.id });
        self.sign_with_header(&header, claims)
    }

    /// A token with any header.
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    signed.as_bytes(),
                    &mut signature,
                )
                .expect("a signature");
                signature
            }
            Pair::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                signature.expect("a signature").as_ref().to_vec()
            }
        };
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

/// Header and claims, as they are signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// What the provider publishes, and how often it was asked for keys, and for anything.
#[derive(Default)]
struct Published {
    issuer: String,
    keys: Vec<Value>,
    asked: usize,
    requests: usize,
    is_down: bool,
    /// The address of its keys in its document.
    keys_at: String,
    /// Its own address.
    at: String,
    /// The person who logs in there, and the key for their token.
    person: Option<(String, Key)>,
}

impl Published {
    /// Logs the person in at once, or refuses that if there is none, and sends them back.
    fn log_in(&self, query: &str) -> Response<Full<Bytes>> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let asked: HashMap<_, _> = pairs.map(|(name, value)| (name, decoded(value))).collect();
        assert_eq!(asked["response_type"], "id_token");
        assert_eq!(asked["client_id"], AUDIENCE);
        let answer = match &self.person {
            None => "error=access_denied".to_owned(),
            Some((email, key)) => {
                let mut claims = claims(&self.issuer, email);
                claims["nonce"] = asked["nonce"].as_str().into();
                format!("id_token={}", key.sign(&claims))
            }
        };
        let back = format!(
            "{}#{answer}&state={}",
            asked["redirect_uri"], asked["state"]
        );
        let response = Response::builder().status(StatusCode::SEE_OTHER);
        let response = response.header(header::LOCATION, back);
        response.body(Full::default()).expect("an address")
    }
}

/// A running provider; it ends with the test's runtime.
pub struct FakeProvider {
    address: SocketAddr,
    published: Arc<Mutex<Published>>,
}

impl FakeProvider {
    /// Starts one with these keys.
    pub async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let provider = Self {
            address,
            published: Arc::default(),
        };
        provider.publish(keys);
        provider.lock().at = provider.issuer();
        provider.calls_itself(&provider.issuer());
        provider.has_keys_at(&provider);
        tokio::spawn(serve(listener, provider.published.clone()));
        provider
    }

    /// What it calls itself, and where it is.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, what its discovery document calls it.
    pub fn calls_itself(&self, issuer: &str) {
        self.lock().issuer = issuer.to_owned();
    }

    /// From now on, its keys; one of an unknown kind is always among them.
    pub fn publish(&self, keys: &[&Key]) {
        let unknown =
            json!({ "kty": "PQC", "kid": "from-the-future", "alg": "ML-DSA-65", "pub": "AA" });
        let keys = keys.iter().map(|key| key.jwk());
        self.lock().keys = std::iter::once(unknown).chain(keys).collect();
    }

    /// From now on it answers no request with success, or does again.
    pub fn is_down(&self, down: bool) {
        self.lock().is_down = down;
    }

    /// From now on, its keys are another's.
    pub fn has_keys_at(&self, other: &Self) {
        self.lock().keys_at = format!("{}/keys", other.issuer());
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.lock().asked
    }

    /// How often it was asked for anything.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// The variables that make it the application's.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("oidc_issuer", self.issuer()),
            ("oidc_origin", self.issuer()),
            ("oidc_keys_origin", self.issuer()),
            ("oidc_audience", AUDIENCE.to_owned()),
        ]
    }

    /// Claims that are all right.
    pub fn claims(&self, email: &str) -> Value {
        claims(&self.issuer(), email)
    }

    /// From now on this person logs in at its page, and gets a token that is signed with this key.
    pub fn knows(&self, email: &str, key: Key) {
        self.lock().person = Some((email.to_owned(), key));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Published> {
        self.published.lock().expect("no test panics here")
    }
}

/// The text of a part of an address.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("an escaped byte"));
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn claims(issuer: &str, email: &str) -> Value {
    json!({
        "iss": issuer, "aud": AUDIENCE, "sub": "1", "iat": now(), "exp": now() + 600,
        "email": email, "email_verified": true,
    })
}

/// Now, in seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_secs() as i64
}

async fn serve(listener: TcpListener, published: Arc<Mutex<Published>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let published = published.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer(request.uri(), &published);
            async move { Ok::<_, Infallible>(answer) }
        });
        let connection = hyper::server::conn::http1::Builder::new();
        tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
    }
}

fn answer(uri: &Uri, published: &Mutex<Published>) -> Response<Full<Bytes>> {
    let path = uri.path();
    let mut published = published.lock().expect("no test panics here");
    published.requests += 1;
    let (status, body) = match path {
        _ if published.is_down => (StatusCode::BAD_GATEWAY, json!({})),
        "/.well-known/openid-configuration" => (
            StatusCode::OK,
            json!({
                "issuer": published.issuer, "jwks_uri": published.keys_at,
                "authorization_endpoint": format!("{}/authorize", published.at),
            }),
        ),
        "/authorize" => return published.log_in(uri.query().unwrap_or_default()),
        "/keys" => {
            published.asked += 1;
            (StatusCode::OK, json!({ "keys": published.keys }))
        }
        _ => (StatusCode::NOT_FOUND, json!({})),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
}
