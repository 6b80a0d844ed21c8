//! Who may call (docs/decisions.md#open-mode-and-token-mode).
//!
//! In two steps. [`Visitor`]: may this request be served at all? Decided once per request by [`crate::app::serve`],
//! before routing; in open mode, where nobody proves who they are, it must come from this machine (or a network the
//! operator listed), and in both modes from no web page that doesn't belong here. [`Access`]: whose request is it? In
//! token mode that costs a look at the session, before a handler runs and before any of the body is read, and 401 is
//! the answer to who has none. A handler that serves people who have not logged in yet takes a [`Visitor`], all others
//! an [`Access`].

pub(crate) mod client;
pub(crate) mod cookie;
pub(crate) mod hosts;
pub(crate) mod origins;
pub mod session;

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;

pub use self::origins::own_origins;
use self::session::{Credential, Session};
use crate::config::{AuthMode, Config};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::limits::{Limit, Who};
use crate::owner;
use crate::room::{self, Room, Stored, Thing};

/// Proof that the request may be served.
#[derive(Debug, Clone)]
pub struct Visitor {
    config: &'static Config,
    /// Where the request came from, as far as that is known.
    address: Option<IpAddr>,
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
        hosts::check(request, config)?;
        let address = client::address_behind(&request.headers, &config.trusted_proxies);
        Ok(Self { config, address })
    }

    /// Whether who calls must have logged in.
    pub fn must_log_in(&self) -> bool {
        self.config.auth_mode == AuthMode::Token
    }

    /// Counts one request under each of `limits`, for `who` and for the address it came from: 429 where either has
    /// asked too often. In open mode nothing is counted.
    pub async fn count(&self, limits: &[Limit], who: Who<'_>) -> Result<()> {
        if !self.must_log_in() {
            return Ok(());
        }
        self.config.limits.count(limits, who, self.address).await
    }

    /// Counts a code that is tried for an e-mail: 429 where it may not even be looked at. What is returned is how to answer
    /// if it is wrong, where that is not 401.
    pub async fn count_guess(&self, email: &str) -> Result<Option<Error>> {
        if !self.must_log_in() {
            return Ok(None);
        }
        self.config.limits.count_guess(email, self.address).await
    }

    /// The access of whoever has this session.
    pub fn with_session(self, session: Session) -> Access {
        Access {
            visitor: self,
            session: Some(session),
        }
    }

    /// The access of whoever needs no session; `None` in token mode.
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
        session.extend_if_old(request, &credential).await?;
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
        match (&self.session, user_id) {
            (Some(session), Some(named)) if session.user_id != named => {
                Err(Error::user_not_found())
            }
            (Some(session), _) => Ok(Caller {
                user_id: Some(session.user_id.clone()),
                proven: Some(Proven {
                    visitor: self.visitor.clone(),
                    stored_bytes: session.stored_bytes,
                }),
            }),
            (None, named) => Ok(Caller {
                user_id: named.map(str::to_owned),
                proven: None,
            }),
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
        caller.check_room().await
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

/// Whom a handler acts for.
#[derive(Debug, Clone)]
pub struct Caller {
    user_id: Option<String>,
    /// `None` in open mode.
    proven: Option<Proven>,
}

/// What is known of a caller who has logged in.
#[derive(Debug, Clone)]
struct Proven {
    visitor: Visitor,
    /// Bytes that they had stored when the request began.
    stored_bytes: u64,
}

impl Caller {
    /// The user who must own every id of the request. `None`: open mode, and the request names nobody, so knowing an
    /// id is the right to use it. Made for binding into SQL as `(?1 IS NULL OR owner_id = ?1)`.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Whether the user is known to exist: they have a session.
    pub fn is_proven(&self) -> bool {
        self.proven.is_some()
    }

    /// Counts one request of this user under `limit`: 429 where they, or all at their address together, have asked too
    /// often. In open mode nothing is counted.
    pub async fn count(&self, limit: Limit) -> Result<()> {
        self.count_each(&[limit]).await
    }

    /// The same under each of `limits`.
    pub async fn count_each(&self, limits: &[Limit]) -> Result<()> {
        match (&self.proven, self.user_id()) {
            (Some(proven), Some(user)) => proven.visitor.count(limits, Who::User(user)).await,
            _ => Ok(()),
        }
    }

    /// How much the user may still store (variable `storage_quota_bytes`); `None`: as much as they like. To be asked
    /// before anything is taken in that will be stored: 413 if there is no room at all.
    pub async fn check_room(&self) -> Result<Option<Room>> {
        let (Some(proven), Some(user), Some(quota)) = (&self.proven, self.user_id(), self.quota())
        else {
            return Ok(None);
        };
        let mut left = quota.saturating_sub(proven.stored_bytes);
        if left == 0 {
            // Of what was abandoned nobody should have to wait for the end.
            left = quota.saturating_sub(Stored::without_abandoned(user).await?.bytes);
        }
        match left {
            0 => Err(Error::StorageFull),
            left => Ok(Some(Room {
                user: user.to_owned(),
                quota,
                left,
            })),
        }
    }

    /// How many bytes the user may store; `None`: as many as they like.
    pub fn quota(&self) -> Option<u64> {
        self.proven.as_ref()?.visitor.config.storage_quota_bytes
    }

    /// 413 where a user who stores so many bytes has no room for `more`, or none at all.
    pub fn check_bytes(&self, stored: i64, more: usize) -> Result<()> {
        let stored = u64::try_from(stored).unwrap_or(0);
        match self.quota() {
            Some(quota) if stored >= quota || stored + more as u64 > quota => {
                Err(Error::StorageFull)
            }
            _ => Ok(()),
        }
    }

    /// How many of something the user may have (variable `row_limits`); `None`: as many as they like.
    pub fn most(&self, thing: Thing) -> Option<i64> {
        self.proven.as_ref()?.visitor.config.row_limits.most(thing)
    }

    /// 413 where a user who has `count` already may not have another one.
    pub fn check_another(&self, thing: Thing, count: i64) -> Result<()> {
        match self.most(thing) {
            Some(most) if count >= most => Err(room::too_many(thing, most)),
            _ => Ok(()),
        }
    }

    /// Why a statement that makes one more of something, if the user may have it, has made none: 413, or `missing`.
    pub async fn why_no_other(&self, db: &mut Db, thing: Thing, missing: Error) -> Error {
        let Some(user) = self.user_id().filter(|_| self.most(thing).is_some()) else {
            return owner::not_found(db, self, missing).await;
        };
        match Stored::now(db, user).await {
            Ok(stored) => match self.check_another(thing, stored.count(thing)) {
                Ok(()) => owner::not_found(db, self, missing).await,
                Err(full) => full,
            },
            Err(error) => error.into(),
        }
    }
}
