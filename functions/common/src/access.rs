//! Who may call (docs/decisions.md#open-mode-and-token-mode).
//!
//! In two steps. [`Visitor`]: may this request be served at all? Decided once per request by [`crate::app::serve`],
//! before routing; in open mode, where callers prove nothing, it must come from this machine (or a network the
//! operator listed), and in both modes from no web page that doesn't belong here. [`Access`]: whose request is it? In
//! token mode that costs a look at the session, before a handler runs and before any of the body is read, and 401 is
//! the answer to who has none. A handler that serves people who have not logged in yet takes a [`Visitor`], all others
//! an [`Access`].

pub(crate) mod cookie;
pub mod session;

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use kafka_store::caller::Allowance;
pub use kafka_store::caller::Caller;

use self::session::{Credential, Session};
use crate::config::{AuthMode, Config};
use crate::error::{Error, Result};
use crate::limits::{Limit, Subject};
use crate::links::Called;
use crate::room::Room;
pub use crate::sender::origins::own_origins;
use crate::sender::{called, client, hosts, origins};

/// Proof that the request may be served.
#[derive(Debug, Clone)]
pub struct Visitor {
    config: &'static Config,
    /// Where the request came from, as far as that is known.
    address: Option<IpAddr>,
    called: Called,
}

impl Visitor {
    /// Decides whether `request` may be served. The web page it came from, if any, is judged by [`origins`].
    ///
    /// 403 says what the operator can set to let such a request in.
    pub(crate) fn decide(request: &Parts, config: &'static Config) -> Result<Self> {
        client::check_unclaimed(&request.headers)?;
        if config.auth_mode == AuthMode::Open {
            client::check(request, &config.open_clients)?;
        }
        let lets_others_in = !config.open_clients.is_empty();
        hosts::check(
            request,
            &config.allowed_hosts,
            config.auth_mode,
            lets_others_in,
        )?;
        let address = client::address_behind(&request.headers, &config.trusted_proxies);
        let called = Called {
            address: called::address(request, config),
            signs: config.auth_mode == AuthMode::Token,
        };
        Ok(Self {
            config,
            address,
            called,
        })
    }

    /// How the client reaches files.
    pub fn called(&self) -> &Called {
        &self.called
    }

    /// The caller who reads what this user owns, and stores nothing.
    pub(crate) fn reader(&self, user_id: String) -> Caller {
        Caller::proven(user_id, self.address, self.allowance(0, None))
    }

    /// Where the request came from, as the table `audit` has it.
    pub fn address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// What a user may use up who has stored so many bytes, and may store `quota` if the operator has set that.
    fn allowance(&self, stored_bytes: u64, quota: Option<u64>) -> Allowance {
        let config = self.config;
        Allowance {
            stored_bytes,
            limits: &config.limits,
            long_work: &config.long_work,
            quota: quota.or(config.storage_quota_bytes),
            row_limits: &config.row_limits,
        }
    }

    /// Whether who calls must have logged in.
    pub fn must_log_in(&self) -> bool {
        self.config.auth_mode == AuthMode::Token
    }

    /// Counts one request under each of `limits`, for `who` and for the address it came from: 429 where either has
    /// asked too often. In open mode nothing is counted.
    pub async fn count(&self, limits: &[Limit], who: Subject<'_>) -> Result<()> {
        if !self.must_log_in() {
            return Ok(());
        }
        Ok(self.config.limits.count(limits, who, self.address).await?)
    }

    /// Counts a code that is tried for an e-mail: 429 where it may not even be looked at. What is returned is how to answer
    /// if it is wrong, where that is not 401.
    pub async fn count_guess(&self, email: &str) -> Result<Option<Error>> {
        if !self.must_log_in() {
            return Ok(None);
        }
        let limits = &self.config.limits;
        let refused = limits.count_guess(email, self.address).await?;
        Ok(refused.map(Error::from))
    }

    /// The access of the session's user.
    pub fn with_session(self, session: Session) -> Access {
        Access {
            visitor: self,
            session: Some(session),
        }
    }

    /// The access of a caller who needs no session; `None` in token mode.
    pub fn without_session(self) -> Option<Access> {
        (!self.must_log_in()).then_some(Access {
            visitor: self,
            session: None,
        })
    }
}

/// A request that may be served, and what is known of who sent it. Handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct Access {
    visitor: Visitor,
    /// `None` in open mode.
    session: Option<Session>,
}

impl Access {
    /// Who calls, by what the request carries. In token mode 401 without a session that is good; one that is older
    /// than a day is extended.
    pub async fn of(request: &Parts) -> Result<Self> {
        let visitor = Visitor::of(request)?;
        if let Some(access) = visitor.clone().without_session() {
            return Ok(access);
        }
        let credential = credential(request)?;
        let session = Session::find(&credential)
            .await?
            .ok_or_else(Error::session_ended)?;
        if session.extend_if_old().await?
            && let Credential::Cookie(token) = &credential
        {
            session::give_cookie(request, token);
        }
        Ok(visitor.with_session(session))
    }

    /// The caller a handler acts for, where the request names the user `user_id` (fields `user_id`, `owner_id`) or
    /// nobody (`None`).
    ///
    /// In open mode the name is believed. What is owed afterwards: a named user must exist (404 `User not found.`,
    /// before anything else is looked up) and must own the other ids of the request, in the statement that uses them.
    ///
    /// In token mode it is the session's user whatever is named, and another's name is 404 as if they did not exist.
    pub fn caller(&self, user_id: Option<&str>) -> Result<Caller> {
        let address = self.visitor.address;
        match (&self.session, user_id) {
            (Some(session), Some(named)) if session.user_id != named => {
                Err(Error::user_not_found())
            }
            (Some(session), _) => {
                let (stored, quota) = (session.stored_bytes, session.quota_bytes);
                let proven = self.visitor.allowance(stored, quota);
                Ok(Caller::proven(session.user_id.clone(), address, proven))
            }
            (None, named) => Ok(Caller::unproven(named.map(str::to_owned), address)),
        }
    }

    /// Counts one upload, and looks how much room there is, before any of it is taken in: 429, and as
    /// [`Caller::check_room`].
    pub async fn admit_upload(&self) -> Result<Option<Room>> {
        self.admit(&[Limit::Upload]).await
    }

    /// The same, counted under each of `limits`.
    pub async fn admit(&self, limits: &[Limit]) -> Result<Option<Room>> {
        let caller = self.caller(None)?;
        caller.count_each(limits).await?;
        Ok(caller.check_room().await?)
    }

    /// How the client reaches files.
    pub fn called(&self) -> &Called {
        &self.visitor.called
    }

    /// The session of who calls; 404 in open mode, which has none.
    pub fn session(&self) -> Result<&Session> {
        self.session.as_ref().ok_or_else(Error::no_sessions)
    }
}

/// What a request shows to prove whose it is. 401 without, and 403 where a browser sends the cookie along for a page that
/// may not act for the person.
pub fn credential(request: &Parts) -> Result<Credential> {
    let credential = Credential::of(&request.headers)?.ok_or_else(Error::not_authenticated)?;
    if credential.is_cookie() && is_forged(request) {
        return Err(Error::forbidden(
            "Other web sites may not act for whoever is logged in here.",
        ));
    }
    if credential.is_cookie() && origins::is_unencrypted(&request.headers) {
        return Err(Error::forbidden(
            "A page that came unencrypted may not act for whoever is logged in here.",
        ));
    }
    Ok(credential)
}

/// Whether a browser says that another web site's page sent this with the person's cookie. What only reads may be asked
/// for by a link. (Of a page that names its origin [`origins`] has judged already.)
fn is_forged(request: &Parts) -> bool {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let site = request.headers.get("sec-fetch-site");
    !reads
        && site.is_some_and(|site| site != "same-origin" && site != "same-site" && site != "none")
}

impl Visitor {
    fn of(request: &Parts) -> Result<Self> {
        let visitor = request.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| {
            Error::internal(anyhow::anyhow!("a handler ran without the access check"))
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Self::of(parts)
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Self::of(parts).await
    }
}
