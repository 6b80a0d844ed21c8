//! Where the databases of a run of tests are: `KAFKA_TEST_DATABASE=libsql cargo test` puts them on libSQL servers for
//! tests, one for each application, but for the tests listed here.

use std::{env, thread};

/// Tests whose database is a file in any case, by the beginning of their names, and why.
pub const ON_FILE: [(&str, &str); 0] = [];

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
