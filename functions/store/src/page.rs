//! Lists in pages: in insertion order, which is rowid order, beginning after a place that the page before has named.
//!
//! A page costs the same wherever in the list it is, because an index finds its place, and what is added or removed
//! meanwhile makes no page show a thing twice. Nor does it leave one out, unless the last thing of a page is deleted
//! together with whatever is newer in its table, be it whose it may: SQLite gives their places again, so that what is
//! added then may come to be before the cursor.

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use crate::api::page::MAX_LIMIT;
use crate::db::{self, Row};

/// How many things a page has unless it is said.
pub const DEFAULT_LIMIT: i64 = 50;

/// A place in a list, which clients pass on as opaque text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    rowid: i64,
    /// How many things are before it and at it: some lists number theirs. Of a list of the latest: its number there.
    number: i64,
}

impl Cursor {
    /// Before the first thing.
    pub const START: Self = Self {
        rowid: 0,
        number: 0,
    };

    /// Reads what [`Self::text`] wrote. Of 32 digits, any are a place, if perhaps behind the end.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return None;
        }
        let (rowid, number) = text.split_at(16);
        let read = |digits| u64::from_str_radix(digits, 16).ok();
        let place = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Some(Self {
            rowid: place(read(rowid)?),
            number: place(read(number)?),
        })
    }

    /// The text for clients.
    pub fn text(self) -> String {
        format!("{:016x}{:016x}", self.rowid, self.number)
    }
}

/// A part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    limit: i64,
    after: Cursor,
}

impl Page {
    /// At most `limit` things after a place.
    pub fn new(limit: i64, after: Cursor) -> Self {
        Self { limit, after }
    }

    /// How many rows to read: one more than are shown, which tells whether there is another page.
    pub fn limit(self) -> i64 {
        self.limit + 1
    }

    /// The rowid after which to read.
    pub fn after(self) -> i64 {
        self.after.rowid
    }

    /// The number and the rowid before which to read a list of the latest first ([`Self::of_latest`]).
    pub fn before(self) -> (i64, i64) {
        match self.after {
            Cursor::START => (i64::MAX, i64::MAX),
            Cursor { rowid, number } => (number, rowid),
        }
    }

    /// As [`Self::of`], for a list that is ordered by a number, the largest first: by the columns `active_ms` and `place`,
    /// which is NULL in the only row of an empty list. What changes its number meanwhile may be on two pages, or on none.
    pub fn of_latest<R: DeserializeOwned, T>(
        self,
        rows: Vec<Row>,
        mut show: impl FnMut(R) -> T,
    ) -> db::Result<Option<(Vec<T>, Option<String>)>> {
        self.collect(rows, |row, _| {
            let (Some(rowid), Some(number)) =
                row.read::<Latest>().map(|it| (it.place, it.active_ms))?
            else {
                return Ok(None);
            };
            Ok(Some((Cursor { rowid, number }, show(row.read()?))))
        })
    }

    /// The things of the page and the cursor of the next one, from rows whose column `rowid` is that of a thing, or NULL
    /// in the only row of an empty list. `show` gets what else is in a row and the thing's number, counted from 1.
    /// `None` without any row: there is no such list.
    pub fn of<R: DeserializeOwned, T>(
        self,
        rows: Vec<Row>,
        mut show: impl FnMut(R, i64) -> T,
    ) -> db::Result<Option<(Vec<T>, Option<String>)>> {
        self.collect(rows, |row, last| {
            let Position { rowid: Some(rowid) } = row.read()? else {
                return Ok(None);
            };
            let number = last.number.saturating_add(1);
            let place = Cursor { rowid, number };
            Ok(Some((place, show(row.read()?, number))))
        })
    }

    /// What `read` finds in each row, with its place; it gets the place of the row before. `None` without any row.
    fn collect<T>(
        self,
        rows: Vec<Row>,
        mut read: impl FnMut(&mut Row, Cursor) -> db::Result<Option<(Cursor, T)>>,
    ) -> db::Result<Option<(Vec<T>, Option<String>)>> {
        if rows.is_empty() {
            return Ok(None);
        }
        let shown = usize::try_from(self.limit).unwrap_or(0);
        let has_more = rows.len() > shown;
        let mut last = self.after;
        let mut list = Vec::with_capacity(rows.len());
        for mut row in rows.into_iter().take(shown) {
            if let Some((place, thing)) = read(&mut row, last)? {
                last = place;
                list.push(thing);
            }
        }
        Ok(Some((list, has_more.then(|| last.text()))))
    }
}

/// Where in a list of the latest a row is.
#[derive(Deserialize)]
struct Latest {
    place: Option<i64>,
    active_ms: Option<i64>,
}

/// Where in a list a row is.
#[derive(Deserialize)]
struct Position {
    rowid: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn cursors_survive_the_way() {
        for (rowid, number) in [(0, 0), (1, 1), (255, 16), (i64::MAX, i64::MAX)] {
            let cursor = Cursor { rowid, number };
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        assert_eq!(Cursor::START.text(), "0".repeat(32));
    }
}
