//! The thread that moves the log into the database has nothing to do while a reader takes long, as a backup does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libsql::{Builder, OpenFlags};

use crate::support::{Multipart, PATIENCE, Server};

/// Bytes of a file: of more than a thousand pages.
const UPLOAD: usize = 5 << 20;

/// As the kernel cuts it.
const THREAD: &str = "sqlite-checkpoi";

/// How much work one of its threads has done, in clock ticks, of which there are a hundred in a second.
fn ticks(thread: &Path) -> u64 {
    let stat = fs::read_to_string(thread.join("stat")).expect("the thread is there");
    // After the name, which is in parentheses: fields 14 and 15 of proc_pid_stat(5).
    let (_, rest) = stat.rsplit_once(')').expect("it has a name");
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| fields[place].parse::<u64>().expect("a number");
    number(11) + number(12)
}

fn threads(server: &Server) -> Vec<PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.process_id())).expect("it runs");
    let tasks = tasks.map(|task| task.expect("an entry").path());
    tasks
        .filter(|task| {
            let name = fs::read_to_string(task.join("comm"));
            name.is_ok_and(|name| name.trim() == THREAD)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_reader_does_not_keep_the_log_being_looked_at() {
    let server = Server::start().await;
    let login = server.login("josef@example.com").await;
    let (user, workspace) = (login.string("/user_id"), login.string("/workspaces/0/id"));
    let database = Builder::new_local(server.state().join("default.db"))
        .flags(OpenFlags::SQLITE_OPEN_READ_ONLY)
        .build()
        .await
        .expect("there is a database");
    let reader = database.connect().expect("it opens");
    reader.execute_batch("BEGIN").await.expect("it begins");
    let mut rows = reader.query("SELECT count(*) FROM user", ()).await;
    let row = rows.as_mut().expect("it reads").next().await;
    assert!(row.expect("it reads").is_some());
    // A thousand pages, which make the thread look.
    let upload = async || {
        let form = Multipart::new()
            .text("user_id", &user)
            .text("target_id", &workspace)
            .text("is_chat", "false")
            .file("files", "a.bin", vec![7; UPLOAD]);
        let upload = server.post("/file/upload").multipart(form);
        upload.send().await.has_status(200);
    };
    for _ in 0..3 {
        upload().await;
    }
    let threads = threads(&server);
    assert!(!threads.is_empty(), "there is such a thread");
    let work = || threads.iter().map(|thread| ticks(thread)).sum::<u64>();
    let before = work();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let worked = work() - before;
    assert!(worked < 20, "{worked} ticks of work for nothing in 2 s");
    let size = || {
        let file = fs::metadata(server.state().join("default.db"));
        file.expect("there is a database").len()
    };
    assert!(size() < UPLOAD as u64, "the reader holds the log");
    drop(rows);
    drop(reader);
    // With the reader gone, the log is moved as ever.
    upload().await;
    let deadline = Instant::now() + PATIENCE;
    while size() < 3 * UPLOAD as u64 {
        assert!(Instant::now() < deadline, "{} bytes are moved", size());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
