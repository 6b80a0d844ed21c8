//! The application's variables (`spin.toml`), read and checked once per instance.

use std::sync::OnceLock;

use axum::http::Extensions;
use ipnet::IpNet;

use crate::access::origins::AllowedOrigins;
use crate::error::{Error, Result};

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
    /// Web pages that may call (variable `allowed_origins`).
    pub allowed_origins: AllowedOrigins,
    /// How many bytes a request's body may have (variable `max_upload_bytes`); Spin itself has no limit.
    pub max_upload_bytes: u64,
}

/// The variable `auth_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// `open`: nobody proves who they are, so only this machine may call.
    Open,
    /// Any other value. This version has no other mode, and serving without the asked-for proof would be worse than
    /// not serving.
    Unsupported,
}

impl Default for Config {
    /// What `spin.toml` says when nothing is set.
    fn default() -> Self {
        Self {
            auth_mode: AuthMode::Open,
            open_clients: Vec::new(),
            allowed_origins: AllowedOrigins::default(),
            max_upload_bytes: 100 * 1024 * 1024,
        }
    }
}

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
        let config = Self::parse(
            &variable("auth_mode").await?,
            &variable("open_clients").await?,
            &variable("allowed_origins").await?,
            &variable("max_upload_bytes").await?,
        )
        .map_err(|problem| unusable(&problem))?;
        Ok(CONFIG.get_or_init(|| config))
    }

    /// The configuration that [`crate::app::serve`] put beside the request.
    pub(crate) fn of(extensions: &Extensions) -> &'static Self {
        static DEFAULT: OnceLock<Config> = OnceLock::new();
        let configured = extensions.get::<&'static Self>().copied();
        configured.unwrap_or_else(|| DEFAULT.get_or_init(Self::default))
    }

    /// How many bytes a body that is kept in memory may have.
    pub fn max_small_body_bytes(&self) -> u64 {
        self.max_upload_bytes.min(MAX_SMALL_BODY_BYTES)
    }

    fn parse(
        auth_mode: &str,
        open_clients: &str,
        allowed_origins: &str,
        max_upload_bytes: &str,
    ) -> Result<Self, String> {
        let auth_mode = match auth_mode.trim() {
            "open" => AuthMode::Open,
            _ => AuthMode::Unsupported,
        };
        let open_clients = entries(open_clients)
            .map(
                |entry| match (entry.parse::<IpNet>(), entry.parse::<std::net::IpAddr>()) {
                    (Ok(network), _) => Ok(network),
                    (_, Ok(address)) => Ok(address.into()),
                    _ => Err(format!(
                        "open_clients: {entry:?} is no network such as 172.17.0.0/16"
                    )),
                },
            )
            .collect::<Result<_, String>>()?;
        let allowed_origins = AllowedOrigins::parse(entries(allowed_origins))?;
        let max_upload_bytes = max_upload_bytes
            .trim()
            .parse()
            .map_err(|_| format!("max_upload_bytes: {max_upload_bytes:?} is no number of bytes"))?;
        Ok(Self {
            auth_mode,
            open_clients,
            allowed_origins,
            max_upload_bytes,
        })
    }
}

/// The entries of a list variable, separated by commas or white space.
pub(crate) fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
}

/// The value of a variable of `spin.toml`.
pub(crate) async fn variable(name: &str) -> Result<String> {
    spin_sdk::variables::get(name)
        .await
        .map_err(|error| unusable(&format!("{name}: {error}")))
}

/// 503 for a configuration that makes no sense; `problem` goes to the log, and must not hold a secret.
pub(crate) fn unusable(problem: &str) -> Error {
    eprintln!("error: bad configuration, answering 503: {problem}");
    Error::unavailable("The server is not configured correctly; its log says what is wrong.")
}

#[cfg(test)]
mod tests {
    use super::{AuthMode, Config};

    #[test]
    fn defaults_of_the_manifest() {
        let config = Config::parse("open", "", "", "104857600").unwrap();
        assert_eq!(config.auth_mode, AuthMode::Open);
        assert!(config.open_clients.is_empty());
        assert_eq!(config.max_upload_bytes, Config::default().max_upload_bytes);
        assert_eq!(config.max_small_body_bytes(), 2 * 1024 * 1024);
    }

    #[test]
    fn lists() {
        let config = Config::parse(
            "token",
            "172.17.0.0/16, 10.1.2.3 fd00::/8",
            "https://a.example",
            "10",
        )
        .unwrap();
        assert_eq!(config.auth_mode, AuthMode::Unsupported);
        assert_eq!(config.open_clients.len(), 3);
        assert_eq!(config.max_small_body_bytes(), 10);
    }

    #[test]
    fn nonsense_is_named() {
        assert!(
            Config::parse("open", "everyone", "", "1")
                .unwrap_err()
                .contains("everyone")
        );
        assert!(
            Config::parse("open", "", "example.com", "1")
                .unwrap_err()
                .contains("example.com")
        );
        assert!(
            Config::parse("open", "", "", "1 MB")
                .unwrap_err()
                .contains("1 MB")
        );
    }
}
