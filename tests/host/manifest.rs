//! What the host makes of `spin.toml`: variables, and manifests that are wrong.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{Setup, repository, run_kafka, start_refused};

/// A folder with a manifest of this text.
fn folder_with(manifest: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("spin.toml");
    fs::write(&path, manifest).expect("a file can be written");
    (folder, path)
}

/// Fails unless `kafka up` on this manifest ends with an error that has all of `words`.
#[track_caller]
fn assert_refused(manifest: &str, words: &[&str]) {
    let (folder, path) = folder_with(manifest);
    let from = ["--from", path.to_str().expect("a path of text")];
    let outcome = start_refused(&folder.path().join("state"), &from, &[]);
    for word in words {
        assert!(
            outcome.output.contains(word),
            "{word:?} is named: {}",
            outcome.output
        );
    }
    assert!(!outcome.output.contains("panicked"), "{}", outcome.output);
    assert!(!outcome.output.contains("Serving"), "{}", outcome.output);
}

/// The manifest of the misbehaving component with one text put in the place of another, and its
/// paths made absolute so that it works from anywhere.
fn trouble_with(place: &str, text: &str) -> String {
    let root = repository();
    let root = root.to_str().expect("a path of text");
    let manifest =
        fs::read_to_string(repository().join("tests/trouble/spin.toml")).expect("the manifest");
    assert!(manifest.contains(place), "the manifest has {place}");
    manifest
        .replace("required = true", "default = \"tests\"")
        .replace(place, text)
        .replace("../..", root)
}

#[tokio::test]
async fn variables_come_from_the_command_line_the_environment_and_defaults() {
    let value = |setup: Setup, name: &'static str| async move {
        let server = setup.start().await;
        server
            .get(&format!("/variable?name={name}"))
            .send()
            .await
            .text()
            .to_owned()
    };
    assert_eq!(value(Setup::trouble(), "greeting").await, "hello");
    assert_eq!(value(Setup::trouble(), "sentence").await, "hello, tests!");
    let environment = Setup::trouble().environment("SPIN_VARIABLE_GREETING", "good evening");
    assert_eq!(value(environment, "sentence").await, "good evening, tests!");
    let command_line = Setup::trouble().variable("greeting", "a=b {{ x }}");
    assert_eq!(value(command_line, "greeting").await, "a=b {{ x }}");
    let both = Setup::trouble()
        .environment("SPIN_VARIABLE_GREETING", "environment")
        .variable("greeting", "line");
    assert_eq!(value(both, "greeting").await, "line");
}

#[tokio::test]
async fn a_component_sees_only_its_own_variables() {
    let server = Setup::trouble().start().await;
    for path in [
        "/variable?name=required_name",
        "/variable?name=nothing",
        "/bystander/variable?name=greeting",
    ] {
        let response = server.get(path).send().await;
        response.has_status(500);
        assert!(
            response.text().starts_with("failed: "),
            "{path}: {}",
            response.text()
        );
    }
}

#[test]
fn a_manifest_that_is_not_there_is_named() {
    let outcome = run_kafka(&[
        "up",
        "--from",
        "no-such-folder/spin.toml",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert!(!outcome.success);
    assert!(
        outcome.output.contains("no-such-folder/spin.toml"),
        "{}",
        outcome.output
    );
    assert!(!outcome.output.contains("panicked"), "{}", outcome.output);
}

#[test]
fn errors_of_manifests_name_the_place() {
    assert_refused("", &["spin_manifest_version"]);
    assert_refused("spin_manifest_version = 2\n[application\n", &["spin.toml"]);
    assert_refused(
        &trouble_with("spin_manifest_version = 2", "spin_manifest_version = 7"),
        &["spin_manifest_version"],
    );
    assert_refused(
        &trouble_with("component = \"bystander\"", "component = \"missing\""),
        &["missing"],
    );
    assert_refused(
        &trouble_with(
            "[component.pattern]",
            "[component.pattern]\nfiles = [\"x\"]",
        ),
        &["files"],
    );
    assert_refused(
        &trouble_with("kafka_trouble.wasm", "no_such.wasm"),
        &["no_such.wasm"],
    );
    assert_refused(
        &trouble_with("{{ greeting }}, ", "{{ nothing }}, "),
        &["nothing"],
    );
}

#[test]
fn a_required_variable_without_a_value_is_named() {
    assert_refused(
        &trouble_with("default = \"hello\"", "required = true"),
        &["greeting"],
    );
}

#[test]
fn a_source_that_is_no_component_is_named() {
    let (folder, _) = folder_with("");
    let source = folder.path().join("text.wasm");
    fs::write(&source, "this is no wasm").expect("a file can be written");
    let source = source.to_str().expect("a path of text").to_owned();
    let manifest = trouble_with(
        "../../target/wasm32-wasip2/release/kafka_trouble.wasm",
        &source,
    );
    assert_refused(&manifest, &["text.wasm"]);
}
