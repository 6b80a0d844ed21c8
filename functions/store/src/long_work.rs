//! How much work that goes on for long one user may have at a time, and all users together: replies, streams of events,
//! downloads, trials of models. (Short requests are limited by how often they come: [`crate::limits`].)
//!
//! A reply is counted by its row, as long as its heart beats. A stream, a download and a trial have a lease
//! ([`crate::lease`]). In open mode only replies are counted, and only in total, since who calls is who runs the server.

use crate::error::Error;
use crate::variable::table;

/// A kind of long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A reply that a model writes.
    Reply,
    /// A stream of server-sent events.
    Stream,
    /// A download of more than one chunk.
    Download,
    /// A trial of a model.
    Trial,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Reply, Self::Stream, Self::Download, Self::Trial];

    /// As the variable `long_work` and the rows call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Stream => "stream",
            Self::Download => "download",
            Self::Trial => "trial",
        }
    }

    /// The user has as much of it as they may.
    pub fn too_much(self) -> Error {
        Error::TooMuchAtOnce(match self {
            Self::Reply => {
                "You have too many replies running. Wait until one has ended, or stop one."
            }
            Self::Stream => "You have too many streams of events open. Close one.",
            Self::Download => "You have too many downloads running. Wait until one has ended.",
            Self::Trial => "You are trying too many models at once. Wait for their answers.",
        })
    }

    /// All users together have as much of it as the server bears.
    pub fn no_room(self) -> Error {
        Error::Unavailable(match self {
            Self::Reply => "Too many replies are running on this server. Please try again later.",
            Self::Stream => "Too many streams are open on this server. Please try again later.",
            Self::Download => {
                "Too many downloads are running on this server. Please try again later."
            }
            Self::Trial => {
                "Too many models are being tried on this server. Please try again later."
            }
        })
    }
}

/// How much there may be of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Of one user in token mode.
    pub per_user: i64,
    /// Of all users.
    pub in_total: i64,
}

/// The variable `long_work`: entries such as `reply=100/2000`, at most 100 of one user and 2000 in total. What has no entry
/// has no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds([Option<Bound>; 4]);

impl Bounds {
    /// Reads the entries of the variable; the error names the one that is wrong.
    pub fn parse(list: &str) -> Result<Self, String> {
        let names = Kind::ALL.map(Kind::name);
        let bound = |[per_user, in_total]: [i64; 2]| {
            (per_user > 0 && in_total > 0).then_some(Bound { per_user, in_total })
        };
        table("long_work", "reply=100/2000", list, names, bound).map(Self)
    }

    /// The bound of one kind; `None`: there is none.
    pub fn of(&self, kind: Kind) -> Option<Bound> {
        self.0[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Bounds, Kind};

    #[test]
    fn bounds_are_read() {
        let bounds = Bounds::parse("reply=100/2000 download=1/2").unwrap();
        let reply = Bound {
            per_user: 100,
            in_total: 2000,
        };
        assert_eq!(bounds.of(Kind::Reply), Some(reply));
        assert_eq!(bounds.of(Kind::Stream), None);
        for wrong in [
            "reply",
            "reply=1",
            "reply=0/1",
            "reply=1/0",
            "reply=-1/5",
            "nap=1/1",
            "reply=1/2/3",
        ] {
            let error = Bounds::parse(wrong).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
