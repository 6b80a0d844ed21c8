//! Codes that are tried: how a person is never kept out by those who guess, and no code is guessed.
//!
//! From one address, five codes may be tried in ten minutes. From all together it is five hundred for one e-mail; but
//! strangers with many addresses use those up in a second. So a caller who has not tried before (lately) is let through in any
//! case: the right code is right, and only a wrong one is too many. What bounds those tries is that they are
//! remembered for half a day: for an e-mail that had thousands, new codes are so long that no number of tries is enough
//! ([`hammered`]).

use std::net::IpAddr;

use super::{Counted, Limit, Limits, Subject, one_spelling, refuse};
use crate::clock;
use crate::db::{Db, Transaction};
use crate::error::{Error, Result};
use crate::params;

/// What the row is called in which tries beyond the limit are counted, before ` of `.
pub(super) const HAMMERED: &str = "hammered";

/// How long it takes until a try beyond the limit is forgotten, if there were no others, in milliseconds.
const STEP: i64 = 24 * 60 * 60 * 1000 / 10_000;

/// With more of them not forgotten yet, codes get longer.
const MANY: i64 = 5_000;

/// No more are remembered, so that it is over half a day after the last.
const MOST: i64 = 2 * MANY;

const COUNT: &str = include_str!("hammered.sql");

impl Limits {
    /// Counts a code that is tried for an e-mail: [`Error::TooMany`] where it may not even be looked at. What is returned
    /// is the error of a wrong one, where that is not an ordinary one.
    pub async fn count_guess(&self, email: &str, address: Option<IpAddr>) -> Result<Option<Error>> {
        let limits = [Limit::Login, Limit::Guess];
        let counted = self
            .counted(&limits, Subject::Email(email), address)
            .await?;
        let shared = format!("{} of {}", Limit::Guess.name(), one_spelling(email));
        let own = format!("{shared} from ");
        let is_first = |it: &Counted| it.is_first && it.key.starts_with(&own);
        let is_first = counted.iter().any(is_first);
        let (shared, others): (Vec<_>, Vec<_>) =
            counted.into_iter().partition(|it| it.key == shared);
        refuse(&others)?;
        match refuse(&shared) {
            Ok(()) => Ok(None),
            Err(too_many) if is_first => {
                let parameters = params![key(email), clock::unix_millis(), STEP, MOST];
                Db::open().await?.execute(COUNT, parameters).await?;
                Ok(Some(too_many))
            }
            Err(too_many) => Err(too_many),
        }
    }
}

fn key(email: &str) -> String {
    format!("{HAMMERED} of {}", one_spelling(email))
}

/// How to find out whether so many codes were tried lately for an e-mail that ten digits are not enough: the key of a row
/// in `rate_limit`, and what its `free_at` is then later than.
pub fn hammered(email: &str) -> (String, i64) {
    (key(email), clock::unix_millis() + MANY * STEP)
}

/// Forgets the wrong codes that were tried for an e-mail, from whichever addresses: the right one has been shown.
pub async fn forget_guesses(tx: &mut Transaction<'_>, email: &str) -> Result<()> {
    super::forget(tx, &[Limit::Guess.name()], &[email]).await
}
