//! The SQL statements of a request, from the host's log.

use serde_json::Value;

use super::{Request, Response, Server, Setup};

/// What every instance asks before its first statement: whether the schema is current.
const SCHEMA: &str = "FROM schema_migration";

/// The statements that were run between a request's arrival and its answer, in order. What it left to be done in the
/// background afterwards is not among them, nor is an instance's look at the schema.
pub struct Statements(Vec<String>);

impl Setup {
    /// Logs all SQL, for [`Server::statements`].
    pub fn logging_sql(self) -> Self {
        self.environment("RUST_LOG", "info,kafka::sql=trace")
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
            .filter(|sql| !sql.contains(SCHEMA));
        (response, Statements(statements.collect()))
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
