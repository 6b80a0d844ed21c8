//! The application's variables (`spin.toml`), read and checked once per instance.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::http::{Extensions, Uri};
use kafka_net::IpNet;
use kafka_store::variable::entries;
pub use kafka_store::variable::{misconfigured, unusable, variable};

pub use crate::api::AuthMode;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::long_work::Bounds;
use crate::room::RowLimits;
use crate::sender::hosts::AllowedHosts;
use crate::sender::origins::AllowedOrigins;

/// Bodies that are kept in memory whole (JSON, urlencoded) are bounded by this too, so that sixteen requests at once
/// can't exhaust an instance.
const MAX_SMALL_BODY_BYTES: u64 = 2 * 1024 * 1024;

/// What the variables say, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who may call (variable `auth_mode`). Read first of all, because it decides what the others mean.
    pub auth_mode: AuthMode,
    /// Networks whose clients are served in open mode besides this machine (variable `open_clients`, CIDRs separated
    /// by commas or spaces): inside a container the host's clients don't come from loopback.
    pub open_clients: Vec<IpNet>,
    /// Names by which the server may be called besides those of this machine (variable `allowed_hosts`). Open mode with
    /// `open_clients` needs them.
    pub allowed_hosts: AllowedHosts,
    /// Web pages that may call (variable `allowed_origins`).
    pub allowed_origins: AllowedOrigins,
    /// How many bytes the body of a multipart form may have (variable `max_upload_bytes`); Spin itself has no limit.
    /// What is kept in memory whole has [a lower one](Self::max_small_body_bytes), JSON one of its own.
    pub max_upload_bytes: u64,
    /// Proxies whose `X-Forwarded-For` says where a request came from (variable `trusted_proxies`, CIDRs): limits per
    /// address would count all their clients as one.
    pub trusted_proxies: Vec<IpNet>,
    /// How often something may be asked for in token mode (variable `rate_limits`).
    pub limits: Limits,
    /// How much long work there may be at a time (variable `long_work`).
    pub long_work: Bounds,
    /// How many bytes a user may store in token mode (variable `storage_quota_bytes`); `None`: as many as they like.
    pub storage_quota_bytes: Option<u64>,
    /// How many tokens a user may use in a month in token mode (variable `token_budget`); `None`: as many as they like.
    pub token_budget: Option<u64>,
    /// How many workspaces, chats and files a user may have in token mode (variable `row_limits`).
    pub row_limits: RowLimits,
    /// Where clients reach the server, without a slash at the end (variable `public_url`). `None`: requests tell.
    pub public_url: Option<String>,
}

/// The variable `auth_mode`. Not by way of [`Config`]: a component that serves no clients has none of the other
/// variables.
pub(crate) async fn auth_mode() -> Result<AuthMode> {
    parse_auth_mode(&variable("auth_mode").await?).map_err(|problem| unusable(&problem).into())
}

fn parse_auth_mode(text: &str) -> Result<AuthMode, String> {
    match text.trim() {
        "open" => Ok(AuthMode::Open),
        "token" => Ok(AuthMode::Token),
        // A guess could serve strangers.
        other => Err(format!("auth_mode: {other:?} is neither open nor token")),
    }
}

#[cfg(test)]
impl Default for Config {
    /// Open mode, for this machine, without what `spin.toml` has besides: trusted proxies, limits and a quota.
    fn default() -> Self {
        Self {
            auth_mode: AuthMode::Open,
            open_clients: Vec::new(),
            allowed_hosts: AllowedHosts::default(),
            allowed_origins: AllowedOrigins::default(),
            max_upload_bytes: 100 * 1024 * 1024,
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            long_work: Bounds::default(),
            storage_quota_bytes: None,
            token_budget: None,
            row_limits: RowLimits::default(),
            public_url: None,
        }
    }
}

/// The names of the variables.
const VARIABLES: [&str; 12] = [
    "auth_mode",
    "open_clients",
    "allowed_hosts",
    "allowed_origins",
    "max_upload_bytes",
    "trusted_proxies",
    "rate_limits",
    "long_work",
    "storage_quota_bytes",
    "token_budget",
    "row_limits",
    "public_url",
];

impl Config {
    /// The configuration of this instance, read on first use.
    ///
    /// A variable that makes no sense is 503, and the log says which and why: serving with a guess could serve
    /// strangers.
    pub async fn get() -> Result<&'static Self> {
        static CONFIG: OnceLock<Config> = OnceLock::new();
        if let Some(config) = CONFIG.get() {
            return Ok(config);
        }
        let mut texts = BTreeMap::new();
        for name in VARIABLES {
            texts.insert(name, variable(name).await?);
        }
        let config = Self::parse(&texts).map_err(|problem| unusable(&problem))?;
        Ok(CONFIG.get_or_init(|| config))
    }

    /// The configuration that [`crate::app::serve`] put beside the request. Without one nothing is served: a guess
    /// could let in what the operator keeps out.
    pub fn of(extensions: &Extensions) -> Result<&'static Self> {
        let configured = extensions.get::<&'static Self>().copied();
        configured.ok_or_else(|| {
            Error::internal(anyhow::anyhow!("a handler ran without the configuration"))
        })
    }

    /// How many bytes a body that is kept in memory may have.
    pub fn max_small_body_bytes(&self) -> u64 {
        self.max_upload_bytes.min(MAX_SMALL_BODY_BYTES)
    }

    fn parse(texts: &BTreeMap<&'static str, String>) -> Result<Self, String> {
        let text = |name| {
            let text = texts.get(name).map(|text| text.trim());
            text.ok_or_else(|| format!("{name}: it was not read"))
        };
        Ok(Self {
            auth_mode: parse_auth_mode(text("auth_mode")?)?,
            open_clients: networks("open_clients", text("open_clients")?)?,
            allowed_hosts: AllowedHosts::parse(entries(text("allowed_hosts")?))?,
            allowed_origins: AllowedOrigins::parse(entries(text("allowed_origins")?))?,
            max_upload_bytes: bytes("max_upload_bytes", text("max_upload_bytes")?)?,
            trusted_proxies: networks("trusted_proxies", text("trusted_proxies")?)?,
            limits: Limits::parse(text("rate_limits")?)?,
            long_work: Bounds::parse(text("long_work")?)?,
            storage_quota_bytes: match text("storage_quota_bytes")? {
                "" => None,
                quota => Some(bytes("storage_quota_bytes", quota)?),
            },
            token_budget: match text("token_budget")? {
                "" => None,
                budget => Some(tokens("token_budget", budget)?),
            },
            row_limits: RowLimits::parse(text("row_limits")?)?,
            public_url: parse_public_url(text("public_url")?)?,
        })
    }
}

/// The networks of a list variable; an address is a network of one.
fn networks(name: &str, list: &str) -> Result<Vec<IpNet>, String> {
    let network = |entry: &str| {
        kafka_net::network(entry)
            .ok_or_else(|| format!("{name}: {entry:?} is no network such as 172.17.0.0/16"))
    };
    entries(list).map(network).collect()
}

fn parse_public_url(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let uri = text.parse::<Uri>().ok().filter(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().map(|authority| authority.as_str());
        is_web && host.is_some_and(|host| !host.contains('@')) && uri.query().is_none()
    });
    match uri {
        Some(_) if !text.contains('#') => Ok(Some(text.trim_end_matches('/').to_owned())),
        _ => Err(format!(
            "public_url: {text:?} is no address such as https://kafka.example.com/api"
        )),
    }
}

fn bytes(name: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{name}: {text:?} is no number of bytes"))
}

fn tokens(name: &str, text: &str) -> Result<u64, String> {
    // As many as a column of the database can count.
    let number = text.parse::<i64>().ok().map(u64::try_from);
    let number = number.and_then(Result::ok);
    number.ok_or_else(|| format!("{name}: {text:?} is no number of tokens"))
}

/// Whether a model may be on this machine or in a private network (variable `allow_private_models`). Unless it says so,
/// in open mode only, where who calls is who runs the server.
pub async fn allow_private_models() -> Result<bool> {
    let name = "allow_private_models";
    match variable(name).await?.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        "" => Ok(auth_mode().await? == AuthMode::Open),
        other => Err(unusable(&format!("{name}: {other:?} is neither true nor false")).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{AuthMode, Config};

    /// The variables as `spin.toml` has them, but for some.
    fn parse(changes: &[(&'static str, &str)]) -> Result<Config, String> {
        let defaults = [
            ("auth_mode", "open"),
            ("open_clients", ""),
            ("allowed_hosts", ""),
            ("allowed_origins", ""),
            ("max_upload_bytes", "104857600"),
            ("trusted_proxies", "127.0.0.0/8 ::1"),
            ("rate_limits", "login=20/600"),
            ("long_work", "reply=100/2000"),
            ("storage_quota_bytes", ""),
            ("token_budget", ""),
            ("row_limits", "workspaces=1000 chats=100000 files=200000"),
            ("public_url", ""),
        ];
        let texts = defaults.iter().chain(changes);
        let texts = texts.map(|(name, text)| (*name, (*text).to_owned()));
        Config::parse(&BTreeMap::from_iter(texts))
    }

    #[test]
    fn defaults_of_the_manifest() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.auth_mode, AuthMode::Open);
        assert!(config.open_clients.is_empty());
        assert_eq!(config.max_upload_bytes, Config::default().max_upload_bytes);
        assert_eq!(config.max_small_body_bytes(), 2 * 1024 * 1024);
        assert_eq!(config.storage_quota_bytes, None);
    }

    #[test]
    fn lists() {
        let config = parse(&[
            ("auth_mode", "token"),
            ("open_clients", "172.17.0.0/16, 10.1.2.3 fd00::/8"),
            ("allowed_origins", "https://a.example"),
            ("max_upload_bytes", "10"),
            ("storage_quota_bytes", "1000"),
            ("token_budget", "5000"),
            ("public_url", "https://a.example/api/"),
        ])
        .unwrap();
        assert_eq!(config.auth_mode, AuthMode::Token);
        assert_eq!(config.open_clients.len(), 3);
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.max_small_body_bytes(), 10);
        assert_eq!(config.public_url.as_deref(), Some("https://a.example/api"));
        assert_eq!(config.storage_quota_bytes, Some(1000));
        assert_eq!(config.token_budget, Some(5000));
    }

    #[test]
    fn nonsense_is_named() {
        for (name, wrong) in [
            ("auth_mode", "closed"),
            ("open_clients", "everyone"),
            ("trusted_proxies", "nginx"),
            ("allowed_hosts", "*"),
            ("allowed_origins", "example.com"),
            ("max_upload_bytes", "1 MB"),
            ("storage_quota_bytes", "much"),
            ("token_budget", "1 million"),
            ("token_budget", "-1"),
            ("rate_limits", "login=often"),
            ("long_work", "reply=many"),
            ("row_limits", "chats=many"),
            ("public_url", "a.example"),
            ("public_url", "ftp://a.example"),
            ("public_url", "https://a.example/?b"),
            ("public_url", "https://a.example/#b"),
            ("public_url", "https://a@b.example"),
        ] {
            let error = parse(&[(name, wrong)]).unwrap_err();
            assert!(error.contains(name) && error.contains(wrong), "{error}");
        }
    }
}
