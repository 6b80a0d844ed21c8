//! `kafka admin`, beside a running server.

use serde_json::Value;

use super::{Outcome, Server, run_kafka};

/// Runs `kafka admin` on the database that these arguments name.
pub async fn admin_of(place: Vec<String>, arguments: &[&str]) -> Outcome {
    let arguments = ["admin"].iter().chain(arguments);
    let mut arguments: Vec<String> = arguments.map(|&argument| argument.to_owned()).collect();
    arguments.extend(place);
    let run = move || run_kafka(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let ran = tokio::task::spawn_blocking(run).await;
    ran.expect("it does not panic")
}

impl Server {
    /// Runs `kafka admin` on this server's database.
    pub async fn try_admin(&self, arguments: &[&str]) -> Outcome {
        admin_of(self.database_options(), arguments).await
    }

    /// The same, which succeeds; what it prints.
    pub async fn admin(&self, arguments: &[&str]) -> String {
        let outcome = self.try_admin(arguments).await;
        assert!(outcome.success, "{arguments:?}: {}", outcome.output);
        outcome.output
    }

    /// The same with `--json`; an object a line.
    pub async fn admin_json(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.admin(&[arguments, &["--json"]].concat()).await;
        let lines = printed.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}
