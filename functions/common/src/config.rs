//! The application's variables (`spin.toml`), read once per instance.

/// What the variables say, checked.
#[derive(Debug)]
pub struct Config {
    /// How many bytes a request's body may have (variable `max_upload_bytes`).
    pub max_upload_bytes: u64,
}

impl Config {
    /// The configuration of this instance; read on first use.
    pub async fn get() -> crate::error::Result<&'static Config> {
        Err(crate::error::Error::unavailable("not yet"))
    }
}
