//! The SQL statements of a request, and what else it calls the host for, from the host's log.

use serde_json::Value;

use super::{Request, Response, Server, Setup};

/// What every instance asks before its first statement: whether the schema is current.
const SCHEMA: &str = "FROM schema_migration";

/// What the writer of a reply asks for once, which neither reads nor writes.
const SETTING: &str = "PRAGMA synchronous";

/// What a change has read of its owner's feed for those who follow it: beside the request, and one of them for all changes of
/// a moment. `realtime::feed` tests what it costs.
const FEED: &str = "WITH asked (id, changes) AS NOT MATERIALIZED (SELECT key, value FROM json_each(?3)), changed (user_id";

/// The statements that were run between a request's arrival and its answer, in order. What it left to be done in the
/// background afterwards is not among them, nor is an instance's look at the schema, a connection's setting, or what is told
/// of it in a feed.
pub struct Statements(Vec<String>);

/// How often requests called the host, and how many of them met a new instance.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Statements, but for an instance's look at the schema.
    pub statements: usize,
    /// Looks at the schema, one by each new instance.
    pub looks: usize,
    /// Connections to the database that were opened.
    pub opened: usize,
    /// Variables that were read.
    pub variables: usize,
    /// What was asked of key-value stores.
    pub key_value: usize,
    /// Lines that components logged.
    pub lines: usize,
}

impl Setup {
    /// Logs all SQL, for [`Server::statements`].
    pub fn logging_sql(self) -> Self {
        self.environment("RUST_LOG", "info,kafka::sql=trace")
            .argument("--log-format=json")
    }

    /// Logs all that components call the host for, for [`Server::calls`].
    pub fn logging_calls(self) -> Self {
        self.environment("RUST_LOG", "info,kafka::sql=trace,kafka::calls=trace")
            .argument("--log-format=json")
    }
}

impl Server {
    /// Sends a request, the only one meanwhile, and returns its statements.
    pub async fn statements(&self, request: Request) -> (Response, Statements) {
        let before = self.log_so_far().await.len();
        let response = request.send().await;
        let log = self.log_so_far().await;
        let lines = log[before..]
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        // The first access line is the request's, written when it is answered.
        let statements = lines
            .take_while(|line| line["target"] != "access")
            .filter(|line| line["target"] == "kafka::sql")
            .map(|line| line["sql"].as_str().expect("a text").to_owned())
            .filter(|sql| {
                !sql.contains(SCHEMA) && !sql.starts_with(SETTING) && !sql.contains(FEED)
            });
        (response, Statements(statements.collect()))
    }
}

impl Server {
    /// How often entries of feeds were read to be published, so far.
    pub async fn feed_reads(&self) -> usize {
        self.log_so_far().await.matches(FEED).count()
    }

    /// What `requests` called the host for, sent one after the other, which are answered 200.
    pub async fn calls(&self, requests: impl IntoIterator<Item = Request>) -> Calls {
        let before = self.log_so_far().await.len();
        for request in requests {
            request.send().await.has_status(200);
        }
        let log = self.log_so_far().await;
        let mut calls = Calls::default();
        for line in log[before..].lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            // The end of the log is found by a request to another component.
            if line["component"] == "web" {
                continue;
            }
            let is_look = |sql: &Value| sql.as_str().is_some_and(|sql| sql.contains(SCHEMA));
            let counted = match (line["target"].as_str(), line["call"].as_str()) {
                (Some("kafka::sql"), _) if is_look(&line["sql"]) => &mut calls.looks,
                (Some("kafka::sql"), _) => &mut calls.statements,
                (Some("component"), _) => &mut calls.lines,
                (_, Some("sqlite open")) => &mut calls.opened,
                (_, Some("variable")) => &mut calls.variables,
                (_, Some("key-value")) => &mut calls.key_value,
                _ => continue,
            };
            *counted += 1;
        }
        calls
    }
}

impl Statements {
    /// How many there are, without a transaction's `BEGIN` and `COMMIT`.
    pub fn count(&self) -> usize {
        self.0.iter().filter(|sql| !is_border(sql)).count()
    }

    /// How many of them are outside the transactions.
    pub fn alone(&self) -> usize {
        let mut open = false;
        let mut alone = 0;
        for sql in &self.0 {
            match sql.split(' ').next() {
                Some("BEGIN") => open = true,
                Some("COMMIT" | "ROLLBACK") => open = false,
                _ if !open => alone += 1,
                _ => {}
            }
        }
        alone
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        let begins = self.0.iter().filter(|sql| sql.starts_with("BEGIN"));
        begins.count()
    }
}

impl std::fmt::Display for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|sql| writeln!(f, "  {sql}"))
    }
}

fn is_border(sql: &str) -> bool {
    matches!(sql.split(' ').next(), Some("BEGIN" | "COMMIT" | "ROLLBACK"))
}
