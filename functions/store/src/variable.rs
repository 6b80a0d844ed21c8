//! The variables of `spin.toml`: their values, and the lists and tables that some of them hold.

use crate::error::{Error, Result};

/// The value of a variable of `spin.toml`.
pub async fn variable(name: &str) -> Result<String> {
    spin_sdk::variables::get(name)
        .await
        .map_err(|error| unusable(&format!("{name}: {error}")))
}

/// The error of a configuration that makes no sense, unless the caller can go on without; `problem` goes to the log, and
/// must not hold a secret.
pub fn unusable(problem: &str) -> Error {
    tracing::error!("bad configuration: {problem}");
    misconfigured()
}

/// The same error where the log has the problem already.
pub fn misconfigured() -> Error {
    Error::Unavailable("The server is not configured correctly; its log says what is wrong.")
}

/// Reads a list variable whose entries are a name and `N` numbers, such as `reply=100/2000`: for each of `names` what
/// `value` makes of its numbers. The error names the entry that is wrong.
pub(crate) fn table<T: Copy, const N: usize, const NAMES: usize>(
    variable: &str,
    example: &str,
    list: &str,
    names: [&str; NAMES],
    value: impl Fn([i64; N]) -> Option<T>,
) -> Result<[Option<T>; NAMES], String> {
    let read = |entry: &str| {
        let (name, numbers) = entry.split_once('=').filter(|(name, _)| !name.is_empty())?;
        let at = names.iter().position(|known| *known == name)?;
        let numbers = numbers.split('/').map(|number| number.parse().ok());
        let numbers: Vec<i64> = numbers.collect::<Option<_>>()?;
        Some((at, value(numbers.try_into().ok()?)?))
    };
    let mut table = [None; NAMES];
    for entry in entries(list) {
        let wrong = || format!("{variable}: {entry:?} is no entry such as {example}");
        let (at, value) = read(entry).ok_or_else(wrong)?;
        table[at] = Some(value);
    }
    Ok(table)
}

/// The entries of a list variable, separated by commas or white space.
pub fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
}
