//! Where the databases of a run of tests are: `KAFKA_TEST_DATABASE=libsql cargo test` puts them on libSQL servers for
//! tests, one for each application, but for the tests listed here.

use std::{env, thread};

/// Tests whose database is a file in any case, by the beginning of their names, and why.
pub const ON_FILE: [(&str, &str); 6] = [
    (
        "api::file_change::names_of_files_are_harmless",
        NUL_ENDS_A_TEXT,
    ),
    (
        "api::versions::every_version_can_be_restored_byte_for_byte",
        NUL_ENDS_A_TEXT,
    ),
    (
        "api::ready::a_database_that_can_not_be_written_is_not_ready",
        FULL_DISK,
    ),
    ("realtime::full_disk::", FULL_DISK),
    ("realtime::flushes::", FLUSHES),
    (
        "realtime::feed::changes::a_change_costs_no_flush_more",
        FLUSHES,
    ),
];

const NUL_ENDS_A_TEXT: &str =
    "the crate behind the server for tests ends texts at NUL, which the real server does not";

const FULL_DISK: &str = "the disk that is full is the embedded host's";

const FLUSHES: &str = "the flushes that are counted are the embedded host's";

/// Whether the database of the test that asks is to be on a server.
pub fn is_asked_for_servers() -> bool {
    // The test harness names threads like their tests.
    let current = thread::current();
    let test = current.name().unwrap_or_default();
    let is_on_file = ON_FILE.iter().any(|(name, _)| test.starts_with(name));
    match env::var("KAFKA_TEST_DATABASE").as_deref() {
        Err(env::VarError::NotPresent) | Ok("file") => false,
        Ok("libsql") => !is_on_file,
        other => panic!("KAFKA_TEST_DATABASE is {other:?}, neither file nor libsql"),
    }
}
