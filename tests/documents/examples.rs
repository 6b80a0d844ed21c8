//! The commands of the documents, run as they are printed there. Only addresses, ids and paths are replaced, and
//! servers do not build.

use std::env;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::read;
use crate::support::{FakeMail, Process, Server, Setup, V2, login, repository};

/// The one block of commands in a document that begins so.
fn block(document: &str, start: &str) -> String {
    let text = read(document);
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let found: Vec<_> = blocks.filter(|block| block.starts_with(start)).collect();
    assert_eq!(found.len(), 1, "{document}: blocks that begin with {start}");
    found[0].to_owned()
}

/// The words of a command that starts a program: what it sets in the environment, and its arguments.
fn words(lines: &str) -> (Vec<(String, String)>, Vec<String>) {
    let code = lines.lines().filter_map(|line| line.split(" #").next());
    let code: Vec<_> = code.flat_map(str::split_whitespace).collect();
    let words = code.iter().filter(|word| **word != "export");
    let words: Vec<_> = words.map(|word| word.replace('\'', "")).collect();
    let program = words.iter().position(|word| word == "kafka");
    let (environment, arguments) = words.split_at(program.expect("it starts kafka"));
    let environment = environment.iter().map(|setting| {
        let (name, value) = setting.split_once('=').expect("a setting");
        (name.to_owned(), value.to_owned())
    });
    (environment.collect(), arguments[1..].to_vec())
}

/// What a printed `kafka up` starts; the harness chooses the address and the state folder.
fn up(lines: &str) -> Setup {
    let (environment, arguments) = words(lines);
    assert_eq!(arguments[0], "up");
    let mut setup = Setup::app();
    for (name, value) in &environment {
        setup = setup.environment(name, value);
    }
    let mut arguments = arguments[1..].iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" | "--state-dir" => drop(arguments.next()),
            _ => setup = setup.argument(argument),
        }
    }
    setup
}

/// Starts another printed program, on free ports.
fn started(lines: &str, ports: &[&str]) -> Process {
    let (environment, arguments) = words(lines);
    Process::start(|command| {
        command.args(arguments).envs(environment);
        for port in ports {
            command.args([port, "127.0.0.1:0"]);
        }
    })
}

/// Runs commands in a shell that finds `kafka`, with these texts put in the places of others.
async fn run(commands: &str, places: &[(&str, &str)]) -> String {
    let commands = places
        .iter()
        .fold(commands.to_owned(), |commands, (place, text)| {
            assert!(commands.contains(place), "there is {place} in {commands}");
            commands.replace(place, text)
        });
    let program = Path::new(env!("CARGO_BIN_EXE_kafka"));
    let folder = program.parent().expect("a program is in a folder");
    let path = env::var("PATH").expect("there is a PATH");
    let path = format!("{}:{path}", folder.display());
    let running = tokio::task::spawn_blocking(move || {
        let mut shell = Command::new("sh");
        shell.args(["-ec", &commands]).current_dir(repository());
        shell.env("PATH", path).output()
    });
    let output = running.await.expect("the thread ends");
    let output = output.expect("a shell starts");
    let (printed, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{printed}{errors}");
    printed
}

const ADDRESS: &str = "127.0.0.1:8000";

#[tokio::test]
async fn the_first_minutes() {
    let server = Server::start().await;
    let model = block("README.md", "cargo run -- fake-model");
    let model = started(&model.replace("cargo run --", "kafka"), &["--listen"]);
    let places = [
        (ADDRESS, server.address()),
        ("127.0.0.1:8001", &model.address()),
    ];
    let printed = run(&block("README.md", "login=$("), &places).await;
    assert!(printed.contains("event: generation_ended"), "{printed}");
    assert!(printed.contains(r#""status":"complete""#), "{printed}");

    // What the browser's console does next.
    let socket = printed.lines().last().expect("the socket's address");
    let path = socket.strip_prefix(&format!("ws://{}", server.address()));
    let protocol = [("sec-websocket-protocol", V2)];
    let path = path.expect("the server's own address");
    let opened = server.try_socket(path, &protocol).await;
    let mut socket = opened.expect("the handshake succeeds");
    let message = r#"{action: "new_message", prompt: "And again?", model: "fake"}"#;
    assert!(read("README.md").contains(message));
    let message = json!({ "action": "new_message", "prompt": "And again?", "model": "fake" });
    socket.send(&message).await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["status"], "complete");
}

#[tokio::test]
async fn running() {
    let built = block("docs/running.md", "cargo build").replace("cargo build --release\n", "");
    assert!(run(&built, &[]).await.starts_with("kafka "));
    let server = up(&block("docs/running.md", "kafka up")).start().await;
    let health = block("docs/running.md", "curl");
    let answer = run(&health, &[(ADDRESS, server.address())]).await;
    assert_eq!(answer, r#"{"status":"ok"}"#);

    let gateway = block("docs/running.md", "export SPIN_VARIABLE_GRIP_URL");
    let gateway = started(
        &gateway.replace("127.0.0.1:3000", server.address()),
        &["--listen", "--control"],
    );
    let through = run(&health, &[(ADDRESS, &gateway.address())]).await;
    assert_eq!(through, answer);
}

#[tokio::test]
async fn configuration() {
    for line in block("docs/configuration.md", "kafka up --variable context").lines() {
        let server = up(line).start().await;
        server.get("/healthz").send().await.has_status(200);
    }
    let small = block("docs/configuration.md", "kafka up --variable max");
    let server = up(&small).start().await;
    let large = block("docs/configuration.md", "head");
    let answer = run(&large, &[(ADDRESS, server.address())]).await;
    assert_eq!(answer, r#"{"detail":"Request body too large."}"#);
    assert!(read("docs/configuration.md").contains(&answer));
}

#[tokio::test]
async fn codes_by_mail() {
    let mail = FakeMail::of(started(
        &block("docs/accounts.md", "kafka fake-mail"),
        &["--listen"],
    ));
    let server = block("docs/accounts.md", "kafka up --variable auth_mode");
    let server = up(&server.replace("127.0.0.1:8002", mail.address()))
        .start()
        .await;
    let commands = block(
        "docs/accounts.md",
        "curl -H \"Content-Type: application/json\" -d '{\"email\"",
    );
    let commands: Vec<_> = commands.lines().collect();
    let [ask, login, sessions] = commands[..] else {
        panic!("three commands: {commands:?}");
    };
    let address = (ADDRESS, server.address());
    run(ask, &[address]).await;
    let code = mail.code("someone@example.com").await;
    let answer = run(login, &[address, ("<code>", &code)]).await;
    let answer: Value = serde_json::from_str(&answer).expect("a login answers JSON");
    let token = answer["token"].as_str().expect("a token");
    let answer = run(sessions, &[address, ("<token>", token)]).await;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_identity_provider() {
    let settings = block("docs/accounts.md", "export SPIN_VARIABLE_AUTH_MODE");
    let server = up(&settings).start().await;
    let nonce = block("docs/accounts.md", "curl -X POST");
    let answer = run(&nonce, &[(ADDRESS, server.address())]).await;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert!(answer["nonce"].is_string(), "{answer}");
    assert_eq!(answer["expires_in"], 600);
    let login = block(
        "docs/accounts.md",
        "curl -H \"Content-Type: application/json\" -d '{\"id_token\"",
    );
    let answer = run(&login, &[(ADDRESS, server.address())]).await;
    assert!(
        answer.contains("detail"),
        "an invalid token is refused: {answer}"
    );
}

#[tokio::test]
async fn operations() {
    const DOCUMENT: &str = "docs/operations.md";
    const STATE: &str = "/var/lib/kafka";
    let server = Server::start().await;
    let health = block(DOCUMENT, "curl");
    let answer = run(&health, &[(ADDRESS, server.address())]).await;
    assert!(health.contains(&answer), "{answer}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let backups = folder.path().display().to_string();
    let state = server.state().display().to_string();
    let commands = block(DOCUMENT, "kafka backup");
    let (backup, restore) = commands.split_once('\n').expect("two commands");
    let places = [("/backups", backups.as_str()), (STATE, &state)];
    run(backup, &places).await;
    let restored = format!("{backups}/restored");
    let places = [("/backups", backups.as_str()), (STATE, &restored)];
    run(restore, &places).await;
    let vacuum = block(DOCUMENT, "kafka vacuum");
    run(&vacuum, &[(STATE, &restored)]).await;

    // Its database has a schema since the first request.
    server.get("/readyz").send().await.has_status(200);
    let admin = block(DOCUMENT, "kafka admin");
    let listed = run(&admin, &[(STATE, &state)]).await;
    assert!(
        listed.contains("STORED BYTES") && listed.contains("running replies"),
        "{listed}"
    );

    let logging = up(&block(DOCUMENT, "RUST_LOG")).start().await;
    logging.login("someone@example.com").await.has_status(200);
    let log = logging.log_so_far().await;
    let is_sql = |line: &str| line.starts_with('{') && line.contains("kafka::sql");
    assert!(log.lines().any(is_sql), "{log}");
}

#[tokio::test]
async fn the_description_is_where_the_overview_has_it() {
    let server = Server::start().await;
    let commands = block("docs/api.md", "curl http");
    let answer = run(&commands, &[(ADDRESS, server.address())]).await;
    assert!(answer.starts_with(r#"{"openapi":"3.1.0""#), "{answer:.80}");
}

#[tokio::test]
async fn an_archive_is_imported() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await.id;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = folder.path().join("archive.zip").display().to_string();
    let export = "curl http://127.0.0.1:8000/user/USER/export --output kafka-export.zip\n";
    let export = export.replace("USER", user.as_str());
    let commands = format!("{export}{}", block("docs/api.md", "curl 'http"));
    let places = [
        ("user_id=…", &*format!("user_id={user}")),
        ("kafka-export.zip", &*archive),
        (ADDRESS, server.address()),
    ];
    let answer = run(&commands, &places).await;
    // By each of the two ways.
    assert_eq!(answer.matches("there_already").count(), 2, "{answer}");
}
