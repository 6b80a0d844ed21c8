//! Who may call (DESIGN.md, D8): decided once per request by [`crate::app::serve`], before routing.
//!
//! In open mode nobody proves who they are, so a request must come from this machine (or a network the operator
//! listed), and from no web page that doesn't belong here. Token mode will be decided in the same place.

pub(crate) mod client;
pub(crate) mod origins;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

pub use self::origins::own_origins;
use crate::config::{AuthMode, Config};
use crate::error::{Error, Result};

/// Proof that the request may be served, and what is known of who sent it. Handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct Access(());

impl Access {
    /// Decides whether `request` may be served. The web page it came from, if any, is judged by [`origins`].
    ///
    /// 403 says what the operator can set to let such a request in.
    pub(crate) fn decide(request: &Parts, config: &Config) -> Result<Self> {
        match config.auth_mode {
            AuthMode::Open => client::check(request, &config.open_clients)?,
            AuthMode::Unsupported => {
                return Err(Error::unavailable(
                    "This version serves auth_mode \"open\" only; token mode is not part of it.",
                ));
            }
        }
        Ok(Self(()))
    }

    /// The caller a handler acts for, where the request names the user `user_id` (fields `user_id`, `owner_id`) or
    /// nobody (`None`). In open mode the name is believed.
    ///
    /// What is owed afterwards: a named user must exist (404 `User not found.`, before anything else is looked up)
    /// and must own the other ids of the request, in the statement that uses them.
    pub fn caller(&self, user_id: Option<&str>) -> Result<Caller> {
        Ok(Caller::named(user_id))
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| {
            Error::internal(anyhow::anyhow!("a handler ran without the access check"))
        })
    }
}

/// Whom a handler acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    user_id: Option<String>,
}

impl Caller {
    fn named(user_id: Option<&str>) -> Self {
        Self {
            user_id: user_id.map(str::to_owned),
        }
    }

    /// The user who must own every id of the request. `None`: open mode, and the request names nobody, so knowing an
    /// id is the right to use it. Made for binding into SQL as `(?1 IS NULL OR owner_id = ?1)`.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }
}
