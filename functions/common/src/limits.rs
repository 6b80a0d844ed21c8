//! How often something may be asked for, per user and per address (token mode; contract: 429 with `Retry-After`).
//!
//! The generic cell rate algorithm: of each limit and each whom it is for, the database has the time at which nothing
//! of it is used up any more. A request moves that time on; one that would move it further ahead than the limit's
//! period is refused. So a limit of 60 in a minute lets 60 through at once, then one a second. All instances share the
//! rows, and one statement asks and counts. It is a statement of its own: what fails afterwards has been asked for, too.

use std::net::IpAddr;

use serde_json::json;

use crate::clock;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::params;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Attempts to log in.
    Login,
    /// Codes sent by mail.
    Code,
    /// What is said to models.
    Message,
    /// Uploads and saved versions.
    Upload,
}

impl Limit {
    const ALL: [Self; 4] = [Self::Login, Self::Code, Self::Message, Self::Upload];

    /// As the variable `rate_limits` and the rows call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Code => "code",
            Self::Message => "message",
            Self::Upload => "upload",
        }
    }
}

/// So many times more than one user may ask, all those may who share an address: an office, a mobile network.
const USERS_PER_ADDRESS: i64 = 4;

/// The longest period, in seconds.
const MAX_SECONDS: i64 = 24 * 60 * 60;

/// So many requests in so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    count: i64,
    period: i64,
}

/// The variable `rate_limits`: entries such as `message=60/60`, at most 60 in 60 seconds. What has no entry has no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits([Option<Rate>; 4]);

impl Limits {
    /// Reads the entries of the variable; the error names the one that is wrong.
    pub(crate) fn parse<'a>(entries: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut limits = Self::default();
        for entry in entries {
            let wrong = || format!("rate_limits: {entry:?} is no limit such as message=60/60");
            let (name, rate) = entry.split_once('=').ok_or_else(wrong)?;
            let limit = Limit::ALL.into_iter().find(|limit| limit.name() == name);
            let limit = limit.ok_or_else(wrong)?;
            let rate = rate.split_once('/').ok_or_else(wrong)?;
            let count: i64 = rate.0.parse().map_err(|_| wrong())?;
            let seconds: i64 = rate.1.parse().map_err(|_| wrong())?;
            let fits =
                (1..=MAX_SECONDS).contains(&seconds) && (1..=seconds * 1000).contains(&count);
            if !fits {
                return Err(wrong());
            }
            let period = seconds * 1000;
            limits.0[limit as usize] = Some(Rate { count, period });
        }
        Ok(limits)
    }

    /// Counts one request under `limit`, for the user or e-mail `who` and for the address it came from.
    ///
    /// 429 where either has asked too often.
    pub async fn count(
        &self,
        limit: Limit,
        who: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<()> {
        let Some(rate) = self.0[limit as usize] else {
            return Ok(());
        };
        let name = limit.name();
        let step = (rate.period / rate.count).max(1);
        let shared_step = (rate.period / (rate.count * USERS_PER_ADDRESS)).max(1);
        let from = address.map(|address| format!("{name} from {}", network(address)));
        let who = who.map(|who| json!([format!("{name} of {who}"), step, from, shared_step]));
        let from = from.as_ref().map(|from| json!([from, shared_step]));
        let asked: Vec<_> = who.into_iter().chain(from).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let now = clock::unix_millis();
        let mut db = Db::open().await?;
        let rows = db
            .query(COUNT, params![now, rate.period, json!(asked).to_string()])
            .await?;
        let wait = rows
            .iter()
            .filter(|row| row.int(0) != 0)
            .map(|row| row.int(1) + row.int(2) - now - rate.period)
            .max();
        match wait {
            Some(wait) => Err(Error::TooMany {
                retry_after: u64::try_from(wait).unwrap_or(0).div_ceil(1000).max(1),
            }),
            None => Ok(()),
        }
    }
}

/// Counts at ?1, under limits of the period ?2, what ?3 lists as `[key, step]`; returns of each whether it is refused,
/// when all of it is free again, and its step. What is listed as `[key, step, other key, other step]` does not count
/// while the other is refused: an address that asks too often uses up nobody's limit but its own.
const COUNT: &str = "
    INSERT INTO rate_limit (key, free_at, step, refused)
    SELECT value ->> 0, ?1 + (value ->> 1), value ->> 1, 0 FROM json_each(?3) AS asked
    WHERE NOT EXISTS (
        SELECT 1 FROM rate_limit AS other
        WHERE other.key = asked.value ->> 2 AND max(other.free_at, ?1) + (asked.value ->> 3) > ?1 + ?2
    )
    ON CONFLICT (key) DO UPDATE SET
        step = excluded.step,
        refused = max(free_at, ?1) + excluded.step > ?1 + ?2,
        free_at = CASE WHEN max(free_at, ?1) + excluded.step > ?1 + ?2 THEN free_at
            ELSE max(free_at, ?1) + excluded.step END
    RETURNING refused, free_at, step";

/// An address as limits see it: of IPv6 the network of 64 bits, because that is what one customer gets.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Limits, Rate, network};

    #[test]
    fn limits_are_read() {
        let limits = Limits::parse(["login=20/600", "message=60/60"].into_iter()).unwrap();
        let login = Rate {
            count: 20,
            period: 600_000,
        };
        assert_eq!(limits.0[Limit::Login as usize], Some(login));
        assert_eq!(limits.0[Limit::Code as usize], None);
        for wrong in [
            "login",
            "login=1",
            "login=0/1",
            "login=1/0",
            "login=-1/5",
            "login=1/99999999999",
            "nap=1/1",
            "login=1/2/3",
        ] {
            let error = Limits::parse([wrong].into_iter()).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_customer_of_ipv6_is_a_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
