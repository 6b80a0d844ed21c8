//! Running another program as one step of a build, with errors a person can act on.

use anyhow::{Context, anyhow, bail};
use std::process::{Command, Stdio};

/// Prints one line of progress.
pub fn say(line: &str) {
    eprintln!("kafka: {line}");
}

/// Runs a command whose output is for the person: all of it goes to standard error, because standard output
/// belongs to what the caller of this program asked for.
///
/// # Errors
/// When the program can't be started or doesn't exit with 0.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = name(command);
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("can't start {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns what it printed on standard output.
///
/// # Errors
/// When the program can't be started or doesn't exit with 0; the message ends with what it printed on standard
/// error.
pub fn output_of(command: &mut Command) -> anyhow::Result<String> {
    let name = name(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start {name}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(anyhow!(
            "{name} failed ({}): {}",
            output.status,
            complaint.trim()
        ));
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{name} printed something that is not UTF-8"))
}

/// The program and its first argument, such as `apt-get update`: enough to find the step again.
fn name(command: &Command) -> String {
    let mut name = command.get_program().to_string_lossy().into_owned();
    if let Some(first) = command.get_args().next() {
        name.push(' ');
        name.push_str(&first.to_string_lossy());
    }
    name
}
