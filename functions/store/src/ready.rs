//! Whether the database is of use: it has the schema that this program knows, and can be written.

use serde::Deserialize;

use crate::clock;
use crate::db::{self, Db};
use crate::params;

const LOOK: &str = include_str!("ready/look.sql");
const WRITE: &str = include_str!("ready/write.sql");

/// Why the database is of no use now.
#[derive(Debug)]
pub enum Unready {
    /// It has another schema than this program knows.
    Schema {
        /// The newest migration in the database.
        found: i64,
        /// The newest one this program has.
        known: i64,
    },
    /// It can't be read, or not be written.
    Failed(db::Error),
}

impl From<db::Error> for Unready {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::TooNew { found, known } => Self::Schema { found, known },
            error => Self::Failed(error),
        }
    }
}

#[derive(Deserialize)]
struct Look {
    version: i64,
    is_proven: bool,
}

/// The version of the schema, if the database is of use. However often and from wherever this is asked, the database is
/// written once a second at most.
pub async fn check() -> Result<i64, Unready> {
    let mut db = Db::open().await?;
    let now = clock::unix_millis();
    let look: Option<Look> = db.query_one_as(LOOK, params![now]).await?;
    let (found, is_proven) = look.map_or((0, false), |look| (look.version, look.is_proven));
    let known = db::newest_migration();
    if found != known {
        return Err(Unready::Schema { found, known });
    }
    if !is_proven {
        db.execute(WRITE, params![now]).await?;
    }
    Ok(found)
}
