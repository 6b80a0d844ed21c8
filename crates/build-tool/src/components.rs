//! Runs the build commands that the manifest names, as `spin build` does.

use super::step::{self, say};
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

/// How one component is built.
#[derive(Debug, Clone, Copy)]
pub struct BuildSteps<'a> {
    /// The component's id.
    pub component: &'a str,
    /// Shell commands, run one after the other.
    pub commands: &'a [String],
    /// The folder they run in, relative to the manifest's.
    pub workdir: Option<&'a Path>,
    /// The file that they make, relative to the manifest's folder.
    pub result: &'a Path,
}

/// Builds components in the order in which they come. A command that several components share, with the same folder to
/// work in, runs once.
///
/// `folder` is the one of the manifest: commands run there, or in their `workdir` below it, through `sh -c`. What
/// they print goes to standard error as they print it.
///
/// # Errors
/// When a command can't be started or fails, or does not make the component's file; the message
/// names the component.
pub fn build_components<'a>(
    components: impl IntoIterator<Item = BuildSteps<'a>>,
    folder: &Path,
) -> anyhow::Result<()> {
    let mut done = BTreeSet::new();
    for steps in components {
        let id = steps.component;
        let workdir = match steps.workdir {
            Some(workdir) => folder.join(workdir),
            None => folder.to_owned(),
        };
        for command in steps.commands {
            if done.insert((command.clone(), workdir.clone())) {
                say(&format!("building component {id}: {command}"));
                run(command, &workdir)
                    .with_context(|| format!("can't build component {id:?} with `{command}`"))?;
            }
        }
        let source = folder.join(steps.result);
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

/// Removes from a command the variables that an outer `cargo run` or `cargo test` sets for its own package: a nested
/// cargo that sees it rebuilds what depends on such variables, and again when called from a shell. What a person sets,
/// such as `RUSTFLAGS` or `CARGO_HOME`, stays.
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
    use super::{BuildSteps, build_components, is_set_by_cargo};
    use std::{fs, path::Path};

    /// Builds components in a folder of their own: id, commands, folder to work in and result of each.
    fn build(
        name: &str,
        components: &[(&str, &[&str], Option<&str>, &str)],
        check: impl FnOnce(&Path, anyhow::Result<()>),
    ) {
        let folder =
            std::env::temp_dir().join(format!("kafka-build-test-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("sub")).expect("temporary folder");
        let commands: Vec<Vec<String>> = components
            .iter()
            .map(|component| {
                component
                    .1
                    .iter()
                    .map(|command| (*command).to_owned())
                    .collect()
            })
            .collect();
        let steps = components.iter().zip(&commands);
        let steps = steps.map(|(&(component, _, workdir, result), commands)| BuildSteps {
            component,
            commands,
            workdir: workdir.map(Path::new),
            result: Path::new(result),
        });
        check(&folder, build_components(steps, &folder));
        fs::remove_dir_all(folder).expect("clean");
    }

    #[test]
    fn a_shared_command_runs_once_per_folder() {
        let components: [(_, &[&str], _, _); 3] = [
            ("a", &["echo x >> log"], None, "log"),
            ("b", &["echo x >> log", "echo y >> log"], None, "log"),
            ("c", &["echo x >> log"], Some("sub"), "sub/log"),
        ];
        build("once", &components, |folder, built| {
            built.expect("builds");
            let log = |name| fs::read_to_string(folder.join(name)).expect("log");
            assert_eq!(log("log"), "x\ny\n");
            assert_eq!(log("sub/log"), "x\n");
        });
    }

    #[test]
    fn errors_name_the_component() {
        build("fails", &[("a", &["exit 3"], None, "x")], |_, built| {
            let error = format!("{:#}", built.expect_err("fails"));
            let has = |part: &str| error.contains(part);
            assert!(has("\"a\"") && has("exit 3") && has("status: 3"), "{error}");
        });
        build("silent", &[("b", &["true"], None, "x")], |_, built| {
            let error = format!("{:#}", built.expect_err("fails"));
            assert!(
                error.contains("\"b\"") && error.contains("there is no"),
                "{error}"
            );
        });
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
