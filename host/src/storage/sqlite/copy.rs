//! A whole database from one connection to another, page by page (SQLite's online backup).

use super::{Connection, Error};
use libsql::ffi;

impl Connection {
    /// Replaces the database of `target`, all of it in one read of this one, so that it is one moment's.
    pub(in crate::storage) fn copy_to(&self, target: &Self) -> Result<(), Error> {
        let main = c"main".as_ptr();
        // SAFETY: both connections are open and, being borrowed, stay so; no other code uses them meanwhile. The copy
        // is finished before this returns, whatever the step returned.
        let (step, end) = unsafe {
            let copy = ffi::sqlite3_backup_init(target.raw(), main, self.raw(), main);
            if copy.is_null() {
                return Err(target.handle.error(""));
            }
            let step = ffi::sqlite3_backup_step(copy, -1);
            (step, ffi::sqlite3_backup_finish(copy))
        };
        match (step, end) {
            (ffi::SQLITE_DONE, ffi::SQLITE_OK) => Ok(()),
            // A lock that could not be had is an error of the step only.
            (code, ffi::SQLITE_OK) => Err(Error::Sqlite {
                code,
                message: "the database is locked".into(),
            }),
            _ => Err(target.handle.error("")),
        }
    }
}
