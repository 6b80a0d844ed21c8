//! `kafka gateway -- command`: what runs behind it comes and goes with it.

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{FakeBackend, Front, PATIENCE, Process, printed};

/// A gateway with this shell script behind it, which finds the folder in `$1`.
async fn start(script: &str) -> (Process, FakeBackend, TempDir) {
    let backend = FakeBackend::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let process = Process::start(|command| {
        command
            .args(["gateway", "--listen", "127.0.0.1:0"])
            .args(["--upstream", &format!("http://{}", backend.address())])
            .args(["--", "sh", "-c", script, "sh"])
            .arg(folder.path());
    });
    (process, backend, folder)
}

async fn ended(process: &mut Process) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.ended() {
            return status.code();
        }
        assert!(Instant::now() < deadline, "it does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn file(path: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => {}
        }
        assert!(Instant::now() < deadline, "{path:?} is not written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_gets_address_and_keys_and_stops_with_the_gateway() {
    let script = r#"trap 'echo stopped > $1/stopped; exit 7' TERM
        echo "$SPIN_VARIABLE_GRIP_URL $SPIN_VARIABLE_GRIP_ORIGIN" > $1/variables
        while :; do sleep 0.1; done"#;
    let (mut process, _backend, folder) = start(script).await;
    let control = printed(&process, "Control: ").await;
    let variables = file(&folder.path().join("variables")).await;
    let (url, origin) = variables.trim().split_once(' ').expect("both");
    assert_eq!(origin, control);
    let keys = url
        .strip_prefix(&format!("{control}/?"))
        .expect("its address");
    for name in [
        "iss=kafka",
        "key=base64:",
        "verify-iss=kafka-gateway",
        "verify-key=base64:",
    ] {
        assert!(keys.contains(name), "{name} in {keys}");
    }
    process.signal("-TERM");
    assert_eq!(ended(&mut process).await, Some(7), "its own exit code");
    assert_eq!(file(&folder.path().join("stopped")).await, "stopped\n");
}

#[tokio::test]
async fn it_gets_further_gateways_too() {
    let backend = FakeBackend::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = r#"echo "$SPIN_VARIABLE_GRIP_URL" > $1/urls
        echo "$SPIN_VARIABLE_GRIP_ORIGIN $SPIN_VARIABLE_GRIP_ORIGIN_2" > $1/origins
        while :; do sleep 0.1; done"#;
    let process = Process::start(|command| {
        command
            .args(["gateway", "--listen", "127.0.0.1:0"])
            .args(["--upstream", &format!("http://{}", backend.address())])
            .args(["--grip-url", "http://x/?key=one http://other:1/?key=two"])
            .args(["--", "sh", "-c", script, "sh"])
            .arg(folder.path());
    });
    let control = printed(&process, "Control: ").await;
    let urls = file(&folder.path().join("urls")).await;
    let expected = format!("{control}/?key=one http://other:1/?key=two");
    assert_eq!(urls.trim(), expected);
    let origins = file(&folder.path().join("origins")).await;
    assert_eq!(origins.trim(), format!("{control} http://other:1"));
}

#[tokio::test]
async fn its_end_ends_the_gateway() {
    let (mut process, _backend, _folder) = start("sleep 0.5; exit 3").await;
    assert_eq!(ended(&mut process).await, Some(3));
}

#[tokio::test]
async fn one_that_can_not_be_started_is_named() {
    let front = FakeBackend::start().await;
    let mut process = Process::start(|command| {
        command
            .args(["gateway", "--listen", "127.0.0.1:0"])
            .args(["--upstream", &format!("http://{}", front.address())])
            .args(["--", "/no/such/command"]);
    });
    assert_eq!(ended(&mut process).await, Some(1));
    printed(&process, "can't start /no/such/command").await;
}

#[tokio::test]
async fn a_signal_closes_the_sockets() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    let mut sleeper = front.open("/sleeper").await;
    sleeper.send("hold").await;
    front.backend.saw("TEXT 4\r\nhold\r\n").await;
    let Front {
        mut process,
        backend,
        ..
    } = front;
    process.signal("-TERM");
    assert_eq!(socket.close().await.0, 1001);
    // Its request is answered while the gateway stops.
    backend.release();
    assert_eq!(sleeper.close().await.0, 1001);
    drop((socket, sleeper));
    assert_eq!(ended(&mut process).await, Some(0));
    let log = process.transcript.text();
    assert!(!log.contains("did not finish in time"), "{log}");
    let closes = backend
        .bodies()
        .iter()
        .filter(|body| body.starts_with("CLOSE"))
        .count();
    assert_eq!(closes, 2, "the backend is informed");
}
