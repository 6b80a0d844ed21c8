//! The load whose writes are recorded: many sessions on two threads, each commit acknowledged in a file.

use crate::support::{on_one_thread, on_two_threads, run};
use kafka_host::storage::{Database, Durability, Options, Session, Value};
use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::Arc,
};

/// The folder to work in; without it, the process was not started by the test.
pub const FOLDER: &str = "KAFKA_RECORD_FOLDER";
/// Set if commits are to be acknowledged without being durable.
pub const UNSAFE: &str = "KAFKA_POWER_CUT_UNSAFE";
/// Set if every other writer does not wait for a flush (`PRAGMA synchronous = NORMAL`).
pub const HASTY: &str = "KAFKA_POWER_CUT_HASTY";
/// Name of the database's file.
pub const DATABASE: &str = "test.db";
/// Name of the file of acknowledgements: eight bytes each, writer and number.
pub const ACKNOWLEDGED: &str = "acknowledged";
/// The first acknowledgement: the database is open and has its tables.
pub const READY: [u8; 8] = [0xff; 8];

const WRITERS_PER_THREAD: usize = 8;
const COMMITS: u32 = 40;

/// Whether a writer does not wait, where some do not.
pub fn is_hasty(writer: i64) -> bool {
    writer % 2 == 1
}

/// The eight bytes that acknowledge a commit.
pub fn acknowledgement(writer: u32, number: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&writer.to_le_bytes());
    bytes[4..].copy_from_slice(&number.to_le_bytes());
    bytes
}

#[test]
#[ignore = "the power cut tests run it in a process of its own"]
fn load() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let durability = match env::var_os(UNSAFE) {
        Some(_) => Durability::Process,
        None => Durability::Shared,
    };
    let acknowledged = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(ACKNOWLEDGED));
    let acknowledged = Arc::new(acknowledged.unwrap());
    let options = Options {
        durability,
        // Often, so that the log is moved, and begun again, many times during the load.
        checkpoint_pages: 40,
        ..Options::default()
    };
    let database = on_one_thread(async {
        let database = Database::open(&folder.join(DATABASE), options)
            .await
            .unwrap();
        let mut session = database.session();
        let columns = "(writer, number, text, PRIMARY KEY (writer, number))";
        run(&mut session, &format!("CREATE TABLE one {columns}")).await;
        run(&mut session, &format!("CREATE TABLE two {columns}")).await;
        // The tables are there whatever the durability of what follows.
        database.close().await.unwrap();
        database
    });
    acknowledge(&acknowledged, READY);
    let some_are_hasty = env::var_os(HASTY).is_some();
    on_two_threads(WRITERS_PER_THREAD, |writer| {
        let (database, acknowledged) = (database.clone(), acknowledged.clone());
        async move {
            let mut session = database.session();
            if some_are_hasty && is_hasty(writer as i64) {
                run(&mut session, "PRAGMA synchronous = NORMAL").await;
            }
            for number in 0..COMMITS {
                commit(&mut session, writer as u32, number).await;
                acknowledge(&acknowledged, acknowledgement(writer as u32, number));
            }
        }
    });
}

fn acknowledge(mut acknowledged: &File, bytes: [u8; 8]) {
    acknowledged.write_all(&bytes).unwrap();
}

/// Every other commit is one statement; the others write to both tables.
async fn commit(session: &mut Session, writer: u32, number: u32) {
    // Sometimes more than a page, so that the log is moved into the database a few times.
    let text = "x".repeat(500 + 9000 * (number as usize % 3));
    let row = vec![
        Value::Integer(writer.into()),
        Value::Integer(number.into()),
        Value::Text(text),
    ];
    if number.is_multiple_of(2) {
        session
            .execute("INSERT INTO one VALUES (?1, ?2, ?3)", row)
            .await
            .unwrap();
    } else {
        run(session, "BEGIN IMMEDIATE").await;
        session
            .execute("INSERT INTO one VALUES (?1, ?2, ?3)", row.clone())
            .await
            .unwrap();
        session
            .execute("INSERT INTO two VALUES (?1, ?2, ?3)", row)
            .await
            .unwrap();
        run(session, "COMMIT").await;
    }
}
