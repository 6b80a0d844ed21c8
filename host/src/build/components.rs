//! Runs the build commands that the manifest names, as `spin build` does.

use super::step::{self, say};
use crate::manifest::Manifest;
use anyhow::{Context, bail};
use std::{collections::BTreeSet, env, ffi::OsStr, path::Path, process::Command};

/// Environment variables that cargo sets for what it runs, besides those of [`SET_BY_CARGO_FOR_A_PACKAGE`].
const SET_BY_CARGO: [&str; 9] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
];

/// Beginnings of further such variables.
const SET_BY_CARGO_FOR_A_PACKAGE: [&str; 2] = ["CARGO_BIN_EXE_", "CARGO_PKG_"];

/// Builds every component that has a build command, in the order of their ids; a command that several components
/// share, with the same folder to work in, runs once.
///
/// `folder` is the one of the manifest: commands run there, or in their `workdir` below it, through `sh -c`. What
/// they print goes to standard error as they print it.
///
/// # Errors
/// When a command can't be started or fails, or leaves no file where the component's `source` says; the message
/// names the component.
pub fn build_components(manifest: &Manifest, folder: &Path) -> anyhow::Result<()> {
    let mut done = BTreeSet::new();
    for (id, component) in &manifest.components {
        let Some(build) = &component.build else {
            continue;
        };
        let workdir = match &build.workdir {
            Some(workdir) => folder.join(workdir),
            None => folder.to_owned(),
        };
        for command in &build.commands {
            if done.insert((command.clone(), workdir.clone())) {
                say(&format!("building component {id}: {command}"));
                run(command, &workdir)
                    .with_context(|| format!("can't build component {id:?} with `{command}`"))?;
            }
        }
        let source = folder.join(&component.source);
        if !source.is_file() {
            bail!(
                "component {id:?} was built, but there is no {}; does its build command write somewhere else, \
                 for instance because CARGO_TARGET_DIR is set?",
                source.display()
            );
        }
    }
    Ok(())
}

fn run(line: &str, workdir: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    if workdir != Path::new("") {
        command.current_dir(workdir);
    }
    forget_outer_cargo(&mut command);
    step::run(&mut command)
}

/// Keeps from a command what an outer `cargo run` or `cargo test` says of its own package: a nested cargo that sees
/// it rebuilds what depends on such variables, and again when called from a shell. What a person sets, such as
/// `RUSTFLAGS` or `CARGO_HOME`, stays.
pub fn forget_outer_cargo(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if is_set_by_cargo(&name) {
            command.env_remove(name);
        }
    }
}

fn is_set_by_cargo(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        SET_BY_CARGO.contains(&name)
            || SET_BY_CARGO_FOR_A_PACKAGE
                .iter()
                .any(|beginning| name.starts_with(beginning))
    })
}

#[cfg(test)]
mod tests {
    use super::{build_components, is_set_by_cargo};
    use crate::manifest::Manifest;
    use std::{fs, path::PathBuf};

    /// A manifest in a folder of its own, with these component tables.
    fn manifest(name: &str, components: &str) -> (Manifest, PathBuf) {
        let folder =
            std::env::temp_dir().join(format!("kafka-build-test-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("sub")).expect("temporary folder");
        let text =
            format!("spin_manifest_version = 2\n[application]\nname = \"test\"\n{components}");
        (Manifest::parse(&text).expect("valid manifest"), folder)
    }

    #[test]
    fn a_shared_command_runs_once_per_folder() {
        let (manifest, folder) = manifest(
            "once",
            r#"
            [component.a]
            source = "log"
            build = { command = "echo x >> log" }
            [component.b]
            source = "log"
            build = { command = ["echo x >> log", "echo y >> log"] }
            [component.c]
            source = "sub/log"
            build = { command = "echo x >> log", workdir = "sub" }
            "#,
        );
        build_components(&manifest, &folder).expect("builds");
        assert_eq!(
            fs::read_to_string(folder.join("log")).expect("log"),
            "x\ny\n"
        );
        assert_eq!(
            fs::read_to_string(folder.join("sub/log")).expect("log"),
            "x\n"
        );
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn errors_name_the_component() {
        let (failing, folder) = manifest(
            "fails",
            "[component.a]\nsource = \"x\"\nbuild = { command = \"exit 3\" }",
        );
        let error = format!(
            "{:#}",
            build_components(&failing, &folder).expect_err("fails")
        );
        assert!(
            error.contains("\"a\"") && error.contains("exit 3") && error.contains("status: 3"),
            "{error}"
        );

        let (silent, folder) = manifest(
            "fails",
            "[component.b]\nsource = \"x\"\nbuild = { command = \"true\" }",
        );
        let error = format!(
            "{:#}",
            build_components(&silent, &folder).expect_err("fails")
        );
        assert!(
            error.contains("\"b\"") && error.contains("there is no"),
            "{error}"
        );
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn only_what_cargo_sets_is_forgotten() {
        for name in [
            "CARGO",
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "CARGO_BIN_EXE_kafka",
        ] {
            assert!(is_set_by_cargo(name.as_ref()), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "RUSTFLAGS",
            "PATH",
            "CARGO_NET_OFFLINE",
        ] {
            assert!(!is_set_by_cargo(name.as_ref()), "{name}");
        }
    }
}
