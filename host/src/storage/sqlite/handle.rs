//! An open database: how it is opened, what SQLite calls back, and how it is closed.

use super::{authorizer::Authorizer, failure::last_error};
use crate::storage::{Error, log_length::LogLength};
use libsql::ffi;
use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr::{self, NonNull},
    sync::{Arc, Once, OnceLock},
};

/// Bytes of the longest value or row; SQLite's own limit would let one statement take a gigabyte.
const MAX_VALUE: c_int = 128 * 1024 * 1024;

/// Bytes that undoing one statement may take before they go to a file. Such files are among the system's temporary
/// ones, perhaps on the same full disk, and statements that make room must be undoable, too.
const UNDO_IN_MEMORY: c_int = 16 * 1024 * 1024;

static BEFORE_FIRST: Once = Once::new();

/// Settings of SQLite itself, which it accepts only before its first use.
fn set_up() {
    keep_memory();
    // SAFETY: this option takes one int. No other code of this process uses SQLite before; if it did, SQLite would
    // refuse the option, and nothing would change.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_STMTJRNL_SPILL, UNDO_IN_MEMORY) };
}

/// Makes the C library keep what SQLite frees. A long answer, such as the login of a user with thousands of chats, is
/// put together in blocks of a megabyte; without this they are new to the process each time, and the first access to
/// their pages takes a third of the time.
fn keep_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `mallopt` may be called at any time, by any thread; these are among the parameters it knows.
    unsafe {
        // From how many bytes on a block goes back to the system as soon as it is free.
        libc::mallopt(libc::M_MMAP_THRESHOLD, 8 * 1024 * 1024);
        // How many bytes each of its heaps keeps.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 16 * 1024 * 1024);
    }
}

/// An open SQLite database, closed when dropped.
pub(super) struct Handle {
    raw: NonNull<ffi::sqlite3>,
    /// SQLite holds a pointer to it while the database is open.
    pub(super) authorizer: Box<Authorizer>,
    /// The same goes for what this points to, once it is set.
    log: OnceLock<Arc<LogLength>>,
}

// SAFETY: SQLite is compiled thread-safe, and a connection may move between threads.
unsafe impl Send for Handle {}
// SAFETY: through a shared `Handle` other threads can only interrupt, which SQLite allows (see the parent module's
// text); the authorizer is an atomic, and the log's length is safe to share.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `sqlite3_open_v2` and is closed once. Statements are gone before: the cache
        // is dropped before the connection's handle.
        unsafe { ffi::sqlite3_close_v2(self.raw.as_ptr()) };
    }
}

impl Handle {
    /// Opens the database in a file, with flags of `sqlite3_open_v2`.
    pub(super) fn open(path: &Path, flags: c_int) -> Result<Self, Error> {
        BEFORE_FIRST.call_once(set_up);
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| Error::File {
            path: path.display().to_string(),
            source: error.into(),
        })?;
        let flags = flags | ffi::SQLITE_OPEN_NOMUTEX;
        let mut raw = ptr::null_mut();
        // SAFETY: the name ends with NUL, and `raw` is a place for the result.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut raw, flags, ptr::null()) };
        let Some(raw) = NonNull::new(raw) else {
            return Err(Error::Sqlite {
                code,
                message: "out of memory".into(),
            });
        };
        // Also when opening failed: SQLite wants the handle closed then, too.
        let handle = Self {
            raw,
            authorizer: Box::default(),
            log: OnceLock::new(),
        };
        if code != ffi::SQLITE_OK {
            return Err(handle.error(""));
        }
        handle.configure();
        Ok(handle)
    }

    pub(super) fn raw(&self) -> *mut ffi::sqlite3 {
        self.raw.as_ptr()
    }

    fn configure(&self) {
        let raw = self.raw();
        // SAFETY: the connection is open; the variadic arguments are those that the option's documentation asks for.
        unsafe {
            ffi::sqlite3_extended_result_codes(raw, 1);
            ffi::sqlite3_limit(raw, ffi::SQLITE_LIMIT_LENGTH, MAX_VALUE);
            let no_answer = ptr::null_mut::<c_int>();
            ffi::sqlite3_db_config(raw, ffi::SQLITE_DBCONFIG_DEFENSIVE, 1 as c_int, no_answer);
            // A plan does not depend on parameters. Else SQLite prepares some statements again for each new value, which
            // takes longer than they do.
            ffi::sqlite3_db_config(raw, ffi::SQLITE_DBCONFIG_ENABLE_QPSG, 1 as c_int, no_answer);
        }
    }

    /// From now on every commit reports the length of the write-ahead log to `log`, and SQLite does not move it by
    /// itself.
    pub(super) fn report_to(&self, log: Arc<LogLength>) {
        let log: *const LogLength = &**self.log.get_or_init(|| log);
        // SAFETY: the handle owns it as long as the connection is open, and the callback only reads through the
        // pointer.
        unsafe { ffi::sqlite3_wal_hook(self.raw(), Some(committed), log.cast_mut().cast()) };
    }

    /// From now on statements may do only what a component may.
    pub(super) fn guard(&self) {
        let authorizer: *const Authorizer = &*self.authorizer;
        // SAFETY: the box lives as long as the connection is open, and the callback only reads through the pointer.
        unsafe {
            ffi::sqlite3_set_authorizer(self.raw(), Some(authorize), authorizer.cast_mut().cast());
        }
    }

    /// The connection's last error; `sql` is the text that was being prepared.
    pub(super) fn error(&self, sql: &str) -> Error {
        // SAFETY: the connection is open, and no other code uses it.
        let (error, offset) = unsafe {
            (
                last_error(self.raw()),
                ffi::sqlite3_error_offset(self.raw()),
            )
        };
        match error {
            // The words of Spin's SQLite library for an error whose place in the text is known.
            Error::Sqlite { code, message } if code & 0xff == ffi::SQLITE_ERROR && offset >= 0 => {
                let message = format!("{message} in {sql} at offset {offset}");
                Error::Sqlite { code, message }
            }
            other => other,
        }
    }
}

/// Stops a connection's running statement from another thread.
#[derive(Clone)]
pub(in crate::storage) struct Interrupter(pub(super) Arc<Handle>);

impl Interrupter {
    /// Makes the statement that runs now fail with `interrupted`. Without one, does nothing.
    pub(in crate::storage) fn interrupt(&self) {
        // SAFETY: the handle is open as long as we hold it, and this function may be called from any thread.
        unsafe { ffi::sqlite3_interrupt(self.0.raw.as_ptr()) };
    }
}

/// Reports a commit to the [`LogLength`].
unsafe extern "C" fn committed(
    log: *mut c_void,
    _connection: *mut ffi::sqlite3,
    _database: *const c_char,
    pages: c_int,
) -> c_int {
    // SAFETY: `report_to` gave SQLite this pointer, and it lives as long as the connection.
    let log = unsafe { &*log.cast::<LogLength>() };
    log.committed(pages.unsigned_abs());
    ffi::SQLITE_OK
}

/// Asks the [`Authorizer`].
unsafe extern "C" fn authorize(
    authorizer: *mut c_void,
    code: c_int,
    first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    // SAFETY: `guard` gave SQLite this pointer, and it lives as long as the connection.
    let authorizer = unsafe { &*authorizer.cast::<Authorizer>() };
    let text = |pointer: *const c_char| {
        // SAFETY: SQLite passes either NULL or a string that lives during this call.
        (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy())
    };
    authorizer.decide(code, text(first).as_deref(), text(second).as_deref())
}
