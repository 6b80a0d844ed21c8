//! A prepared statement: bind, step, read the rows, reset.

use super::{
    authorizer::Class,
    failure::{last_error, too_big},
};
use crate::storage::{Error, QueryResult, Value};
use libsql::ffi;
use std::{
    ffi::{CStr, c_int},
    ptr::NonNull,
    slice, str,
};

/// A prepared statement. It is always reset and without parameters while it does not run.
pub(in crate::storage) struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    class: Class,
}

// SAFETY: a statement moves only together with the connection that owns it, and that may move between threads.
unsafe impl Send for Statement {}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `sqlite3_prepare_v3` and is finalized once, before its connection is closed.
        unsafe { ffi::sqlite3_finalize(self.raw()) };
    }
}

/// Resets a statement and lets go of its parameters, however its run ends: SQLite holds pointers to them, and a
/// statement that isn't reset would silently run with its old ones.
struct Execution<'a>(&'a mut Statement);

impl Drop for Execution<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement lives. The result of `reset` is that of the last step, which was looked at there.
        unsafe {
            ffi::sqlite3_reset(self.0.raw());
            ffi::sqlite3_clear_bindings(self.0.raw());
        }
    }
}

impl Statement {
    /// Takes over a prepared statement.
    ///
    /// # Safety
    /// The pointer must be a statement that no other code uses or finalizes, and the result must not outlive its
    /// connection.
    pub(super) unsafe fn new(raw: NonNull<ffi::sqlite3_stmt>, class: Class) -> Self {
        Self { raw, class }
    }

    /// The kind of the statement.
    pub(super) fn class(&self) -> Class {
        self.class
    }

    /// Runs the statement to its end and returns its rows, if they take at most `limit` bytes.
    pub(in crate::storage) fn run(
        &mut self,
        parameters: &[Value],
        limit: usize,
    ) -> Result<QueryResult, Error> {
        // SAFETY: the statement lives.
        let needed = unsafe { ffi::sqlite3_bind_parameter_count(self.raw()) };
        let needed = usize::try_from(needed).unwrap_or_default();
        let got = parameters.len();
        if got != needed {
            return Err(Error::Parameters { got, needed });
        }
        let running = Execution(self);
        for (index, parameter) in (1..).zip(parameters) {
            running.0.bind(index, parameter)?;
        }
        running.0.rows(limit)
    }

    /// Gives SQLite a pointer to a parameter, not a copy: [`Execution`] takes it back while the parameter still lives.
    fn bind(&self, index: c_int, parameter: &Value) -> Result<(), Error> {
        // SAFETY: pointers and lengths describe the parameter, which outlives the run (see above).
        let code = unsafe {
            match parameter {
                Value::Null => ffi::sqlite3_bind_null(self.raw(), index),
                Value::Integer(value) => ffi::sqlite3_bind_int64(self.raw(), index, *value),
                Value::Real(value) => ffi::sqlite3_bind_double(self.raw(), index, *value),
                Value::Text(text) => ffi::sqlite3_bind_text64(
                    self.raw(),
                    index,
                    text.as_ptr().cast(),
                    text.len() as u64,
                    None,
                    ffi::SQLITE_UTF8 as u8,
                ),
                // An empty vector's pointer is not NULL, so that an empty blob doesn't become NULL.
                Value::Blob(bytes) => ffi::sqlite3_bind_blob64(
                    self.raw(),
                    index,
                    bytes.as_ptr().cast(),
                    bytes.len() as u64,
                    None,
                ),
            }
        };
        match code {
            ffi::SQLITE_OK => Ok(()),
            ffi::SQLITE_TOOBIG => Err(too_big()),
            _ => Err(self.error()),
        }
    }

    fn rows(&self, limit: usize) -> Result<QueryResult, Error> {
        let mut result = QueryResult::default();
        let mut size = 0;
        // The columns are read after the first step: it may have prepared the statement again for a changed schema.
        let mut more = self.step()?;
        // SAFETY: the statement lives.
        let columns = unsafe { ffi::sqlite3_column_count(self.raw()) };
        for column in 0..columns {
            result.columns.push(self.column_name(column));
        }
        while more {
            let mut row = Vec::with_capacity(result.columns.len());
            for column in 0..columns {
                let value = self.column(column)?;
                size += value.size();
                if size > limit {
                    return Err(Error::ResultTooLarge(limit));
                }
                row.push(value);
            }
            result.rows.push(row);
            more = self.step()?;
        }
        Ok(result)
    }

    /// Goes to the next row; false at the end.
    fn step(&self) -> Result<bool, Error> {
        // SAFETY: the statement lives.
        match unsafe { ffi::sqlite3_step(self.raw()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            _ => Err(self.error()),
        }
    }

    fn column_name(&self, column: c_int) -> String {
        // SAFETY: the column exists; the name lives until the statement is changed, and is copied here.
        unsafe {
            let name = ffi::sqlite3_column_name(self.raw(), column);
            if name.is_null() {
                return String::new();
            }
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }

    fn column(&self, column: c_int) -> Result<Value, Error> {
        let raw = self.raw();
        // SAFETY: the statement is on a row that has this column. The value is asked for before its length, as SQLite
        // wants it.
        Ok(match unsafe { ffi::sqlite3_column_type(raw, column) } {
            ffi::SQLITE_INTEGER => {
                // SAFETY: as before.
                Value::Integer(unsafe { ffi::sqlite3_column_int64(raw, column) })
            }
            ffi::SQLITE_FLOAT => {
                // SAFETY: as before.
                Value::Real(unsafe { ffi::sqlite3_column_double(raw, column) })
            }
            ffi::SQLITE_TEXT => {
                // SAFETY: as before.
                let bytes = unsafe { self.bytes(ffi::sqlite3_column_text(raw, column), column) }?;
                let text = str::from_utf8(bytes);
                let text = text.map_err(|_| Error::NotUtf8(column.unsigned_abs() as usize))?;
                Value::Text(text.to_owned())
            }
            ffi::SQLITE_BLOB => {
                // SAFETY: as before.
                let bytes =
                    unsafe { self.bytes(ffi::sqlite3_column_blob(raw, column).cast(), column) };
                Value::Blob(bytes?.to_vec())
            }
            _ => Value::Null,
        })
    }

    /// The bytes of a text or blob.
    ///
    /// # Safety
    /// `start` must be what SQLite just returned for this column of the current row, and the result must be used
    /// before the statement is.
    unsafe fn bytes(&self, start: *const u8, column: c_int) -> Result<&[u8], Error> {
        // SAFETY: as the caller promises.
        let length = unsafe { ffi::sqlite3_column_bytes(self.raw(), column) };
        match usize::try_from(length) {
            // SQLite has no pointer for an empty blob.
            Ok(0) => Ok(&[]),
            // SAFETY: SQLite returned this number of bytes.
            Ok(length) if !start.is_null() => Ok(unsafe { slice::from_raw_parts(start, length) }),
            // It ran out of memory while converting.
            _ => Err(self.error()),
        }
    }

    fn error(&self) -> Error {
        // SAFETY: the statement's connection is open, and no other code uses it.
        unsafe { last_error(ffi::sqlite3_db_handle(self.raw())) }
    }

    fn raw(&self) -> *mut ffi::sqlite3_stmt {
        self.raw.as_ptr()
    }
}
