//! Manifests, good and bad.

use super::Manifest;
use std::path::Path;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"test\"\n";

#[test]
fn reads_everything_that_is_supported() {
    let manifest = Manifest::parse(
        r#"
        #:schema https://schemas.spinframework.dev/spin/manifest-v2/latest.json
        spin_manifest_version = 2

        [application]
        name = "kafka"
        version = "0.1.0"
        description = "A backend"
        authors = ["An author"]
        targets = ["spin-up:3.5", { path = "target.toml" }]

        [variables]
        mode = { default = "open", description = "Who may call" }
        key = { required = true, secret = true }

        [[trigger.http]]
        id = "trigger-auth"
        route = "/auth/..."
        component = "auth"

        [[trigger.http]]
        route = { private = true }
        component = "auth"

        [component.auth]
        description = "Login"
        source = "target/auth.wasm"
        variables = { mode = "{{ mode }}" }
        environment = { RUST_BACKTRACE = "1" }
        allowed_outbound_hosts = []
        key_value_stores = ["default"]
        sqlite_databases = ["default", "other_one"]
        targets = ["spin-up:3.5"]
        dependencies_inherit_configuration = true
        dependencies = { "a:b/c@1.0.0" = { path = "target/c.wasm" } }
        [component.auth.build]
        command = "cargo build"
        workdir = "functions/auth"
        watch = ["src/**/*.rs"]
        [component.auth.tool.other]
        anything = true
        "#,
    )
    .expect("valid");
    assert_eq!(manifest.name, "kafka");
    assert_eq!(manifest.variables["mode"].default.as_deref(), Some("open"));
    assert!(manifest.variables["key"].required && manifest.variables["key"].secret);
    assert_eq!(manifest.routes.len(), 1, "a private route is not routed");
    assert_eq!(
        (
            manifest.routes[0].pattern.as_str(),
            manifest.routes[0].component.as_str()
        ),
        ("/auth/...", "auth")
    );
    let auth = &manifest.components["auth"];
    assert_eq!(auth.source, Path::new("target/auth.wasm"));
    assert_eq!(auth.variables["mode"], "{{ mode }}");
    assert_eq!(auth.environment["RUST_BACKTRACE"], "1");
    assert_eq!(auth.key_value_stores, ["default"]);
    assert_eq!(auth.sqlite_databases, ["default", "other_one"]);
    let dependency = &auth.dependencies["a:b/c@1.0.0"];
    assert_eq!(dependency.path, Path::new("target/c.wasm"));
    assert_eq!(
        auth.parts(),
        "target/auth.wasm + target/c.wasm (a:b/c@1.0.0)"
    );
    let build = auth.build.as_ref().expect("has a build");
    assert_eq!(build.commands, ["cargo build"]);
    assert_eq!(build.workdir.as_deref(), Some(Path::new("functions/auth")));
    assert_eq!(build.watch, ["src/**/*.rs"]);
}

#[test]
fn unsupported_keys_are_named() {
    for (part, named) in [
        (
            "[component.a]\nsource = \"a\"\nfiles = [\"static\"]",
            "files",
        ),
        (
            "[component.a]\nsource = \"a\"\nai_models = [\"llama\"]",
            "ai_models",
        ),
        (
            "[component.a]\nsource = \"a\"\nallowed_http_hosts = [\"example.com\"]",
            "allowed_http_hosts",
        ),
        (
            "[component.a]\nsource = \"a\"\n[component.a.dependencies]\n\"a:b\" = \"1\"",
            "dependencies",
        ),
        (
            "[component.a]\nsource = \"a\"\n[component.a.dependencies]\n\"a:b\" = { path = \"b\" }",
            "dependencies_inherit_configuration",
        ),
        (
            "[component.a]\nsource = \"a\"\n[component.a.dependencies]\n\"a:b\" = { path = \"b\", export = \"c\" }",
            "dependencies",
        ),
        (
            "[component.a]\nsource = { url = \"https://example.com\", digest = \"sha256:0\" }",
            "local file",
        ),
        (
            "[component.a]\nsource = \"a\"\n[component.a.build]\ncommand = 3",
            "a command or a list",
        ),
        (
            "[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"a\"",
            "redis",
        ),
        ("[[trigger.http]]\ncomponent = \"a\"", "route"),
        (
            "[[trigger.http]]\nroute = 3\ncomponent = \"a\"",
            "private = true",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\nexecutor = { type = \"wagi\" }",
            "executor",
        ),
    ] {
        let error = Manifest::parse(&format!("{HEAD}{part}")).expect_err(part);
        assert!(format!("{error:#}").contains(named), "{part}: {error:#}");
    }
}

#[test]
fn contradictions_are_named() {
    let component = "[component.a]\nsource = \"a\"\n";
    for (part, named) in [
        ("[variables]\nx = {}", "\"x\""),
        (
            "[variables]\nx = { default = \"\", required = true }",
            "\"x\"",
        ),
        ("[variables]\nX = { default = \"\" }", "\"X\""),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"b\"",
            "\"b\"",
        ),
        (
            "[[trigger.http]]\nroute = { private = false }\ncomponent = \"a\"",
            "private = true",
        ),
        (
            "[[trigger.http]]\nroute = \"/x\"\ncomponent = \"a\"\n[[trigger.http]]\nroute = \"/x\"\ncomponent = \"a\"",
            "\"/x\" occurs twice",
        ),
        (
            "[component.b]\nsource = \"b\"\nvariables = { v = \"{{ y }}\" }",
            "\"y\"",
        ),
        (
            "[component.b]\nsource = \"b\"\nvariables = { v = \"{{ y\" }",
            "}}",
        ),
        (
            "[component.b]\nsource = \"b\"\nvariables = { \"V-W\" = \"\" }",
            "\"V-W\"",
        ),
        (
            "[component.b]\nsource = \"b\"\nallowed_outbound_hosts = [\"http://{{ y }}\"]",
            "\"y\"",
        ),
        (
            "[component.b]\nsource = \"b\"\nallowed_outbound_hosts = [\"example.com\"]",
            "example.com",
        ),
        (
            "[component.b]\nsource = \"b\"\nsqlite_databases = [\"../x\"]",
            "../x",
        ),
        ("[component.b_c]\nsource = \"b\"", "b_c"),
    ] {
        let error = Manifest::parse(&format!("{HEAD}{component}{part}")).expect_err(part);
        assert!(format!("{error:#}").contains(named), "{part}: {error:#}");
    }
}

#[test]
fn only_version_2_is_read() {
    for text in [
        "",
        "not toml",
        "[application]\nname = \"x\"",
        "spin_manifest_version = 2",
        "spin_manifest_version = 1\n[application]\nname = \"x\"",
    ] {
        assert!(Manifest::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Manifest::load(Path::new("no/such/spin.toml")).expect_err("missing");
    assert!(format!("{error:#}").contains("no/such/spin.toml"));
}
