//! Whom a request is made for, and what they may use up.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::limits::{Limit, Limits, Subject};
use crate::long_work::{Bound, Bounds, Kind};
use crate::room::{self, Room, RowLimits, Stored, Thing};

/// Whom a handler acts for.
#[derive(Debug, Clone)]
pub struct Caller {
    user_id: Option<String>,
    /// Where the request came from, as far as that is known.
    address: Option<IpAddr>,
    /// `None` in open mode.
    proven: Option<Allowance>,
}

/// What a caller who has logged in may use up, and has stored already.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// Bytes that they had stored when the request began.
    pub stored_bytes: u64,
    /// The variable `rate_limits`.
    pub limits: &'static Limits,
    /// The variable `long_work`.
    pub long_work: &'static Bounds,
    /// The user's own quota, or the variable `storage_quota_bytes`; `None`: as much as they like.
    pub quota: Option<u64>,
    /// The variable `row_limits`.
    pub row_limits: &'static RowLimits,
}

impl Caller {
    /// Who has logged in as this user.
    pub fn proven(user_id: String, address: Option<IpAddr>, proven: Allowance) -> Self {
        Self {
            user_id: Some(user_id),
            address,
            proven: Some(proven),
        }
    }

    /// Any caller in open mode, where the name of a user is believed.
    pub fn unproven(user_id: Option<String>, address: Option<IpAddr>) -> Self {
        Self {
            user_id,
            address,
            proven: None,
        }
    }

    /// The user who must own every id of the request. `None`: open mode, and the request names no user, so knowing an
    /// id is the right to use it. Made for binding into SQL as `(?1 IS NULL OR owner_id = ?1)`.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Where the request came from, as the table `audit` has it.
    pub fn address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// Whether the user is known to exist: they have a session.
    pub fn is_proven(&self) -> bool {
        self.proven.is_some()
    }

    /// Counts one request of this user under `limit`: an error where they, or all at their address together, have asked
    /// too often. In open mode nothing is counted.
    pub async fn count(&self, limit: Limit) -> Result<()> {
        self.count_each(&[limit]).await
    }

    /// The same under each of `limits`.
    pub async fn count_each(&self, limits: &[Limit]) -> Result<()> {
        match (&self.proven, self.user_id()) {
            (Some(proven), Some(user)) => {
                let who = Subject::User(user);
                proven.limits.count(limits, who, self.address).await
            }
            _ => Ok(()),
        }
    }

    /// How much the user may still store ([`Allowance::quota`]); `None`: as much as they like. To be asked
    /// before anything is taken in that will be stored: an error if there is no room at all.
    pub async fn check_room(&self) -> Result<Option<Room>> {
        let (Some(proven), Some(user), Some(quota)) = (&self.proven, self.user_id(), self.quota())
        else {
            return Ok(None);
        };
        let mut left = quota.saturating_sub(proven.stored_bytes);
        if left == 0 {
            // No request should have to wait until what was abandoned is removed.
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

    /// How much long work of a kind there may be (variable `long_work`); `None`: there is no bound.
    pub(crate) fn bound(&self, kind: Kind) -> Option<Bound> {
        self.proven.as_ref()?.long_work.of(kind)
    }

    /// How many bytes the user may store; `None`: as many as they like.
    pub fn quota(&self) -> Option<u64> {
        self.proven.as_ref()?.quota
    }

    /// An error where a user who stores so many bytes has no room for `more`, or none at all.
    pub fn check_bytes(&self, stored: i64, more: usize) -> Result<()> {
        match stored > self.most_bytes_before(more) {
            true => Err(Error::StorageFull),
            false => Ok(()),
        }
    }

    /// How many bytes the user may store already where there is to be room for `more`; negative: there never is.
    pub fn most_bytes_before(&self, more: usize) -> i64 {
        let Some(quota) = self.quota() else {
            return i64::MAX;
        };
        let quota = i64::try_from(quota).unwrap_or(i64::MAX);
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        quota - more.max(1)
    }

    /// How many of something the user may have (variable `row_limits`); `None`: as many as they like.
    pub fn most(&self, thing: Thing) -> Option<i64> {
        self.proven.as_ref()?.row_limits.most(thing)
    }

    /// An error where a user who has `count` already may not have another one.
    pub fn check_another(&self, thing: Thing, count: i64) -> Result<()> {
        match self.most(thing) {
            Some(most) if count >= most => Err(room::too_many(thing, most)),
            _ => Ok(()),
        }
    }
}
