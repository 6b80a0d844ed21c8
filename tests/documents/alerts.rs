//! The rules for alerts: Prometheus' own program accepts them, and each asks for metrics that the document names.

use std::fs;
use std::io::Write;
use std::process::Command;

use super::read;

const MISSING: &str = "NOT TESTED: promtool is not installed (apt-get install prometheus)";

/// The rules as they are printed.
fn rules() -> String {
    let text = read("docs/operations.md");
    let blocks = text.split("```yaml\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let rules = blocks.find(|block| block.starts_with("groups:"));
    rules.expect("there is a block of rules").to_owned()
}

#[test]
fn promtool_accepts_the_rules() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("kafka.yml");
    let rules = rules();
    fs::write(&file, &rules).expect("it can be written");
    let checked = Command::new("promtool")
        .args(["check", "rules"])
        .arg(&file)
        .output();
    let Ok(checked) = checked else {
        assert!(std::env::var_os("REQUIRE_PROMTOOL").is_none(), "{MISSING}");
        // Not with a macro, whose output is visible only when a test fails.
        writeln!(std::io::stderr(), "{MISSING}").ok();
        return;
    };
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let count = rules.matches("- alert:").count();
    assert!(checked.status.success(), "{said}");
    assert!(
        said.contains(&format!("SUCCESS: {count} rules found")),
        "{said}"
    );
}

#[test]
fn rules_ask_for_metrics_that_are_named() {
    let text = read("docs/operations.md");
    let named: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let rules = rules();
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: Vec<_> = words
        .filter(|word| word.starts_with("kafka_backend_"))
        .collect();
    assert!(asked.len() > 10, "{asked:?}");
    for metric in asked {
        let histogram = metric.trim_end_matches("_bucket");
        assert!(named.contains(&histogram), "{metric}");
    }
}
