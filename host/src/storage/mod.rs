//! SQLite for the components (`spin:sqlite` and `spin:key-value`), without anything of WebAssembly.
//!
//! * [`Database`]: one file; [`Session`]: one component's connection to it.
//! * Writers queue up and never meet inside SQLite (`session`); a commit is acknowledged when it is on the disk, and
//!   commits share syncs (`shared_sync`); the log is moved into the file behind their backs (`checkpoint`); free pages
//!   are given back (`vacuum`); what takes too long is stopped (`watchdog`).
//! * A component can't leave its file or change settings that others rely on (`sqlite::authorizer`, `sqlite::pragma`).
//! * A missing part of a database is noticed before it is opened (`mark`, `log_file`); the reserve for when the disk is
//!   full is kept for statements that free space (`space`).
//! * Copies of a file that is in use, for backups, and their changes (`copy`).
//! * [`KeyValue`]: the key-value stores, on a file of their own.
//!
//! Statements run on the thread that asks for them: they take microseconds, and handing them to another thread takes
//! longer than that.

mod checkpoint;
mod copy;
mod database;
mod error;
mod key_value;
mod log_file;
mod log_length;
mod mark;
mod pool;
mod schema;
mod session;
mod shared_sync;
mod space;
#[expect(
    unsafe_code,
    reason = "it calls SQLite's C interface; the module explains why that is needed, and sound"
)]
mod sqlite;
mod vacuum;
mod value;
mod watchdog;

pub use copy::{Inspected, copy, empty, inspect};
pub use database::{Database, Durability, Options, Sizes};
pub use error::Error;
pub use key_value::KeyValue;
pub use schema::Schema;
pub use session::Session;
pub use space::Space;
pub use vacuum::vacuum;
pub use value::{QueryResult, Value};
