//! Tables of the documents beside what they list.

use std::collections::BTreeSet;

use super::{read, texts};
use crate::support::{Description, Server, Setup, run_kafka};

/// The rows of a document's table whose head begins so, as cells.
fn rows(document: &str, head: &str) -> Vec<Vec<String>> {
    let text = read(document);
    let mut lines = text.lines().skip_while(|line| !line.starts_with(head));
    assert!(lines.next().is_some(), "{document} has a table of {head}");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    });
    cells.collect()
}

/// What a cell has between the first backticks.
fn code(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_default()
}

/// Names and defaults of a manifest's variables, in their order.
fn variables(manifest: &str) -> Vec<(String, String)> {
    let manifest: toml::Table = read(manifest).parse().expect("the manifest is TOML");
    let declared = manifest["variables"].as_table().expect("variables");
    let default = |variable: &toml::Value| variable.get("default")?.as_str().map(str::to_owned);
    let pairs = declared
        .iter()
        .map(|(name, variable)| (name.clone(), default(variable).unwrap_or_default()));
    pairs.collect()
}

#[test]
fn all_variables_are_described() {
    let sorted = |mut pairs: Vec<(String, String)>| {
        pairs.sort_unstable();
        pairs
    };
    let described = |head| {
        let rows = rows("docs/configuration.md", head);
        let described = rows
            .iter()
            .map(|row| (code(&row[0]).to_owned(), code(&row[1]).to_owned()));
        sorted(described.collect())
    };
    let usual = variables("spin.toml");
    let more = variables("spin.akamai.toml").into_iter();
    let more = more.filter(|(name, _)| usual.iter().all(|(usual, _)| usual != name));
    assert_eq!(
        described("| variable of `spin.akamai.toml` |"),
        sorted(more.collect())
    );
    assert_eq!(described("| variable |"), sorted(usual));
}

#[test]
fn documents_set_only_variables_that_exist() {
    let known = variables("spin.akamai.toml").into_iter();
    let known: BTreeSet<_> = known.map(|(name, _)| name).collect();
    for document in texts().iter().filter(|path| path.ends_with(".md")) {
        let text = read(document);
        let of_option = text.split("--variable ").skip(1);
        let of_environment = text.split("SPIN_VARIABLE_").skip(1);
        let is_of_name = |c: char| c.is_ascii_alphabetic() || c == '_';
        for rest in of_option.chain(of_environment) {
            let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
            let name = rest[..end].to_lowercase();
            let is_placeholder = name.is_empty() || name == "key";
            assert!(
                is_placeholder || known.contains(&name),
                "{document}: {name}"
            );
        }
    }
}

#[test]
fn all_options_are_described() {
    for command in ["up", "gateway", "pack", "admin"] {
        let mut help = run_kafka(&[command, "--help"]).output;
        if command == "admin" {
            for act in ["users", "delete", "audit"] {
                help += &run_kafka(&[command, act, "--help"]).output;
            }
        }
        let lines = help.lines().map(str::trim_start);
        let offered = lines.filter_map(|line| {
            let option = line.split("--").nth(1).filter(|_| line.starts_with('-'))?;
            option.split([' ', '=', '[']).next()
        });
        let offered: BTreeSet<_> = offered
            .filter(|name| !["", "help", "version"].contains(name))
            .map(|name| format!("--{name}"))
            .collect();
        let rows = rows("docs/running.md", &format!("| option of `kafka {command}`"));
        let described = rows.iter().map(|row| code(&row[0]));
        let described: BTreeSet<_> = described
            .filter_map(|option| option.split([' ', '[']).next())
            .map(str::to_owned)
            .collect();
        assert_eq!(described, offered, "kafka {command}");
    }
}

#[tokio::test]
async fn all_metrics_are_described_and_alerts_use_no_others() {
    let server = Setup::app().argument("--metrics=0").start().await;
    // So that there is a request, and one of a component.
    server.get("/readyz").send().await.has_status(200);
    let metrics = server.metrics().await;
    let names = metrics.names();
    let rows = rows("docs/operations.md", "| metric |");
    let described: BTreeSet<_> = rows.iter().map(|row| code(&row[0])).collect();
    assert_eq!(described, names);
    let text = read("docs/operations.md");
    for rest in text.split("kafka_backend_").skip(1) {
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        let name = format!("kafka_backend_{}", &rest[..end.unwrap_or(rest.len())]);
        let of_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let is_known =
            names.contains(name.as_str()) || of_histogram.is_some_and(|name| names.contains(name));
        assert!(is_known, "{name}");
    }
}

#[tokio::test]
async fn all_operations_are_listed() {
    let server = Server::start().await;
    let description = Description::of(&server).await;
    let described = description.operations.iter();
    let described = described.map(|operation| format!("{} {}", operation.method, operation.path));
    // They only refuse these ids.
    let hidden = ["DELETE /chat/new", "DELETE /chat/rename"];
    let described: BTreeSet<_> = described
        .filter(|operation| !hidden.contains(&operation.as_str()))
        .collect();
    let rows = rows("docs/api.md", "| request |");
    let listed: BTreeSet<_> = rows.iter().map(|row| code(&row[0]).to_owned()).collect();
    assert_eq!(listed, described);
}
