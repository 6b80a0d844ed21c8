//! How requests fail.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Its connection is closed before anything is done.
    Cut,
    /// It is done, and its connection is closed without an answer.
    CutAfter,
    /// It is done, and its connection is closed in the middle of the answer.
    CutInside,
    /// It is answered like this, and not done.
    Status(u16),
    /// It is done later.
    Delay(Duration),
    /// Others have the database.
    Busy,
    /// Its transaction was open for too long, and was undone.
    RolledBack,
    /// Its stream was idle for too long, and is not known any more.
    Forgotten,
}

/// Those that were asked for and have not happened yet.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Asked>>);

struct Asked {
    sql: String,
    /// How many requests are still spared.
    spared: usize,
    fault: Fault,
}

impl Faults {
    pub(super) fn add(&self, sql: &str, spared: usize, fault: Fault) {
        self.asked().push(Asked {
            sql: sql.to_owned(),
            spared,
            fault,
        });
    }

    pub(super) fn clear(&self) {
        self.asked().clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.asked().is_empty()
    }

    /// What happens to a request with these statements. One that only closes a stream does not fail.
    pub(super) fn of<'a>(&self, mut statements: impl Iterator<Item = &'a str>) -> Option<Fault> {
        let mut asked = self.asked();
        let found = statements.find_map(|statement| {
            asked
                .iter()
                .position(|asked| statement.contains(&asked.sql))
        })?;
        match asked[found].spared.checked_sub(1) {
            Some(spared) => {
                asked[found].spared = spared;
                None
            }
            None => Some(asked.remove(found).fault),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.lock().expect("no test panics with it")
    }
}
