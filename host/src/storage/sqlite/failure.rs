//! SQLite's failures as errors.

use crate::storage::Error;
use libsql::ffi;
use std::ffi::{CStr, c_int};

/// The last error of a connection.
///
/// # Safety
/// The pointer must be an open connection that no other thread uses meanwhile.
pub(super) unsafe fn last_error(raw: *mut ffi::sqlite3) -> Error {
    // SAFETY: as the caller promises; the message is a string that lives until the next call.
    let (code, message, system) = unsafe {
        let message = CStr::from_ptr(ffi::sqlite3_errmsg(raw));
        (
            ffi::sqlite3_extended_errcode(raw),
            message.to_string_lossy().into_owned(),
            ffi::sqlite3_system_errno(raw),
        )
    };
    let failed_outside = matches!(code & 0xff, ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN);
    plain_cause(system)
        .filter(|_| failed_outside)
        .unwrap_or(Error::Sqlite { code, message })
}

/// The error that SQLite has for some failures of the system, for others of the same kind, too: it knows of a full
/// disk, but not of a quota.
fn plain_cause(system: c_int) -> Option<Error> {
    let (code, message) = match system {
        libc::ENOSPC | libc::EDQUOT | libc::EFBIG => (ffi::SQLITE_FULL, "database or disk is full"),
        libc::EROFS => (ffi::SQLITE_READONLY, "attempt to write a readonly database"),
        _ => return None,
    };
    let message = message.into();
    Some(Error::Sqlite { code, message })
}

pub(super) fn too_big() -> Error {
    Error::Sqlite {
        code: ffi::SQLITE_TOOBIG,
        message: "string or blob too big".into(),
    }
}
