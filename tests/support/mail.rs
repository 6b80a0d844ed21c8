//! The fake mail provider as a process, and what it got.

use serde_json::{Value, json};

use super::client::{Request, Response};
use super::process::Process;
use super::{Server, Setup};

/// A running `kafka fake-mail`; killed when dropped.
pub struct FakeMail {
    _process: Process,
    address: String,
}

impl FakeMail {
    /// Starts one on a free port that asks for [`Self::KEY`].
    pub fn start() -> Self {
        let process = Process::start(|command| {
            command
                .args(["fake-mail", "--listen", "127.0.0.1:0"])
                .args(["--key", Self::KEY]);
        });
        Self::of(process)
    }

    /// One that was started already.
    pub fn of(process: Process) -> Self {
        let address = process.address();
        Self {
            _process: process,
            address,
        }
    }

    /// Where it listens, `127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The key that it asks for.
    pub const KEY: &str = "mail-key-7d1f";

    /// The variables that make it the application's.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        let origin = format!("http://{}", self.address);
        [
            ("mail_url", format!("{origin}/emails")),
            ("mail_origin", origin),
            ("mail_key", Self::KEY.to_owned()),
            ("mail_from", "Kafka <login@example.com>".to_owned()),
        ]
    }

    /// Logs in with a code from the mail.
    pub async fn log_in(&self, server: &Server, email: &str) -> Response {
        let mut body = json!({ "email": email });
        let asked = server.post("/auth/code").json(body.to_string());
        asked.send().await.has_status(200);
        body["code"] = self.code(email).await.into();
        let login = server.post("/auth/login").json(body.to_string());
        let login = login.send().await;
        login.has_status(200);
        login
    }

    /// All mails to an address, oldest first.
    pub async fn mails(&self, to: &str) -> Vec<Value> {
        let url = format!("http://{}/mails", self.address);
        let all = Request::elsewhere("GET", &url).send().await.json();
        let mails = all["mails"].as_array().expect("a list of mails");
        mails
            .iter()
            .filter(|mail| mail["to"] == to)
            .cloned()
            .collect()
    }

    /// The code in the newest mail to an address.
    pub async fn code(&self, to: &str) -> String {
        let mails = self.mails(to).await;
        let mail = mails.last().unwrap_or_else(|| panic!("{to} has mail"));
        let text = mail["text"].as_str().expect("a mail has a text");
        let code = text
            .split(|c: char| !c.is_ascii_digit())
            .find(|word| word.len() == 10);
        code.unwrap_or_else(|| panic!("there is a code in {text:?}"))
            .to_owned()
    }
}

impl Setup {
    /// In token mode, with codes by this provider's mail.
    pub fn token_mode(self, mail: &FakeMail) -> Self {
        let setup = self.variable("auth_mode", "token");
        let variables = mail.variables().into_iter();
        variables.fold(setup, |setup, (name, value)| setup.variable(name, &value))
    }
}
