//! How often something may be asked for, per user and per address (token mode).
//!
//! The generic cell rate algorithm: of each limit and each whom it is for, the database has the time at which nothing
//! of it is used up any more. A request moves that time on; one that would move it further ahead than the limit's
//! period is refused. So a limit of 60 in a minute lets 60 through at once, then one a second. All instances share the
//! rows, and one statement asks and counts. It is a statement of its own: what fails afterwards has been asked for, too.

mod guesses;

use std::net::IpAddr;

use kafka_net::customer;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::guesses::{forget_guesses, hammered};
use crate::api::MAX_RETRY_AFTER;
use crate::clock;
use crate::db::{Db, Transaction};
use crate::error::{Error, Result};
use crate::params;
use crate::variable::table;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Attempts to log in.
    Login,
    /// Codes sent by mail.
    Code,
    /// What is said to models.
    Message,
    /// What stores: uploads, saved versions, chats that begin with files.
    Upload,
    /// What makes a chat, a workspace or a model, or renames something.
    Create,
    /// Searches.
    Search,
    /// Codes that were tried: without this limit they could be guessed, so no variable changes it.
    Guess,
}

impl Limit {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Code,
        Self::Message,
        Self::Upload,
        Self::Create,
        Self::Search,
        Self::Guess,
    ];

    /// As the variable `rate_limits` and the rows call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Code => "code",
            Self::Message => "message",
            Self::Upload => "upload",
            Self::Create => "create",
            Self::Search => "search",
            Self::Guess => "guess",
        }
    }

    /// From how many addresses an e-mail's limit can be used up for all others; `None`: from none. Who asks for codes
    /// fills the person's mailbox, in which they find what they need all the same. Who tries codes keeps no caller out who
    /// has not tried any ([`guesses`]).
    const fn everywhere(self) -> Option<i64> {
        match self {
            Self::Code => Some(USERS_PER_ADDRESS),
            Self::Guess => Some(100),
            Self::Login | Self::Message | Self::Upload | Self::Create | Self::Search => None,
        }
    }
}

/// For whom a request is counted, besides the address it came from.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// An unknown caller.
    Nobody,
    /// A user who has logged in.
    User(&'a str),
    /// The user with this e-mail, which any caller can claim. So it is counted for the e-mail and the address
    /// together, and for the e-mail from wherever only as [`Limit::everywhere`] says: no single stranger uses up what
    /// the person needs.
    Email(&'a str),
}

/// So many times more than one user may ask, all those may who share an address: an office, a mobile network.
const USERS_PER_ADDRESS: i64 = 4;

/// Where strangers come from whom the platform gives no address. They share its limits: else they would have none.
const NOWHERE: &str = "nowhere";

/// Five codes in ten minutes, of which there are 10^10.
const GUESSES: Rate = Rate {
    count: 5,
    period: 10 * 60 * 1000,
};

/// So many requests in so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    count: i64,
    period: i64,
}

impl Rate {
    /// How far one request moves the time at which nothing is used up any more, where `times` as many may ask.
    fn step(self, times: i64) -> i64 {
        (self.period / (self.count * times)).max(1)
    }
}

/// The variable `rate_limits`: entries such as `message=60/60`, at most 60 in 60 seconds. What has no entry has no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits([Option<Rate>; Limit::ALL.len()]);

impl Default for Limits {
    fn default() -> Self {
        let mut limits = Self([None; Limit::ALL.len()]);
        limits.0[Limit::Guess as usize] = Some(GUESSES);
        limits
    }
}

impl Limits {
    /// Reads the entries of the variable; the error names the one that is wrong.
    pub fn parse(list: &str) -> Result<Self, String> {
        let rate = |[count, seconds]: [i64; 2]| {
            let fits =
                (1..=MAX_RETRY_AFTER).contains(&seconds) && (1..=seconds * 1000).contains(&count);
            fits.then(|| Rate {
                count,
                period: seconds * 1000,
            })
        };
        // What no variable changes has no name here.
        let names = Limit::ALL.map(|limit| match limit {
            Limit::Guess => "",
            _ => limit.name(),
        });
        let mut limits = table("rate_limits", "message=60/60", list, names, rate)?;
        limits[Limit::Guess as usize] = Some(GUESSES);
        Ok(Self(limits))
    }

    /// Counts one request under each of `limits`, for `who` and for the address it came from.
    ///
    /// [`Error::TooMany`] where either has asked too often.
    pub async fn count(
        &self,
        limits: &[Limit],
        who: Subject<'_>,
        address: Option<IpAddr>,
    ) -> Result<()> {
        refuse(&self.counted(limits, who, address).await?)
    }

    /// Counts one request under each of `limits`; how that went.
    async fn counted(
        &self,
        limits: &[Limit],
        who: Subject<'_>,
        address: Option<IpAddr>,
    ) -> Result<Vec<Counted>> {
        let asked = self.keys(limits, who, address.map(customer));
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let parameters = params![clock::unix_millis(), json!(asked).to_string()];
        Ok(Db::open().await?.query_as(COUNT, parameters).await?)
    }

    /// What [`COUNT`] counts, in that order: `[key, step, period]`. Last comes what all share who name an e-mail.
    fn keys(&self, limits: &[Limit], who: Subject<'_>, address: Option<IpAddr>) -> Vec<Value> {
        let from = match (address, who) {
            (Some(address), _) => Some(address.to_string()),
            (None, Subject::Nobody | Subject::Email(_)) => Some(NOWHERE.to_owned()),
            (None, Subject::User(_)) => None,
        };
        let (mut keys, mut shared) = (Vec::new(), Vec::new());
        for &limit in limits {
            let Some(rate) = self.0[limit as usize] else {
                continue;
            };
            let name = limit.name();
            let key = |key: String, times: i64| json!([key, rate.step(times), rate.period]);
            // No stranger uses up an office's limit by guessing: there is an e-mail to each guess.
            if let Some(from) = from.as_ref().filter(|_| limit != Limit::Guess) {
                keys.push(key(format!("{name} from {from}"), USERS_PER_ADDRESS));
            }
            match (who, &from) {
                (Subject::Email(email), Some(from)) => {
                    let email = one_spelling(email);
                    keys.push(key(format!("{name} of {email} from {from}"), 1));
                    if let Some(times) = limit.everywhere() {
                        shared.push(key(format!("{name} of {email}"), times));
                    }
                }
                (Subject::User(user), _) => keys.push(key(format!("{name} of {user}"), 1)),
                (Subject::Nobody | Subject::Email(_), _) => {}
            }
        }
        keys.append(&mut shared);
        keys
    }
}

/// What counting a request came to, for one limit and one of those whom it is for.
#[derive(Deserialize)]
struct Counted {
    key: String,
    is_refused: bool,
    /// Where it is refused: for how many milliseconds.
    wait: i64,
    /// Whether nothing was used up before.
    is_first: bool,
}

/// [`Error::TooMany`] where one of them is refused.
fn refuse(counted: &[Counted]) -> Result<()> {
    let refused = counted.iter().filter(|it| it.is_refused);
    match refused.map(|it| it.wait).max() {
        Some(wait) => Err(Error::TooMany {
            retry_after: u64::try_from(wait).unwrap_or(0).div_ceil(1000).max(1),
        }),
        None => Ok(()),
    }
}

/// An e-mail as limits see it: most mailboxes get what is sent to any spelling of their name. (Of ASCII: the tables for
/// all other letters are larger than all of this.)
fn one_spelling(email: &str) -> String {
    email.to_ascii_lowercase()
}

/// Forgets all that was counted for a user who leaves.
pub async fn forget_user(tx: &mut Transaction<'_>, id: &str, email: &str) -> Result<()> {
    let mut names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
    names.push(guesses::HAMMERED);
    forget(tx, &names, &[id, email]).await
}

/// Forgets what was counted under these names for these users or e-mails, from whichever addresses.
async fn forget(tx: &mut Transaction<'_>, names: &[&str], who: &[&str]) -> Result<()> {
    // Ids are in small letters anyway.
    let who: Vec<_> = who.iter().map(|who| one_spelling(who)).collect();
    tx.execute(
        FORGET,
        params![json!(names).to_string(), json!(who).to_string()],
    )
    .await?;
    Ok(())
}

const FORGET: &str = include_str!("limits/forget.sql");

const COUNT: &str = include_str!("limits/count.sql");

#[cfg(test)]
mod tests {
    use super::{GUESSES, Limit, Limits, Rate, Subject};

    #[test]
    fn limits_are_read() {
        let limits = Limits::parse("login=20/600, message=60/60").unwrap();
        let login = Rate {
            count: 20,
            period: 600_000,
        };
        assert_eq!(limits.0[Limit::Login as usize], Some(login));
        assert_eq!(limits.0[Limit::Code as usize], None);
        assert_eq!(limits.0[Limit::Guess as usize], Some(GUESSES));
        for wrong in [
            "login",
            "login=1",
            "login=0/1",
            "login=1/0",
            "login=-1/5",
            "login=1/99999999999",
            "nap=1/1",
            "guess=1/1",
            "=1/1",
            "login=1/2/3",
        ] {
            let error = Limits::parse(wrong).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn whoever_comes_from_nowhere_is_counted_too() {
        let limits = Limits::parse("login=20/600 code=10/3600").unwrap();
        let keys = |limit, who| -> Vec<String> {
            let keys = limits.keys(&[limit], who, None);
            let names = keys.iter().map(|key| key[0].as_str().unwrap().to_owned());
            names.collect()
        };
        assert_eq!(keys(Limit::Login, Subject::Nobody), ["login from nowhere"]);
        assert_eq!(
            keys(Limit::Code, Subject::Email("K@example.com")),
            [
                "code from nowhere",
                "code of k@example.com from nowhere",
                "code of k@example.com"
            ]
        );
    }
}
