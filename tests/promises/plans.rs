//! Every statement in a `.sql` file finds its rows by indexes, however much there is beside them.

use std::fs;
use std::path::Path;

use crate::support::{Database, Server, login, repository};

/// A `.sql` file of a component or a library.
struct Statement {
    /// Its path, from the folder of the repository on.
    name: String,
    sql: String,
}

/// All of them below a folder.
fn statements(folder: &Path, found: &mut Vec<Statement>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            statements(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.strip_prefix(repository());
            found.push(Statement {
                name: name.expect("it is below it").display().to_string(),
                sql: fs::read_to_string(&path).expect("a statement is text"),
            });
        }
    }
}

/// The beginnings of statements, and the end that they have in common.
const BEGINNINGS: [&str; 2] = ["feed/since.sql", "feed/told.sql"];
const END: &str = "feed/entries.sql";

fn all_statements() -> Vec<Statement> {
    let mut found = Vec::new();
    for folder in ["functions", "crates"] {
        statements(&repository().join(folder), &mut found);
    }
    let end = found.iter().position(|it| it.name.ends_with(END));
    let end = found.swap_remove(end.expect("there is such a file"));
    for statement in &mut found {
        if BEGINNINGS.iter().any(|it| statement.name.ends_with(it)) {
            statement.sql.push_str(&end.sql);
        }
    }
    found
}

impl Database {
    /// The steps of the plan that read a whole table, directly or through a view.
    async fn scans(&self, sql: &str) -> Vec<String> {
        let tables = self.tables().await;
        let views = self.texts("SELECT sql FROM sqlite_schema WHERE type = 'view'");
        let text = format!("{sql}\n{}", views.await.join("\n"));
        let lines = text.lines().map(|line| line.split("--").next());
        let text = lines.flatten().collect::<Vec<_>>().join("\n");
        let is_border = |c: char| !(c.is_alphanumeric() || c.is_whitespace() || "_\"".contains(c));
        let text = text.replace('"', " ").replace(is_border, " , ");
        let words: Vec<_> = text
            .split_whitespace()
            .filter(|word| !word.eq_ignore_ascii_case("AS"))
            .collect();
        // A plan calls a table by its alias, which stands behind it; what the statement has made itself is no table.
        let is_table = |name: &str| {
            let is_alias = |pair: &[&str]| tables.iter().any(|it| it == pair[0]) && pair[1] == name;
            tables.iter().any(|table| table == name) || words.windows(2).any(is_alias)
        };
        let plan = self.plan(sql).await;
        // An index of some rows only holds what the statement is about: replies that run, and so on.
        let partial =
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%) WHERE %'";
        let partial = self.texts(partial).await;
        let is_scan = |step: &String| {
            let (verb, rest) = step.split_once(' ').unwrap_or_default();
            // An automatic index is made of a whole table, for this statement only.
            let reads_all = verb == "SCAN" || rest.contains("USING AUTOMATIC");
            let is_partial = partial.iter().any(|index| rest.ends_with(index));
            reads_all && !is_partial && rest.split(' ').next().is_some_and(is_table)
        };
        plan.into_iter().filter(is_scan).collect()
    }
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let server = Server::start().await;
    login(&server, "josef@example.com").await;
    let database = server.database().await;
    // It would be seen.
    let whole = "SELECT id FROM chat AS one WHERE (SELECT count(*) FROM file) > 0";
    assert_eq!(database.scans(whole).await.len(), 2);
    let statements = all_statements();
    assert!(statements.len() >= 20, "{}", statements.len());
    let mut wrong = Vec::new();
    for Statement { name, sql } in statements {
        let scans = database.scans(&sql).await.into_iter();
        wrong.extend(scans.map(|scan| format!("{name}: {scan}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The contents of a socket's frame are found by index, and only they are read.
#[tokio::test]
async fn the_contents_of_a_frame_are_read_last() {
    let server = Server::start().await;
    login(&server, "josef@example.com").await;
    let database = server.database().await;
    let statements = all_statements();
    for file in ["snapshot.sql", "attachments.sql", "contents.sql"] {
        let mut named = statements.iter().filter(|it| it.name.ends_with(file));
        let statement = named.next().expect("there is such a statement");
        let plan = database.plan(&statement.sql).await;
        let places = plan
            .iter()
            .filter(|step| step.contains("USING INTEGER PRIMARY KEY"));
        assert!(places.count() >= 2, "{file}: {plan:#?}");
    }
}
