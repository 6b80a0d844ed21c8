//! Chromium, driven over a pipe (`--remote-debugging-pipe`): no driver program, no port.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{PATIENCE, repository};

/// What is said once where there is no Chromium.
const MISSING: &str =
    "\nThe tests of the page are skipped: Chromium is not installed (apt install chromium).\n";

/// How it is started; its pipes are the descriptors 3 and 4. A shell gives it these without unsafe code. `kafka.lan` is this
/// machine by a name that browsers do not trust without TLS, as they do `localhost`.
const START: &str = "exec chromium --headless --no-sandbox --disable-gpu --disable-background-networking \
                     --disable-component-update --disable-sync --no-first-run --disable-dev-shm-usage \
                     \"--host-resolver-rules=MAP kafka.lan 127.0.0.1\" \
                     --remote-debugging-pipe \"--user-data-dir=$1\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

/// A running Chromium with a profile of its own; killed when dropped.
pub struct Browser {
    wire: Arc<Wire>,
    child: Child,
    _profile: TempDir,
}

/// The pipe to it, and what has come back.
struct Wire {
    to: Mutex<ChildStdin>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    asked: u64,
    answers: HashMap<u64, oneshot::Sender<Value>>,
    events: Vec<Value>,
}

impl Wire {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, from: ChildStdout) {
        let mut from = BufReader::new(from);
        let mut frame = Vec::new();
        while from.read_until(0, &mut frame).is_ok_and(|read| read > 1) {
            frame.pop();
            let message: Value = serde_json::from_slice(&frame).expect("JSON frames");
            frame.clear();
            let mut heard = self.heard();
            match message["id"].as_u64() {
                Some(id) => drop(heard.answers.remove(&id).map(|answer| answer.send(message))),
                None => heard.events.push(message),
            }
        }
    }

    async fn ask(&self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        let (sender, answer) = oneshot::channel();
        let mut frame = json!({ "method": method, "params": parameters });
        {
            let mut heard = self.heard();
            heard.asked += 1;
            frame["id"] = heard.asked.into();
            let asked = heard.asked;
            heard.answers.insert(asked, sender);
        }
        if let Some(session) = session {
            frame["sessionId"] = session.into();
        }
        {
            let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = to.write_all(format!("{frame}\0").as_bytes());
            sent.and_then(|()| to.flush()).expect("Chromium runs");
        }
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answer.expect("Chromium answers").expect("Chromium runs");
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }
}

impl Browser {
    /// Starts one; `None`, and a line on the terminal, where there is none. With `REQUIRE_CHROMIUM` in the environment
    /// that is a failure.
    pub fn start() -> Option<Self> {
        if Command::new("chromium").arg("--version").output().is_err() {
            assert!(std::env::var_os("REQUIRE_CHROMIUM").is_none(), "{MISSING}");
            // Not with a macro, whose output is visible only when a test fails.
            writeln!(std::io::stderr(), "{MISSING}").ok();
            return None;
        }
        let profile = tempfile::Builder::new().prefix("kafka-chromium-").tempdir();
        let profile = profile.expect("a temporary folder");
        let mut child = Command::new("sh")
            .args(["-c", START, "sh"])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium starts");
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let wire = Arc::new(Wire {
            to: Mutex::new(to.expect("a pipe")),
            heard: Mutex::default(),
        });
        let listener = wire.clone();
        thread::spawn(move || listener.listen(from.expect("a pipe")));
        Some(Self {
            wire,
            child,
            _profile: profile,
        })
    }

    /// The script of axe, which looks for what people with disabilities stumble over. Chromium has it in its developer
    /// tools, as a text in a bundle.
    pub async fn axe(&self) -> String {
        let tools = self
            .open("devtools://devtools/bundled/devtools_app.html")
            .await;
        let bundle = "devtools://devtools/bundled/third_party/lighthouse/lighthouse-dt-bundle.js";
        let read = format!("fetch({}).then((answer) => answer.text())", json!(bundle));
        let bundle = tools.eval(&read).await;
        let bundle = bundle.as_str().expect("a script");
        let begin = bundle
            .find("`/*! axe v")
            .expect("Chromium's developer tools have axe");
        let mut is_escaped = false;
        let end = bundle[begin + 1..].find(|c| {
            let ends = c == '`' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        });
        let end = begin + end.expect("the text ends") + 2;
        let script = tools.eval(&bundle[begin..end]).await;
        script.as_str().expect("a script").to_owned()
    }

    /// A window that has loaded this address.
    pub async fn open(&self, url: &str) -> Page {
        self.open_as(url, Look::default()).await
    }

    /// The same on another screen.
    pub async fn open_as(&self, url: &str, look: Look) -> Page {
        let wire = &self.wire;
        let target = json!({ "url": "about:blank", "newWindow": true });
        let target = wire.ask(None, "Target.createTarget", target).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = wire.ask(None, "Target.attachToTarget", attach).await;
        let page = Page {
            wire: wire.clone(),
            session: attached["sessionId"]
                .as_str()
                .expect("a session")
                .to_owned(),
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.ask(&format!("{domain}.enable"), json!({})).await;
        }
        let Look {
            width,
            height,
            dark,
        } = look;
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
        });
        page.ask("Emulation.setDeviceMetricsOverride", screen).await;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        page.ask("Emulation.setEmulatedMedia", media).await;
        page.go_to(url).await;
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a page is looked at with.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 860,
            dark: false,
        }
    }
}

/// A window.
pub struct Page {
    wire: Arc<Wire>,
    session: String,
}

impl Page {
    /// A command of the protocol.
    pub async fn ask(&self, method: &str, parameters: Value) -> Value {
        self.wire.ask(Some(&self.session), method, parameters).await
    }

    /// Loads an address, and waits until it is loaded.
    pub async fn go_to(&self, url: &str) {
        let before = self.events("Page.loadEventFired").len();
        self.ask("Page.navigate", json!({ "url": url })).await;
        let deadline = Instant::now() + PATIENCE;
        while self.events("Page.loadEventFired").len() == before {
            assert!(Instant::now() < deadline, "{url} does not load");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What it was told of this kind so far.
    pub fn events(&self, method: &str) -> Vec<Value> {
        let heard = self.wire.heard();
        let of_page = heard.events.iter().filter(|event| {
            event["method"] == method && event["sessionId"] == self.session.as_str()
        });
        of_page.map(|event| event["params"].clone()).collect()
    }

    /// The value of an expression.
    pub async fn eval(&self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.ask("Runtime.evaluate", parameters).await;
        let failure = &result["exceptionDetails"];
        assert!(failure.is_null(), "{expression}: {failure}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until<'a>(&'a self, expression: &str) -> impl Future<Output = ()> + use<'a> {
        let caller = std::panic::Location::caller();
        let expression = expression.to_owned();
        async move {
            let deadline = Instant::now() + Duration::from_secs(60);
            while self.eval(&format!("Boolean({expression})")).await != true {
                if Instant::now() > deadline {
                    self.screenshot("failed").await;
                    let text = self.eval("document.body.innerText").await;
                    let errors = self.errors();
                    panic!("{caller}: never: {expression}\n{text}\n{errors:?}");
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
    }

    /// Waits until the page, or what `selector` finds first, has this text.
    #[track_caller]
    pub fn shows(&self, selector: &str, text: &str) -> impl Future<Output = ()> {
        self.until(&format!(
            "document.querySelector({})?.innerText.includes({})",
            json!(selector),
            json!(text)
        ))
    }

    /// Waits for an element and clicks it.
    #[track_caller]
    pub fn click(&self, selector: &str) -> impl Future<Output = ()> {
        let there = self.until(&format!("document.querySelector({})", json!(selector)));
        let click = format!("document.querySelector({}).click()", json!(selector));
        async move {
            there.await;
            self.eval(&click).await;
        }
    }

    /// Waits for a button, a link or a menu's item of this text, and clicks it.
    #[track_caller]
    pub fn press(&self, text: &str) -> impl Future<Output = ()> {
        let find = format!(
            "[...document.querySelectorAll('button, a, summary')].filter((e) => e.checkVisibility()).find((e) => \
             e.innerText.trim() === {text} || e.getAttribute('aria-label') === {text})",
            text = json!(text)
        );
        let there = self.until(&find);
        async move {
            there.await;
            self.eval(&format!("{find}.click()")).await;
        }
    }

    /// Waits for a radio button of this label, and chooses it.
    #[track_caller]
    pub fn press_choice(&self, label: &str) -> impl Future<Output = ()> {
        let find = format!(
            "[...document.querySelectorAll('label.choice')].find((e) => e.innerText.trim() === {})",
            json!(label)
        );
        let there = self.until(&find);
        async move {
            there.await;
            self.eval(&format!("{find}.click()")).await;
        }
    }

    /// Types where the focus is.
    pub async fn types(&self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses and releases a key; `modifiers` are 1 Alt, 2 Control, 8 Shift.
    pub async fn key(&self, key: &str, modifiers: u32) {
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            "Escape" => 27,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            " " => 32,
            key => u32::from(key.as_bytes()[0].to_ascii_uppercase()),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers,
            });
            if kind == "keyDown" && key == "Enter" {
                event["text"] = "\r".into();
            } else if kind == "keyDown" && key == " " {
                event["text"] = " ".into();
            }
            self.ask("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Chooses files in a field.
    pub async fn choose_files(&self, selector: &str, files: &[PathBuf]) {
        let expression = format!("document.querySelector({})", json!(selector));
        let found = self
            .ask("Runtime.evaluate", json!({ "expression": expression }))
            .await;
        let object = &found["result"]["objectId"];
        let parameters = json!({ "files": files, "objectId": object });
        self.ask("DOM.setFileInputFiles", parameters).await;
    }

    /// Leaves a picture in `target/page/`, to be looked at.
    pub async fn screenshot(&self, name: &str) {
        let shot = self
            .ask("Page.captureScreenshot", json!({ "format": "png" }))
            .await;
        let png = BASE64.decode(shot["data"].as_str().expect("a picture"));
        let folder = repository().join("target/page");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(name).with_extension("png");
        fs::write(file, png.expect("Base64")).expect("a picture");
    }

    /// What scripts have thrown, and what the browser complained about, such as a policy that was violated.
    pub fn errors(&self) -> Vec<String> {
        let thrown = self.events("Runtime.exceptionThrown");
        let thrown = thrown.iter().map(|it| it["exceptionDetails"].to_string());
        let entries = self.events("Log.entryAdded");
        let entries = entries
            .iter()
            .filter(|it| it["entry"]["source"] != "network");
        thrown
            .chain(entries.map(|it| it["entry"]["text"].to_string()))
            .collect()
    }

    /// Fails if a script threw, or the policy was violated, or a request went to another server than `address`.
    #[track_caller]
    pub fn is_clean(&self, address: &str) {
        let errors = self.errors();
        assert!(errors.is_empty(), "{errors:#?}");
        for request in self.events("Network.requestWillBeSent") {
            let url = request["request"]["url"].as_str().expect("an address");
            let is_ours = url.starts_with(&format!("http://{address}/"));
            assert!(
                is_ours || url.starts_with("data:") || url.starts_with("blob:"),
                "{url}"
            );
        }
    }

    /// Fails if axe finds something.
    pub async fn is_accessible(&self, axe: &str, what: &str) {
        self.eval(&format!("{axe};0")).await;
        let found = self
            .eval(
                "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(\
                 ({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html, any }) => `${html} ${any[0]?.message ?? ''}`)]))",
            )
            .await;
        assert_eq!(found, json!([]), "{what}");
    }

    /// Fails if something can be scrolled sideways.
    pub async fn is_not_too_wide(&self, what: &str) {
        let wide = self
            .eval(
                "[document.scrollingElement, ...document.querySelectorAll('main, dialog, .scroller, .sidebar, .panel')]\
                 .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)\
                 .map((e) => `${e.tagName}.${e.className}: ${e.scrollWidth} > ${e.clientWidth}`)",
            )
            .await;
        assert_eq!(wide, json!([]), "{what}");
    }
}
