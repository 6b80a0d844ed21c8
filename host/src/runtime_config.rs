//! The file of `--runtime-config-file`, in Spin's format: where databases and key-value stores are.
//!
//! A key that this host does not support is an error that names it, as in the manifest: an application that starts here
//! would behave the same under Spin.

use crate::{outbound::dial::has_valid_port, remote::Address};
use anyhow::{Context, anyhow, bail};
use http::{HeaderValue, Uri};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Tables of databases.
const DATABASES: &str = "sqlite_database";
/// Tables of key-value stores.
const STORES: &str = "key_value_store";

/// Where an application stores what it stores, as far as that is not in the state folder.
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// The databases, by label.
    pub databases: BTreeMap<String, Place>,
    /// The files of key-value stores, by label.
    pub stores: BTreeMap<String, PathBuf>,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// On a libSQL server.
    Server(Address),
}

impl RuntimeConfig {
    /// Reads the file.
    ///
    /// # Errors
    /// When it can't be read, or asks for something that this host does not have. The text names the file, the table
    /// and the key, and no value.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file);
        let text = text.with_context(|| format!("can't read {}", file.display()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).with_context(|| file.display().to_string())
    }

    /// Reads the text of a file in `folder`.
    fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        // Not the error itself, which quotes the line: a token may be in it.
        let parsed = text.parse::<Table>().map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            anyhow!("line {line} is not TOML: {}", error.message())
        })?;
        let mut config = Self::default();
        for (name, value) in parsed {
            match name.as_str() {
                DATABASES => {
                    for (label, table) in tables(DATABASES, value)? {
                        let place = database(table)?;
                        config.databases.extend(place.map(|place| (label, place)));
                    }
                }
                STORES => {
                    for (label, table) in tables(STORES, value)? {
                        let file = store(table, folder)?;
                        config.stores.extend(file.map(|file| (label, file)));
                    }
                }
                "state_dir" | "log_dir" => bail!(
                    "the key {name:?} is not supported; give --{}",
                    name.replace('_', "-")
                ),
                _ => bail!(
                    "[{name}] is not supported: this host knows [{DATABASES}.LABEL] and [{STORES}.LABEL]"
                ),
            }
        }
        Ok(config)
    }

    /// Fails if a table is for none of these labels: it would have no effect.
    ///
    /// # Errors
    /// When there is such a table.
    pub fn check_labels(&self, databases: &[String], stores: &[String]) -> anyhow::Result<()> {
        let unknown = |kind: &str, label: Option<&String>| match label {
            Some(label) => bail!("no component has what [{kind}.{label}] is for"),
            None => Ok(()),
        };
        let mut given = self.databases.keys();
        unknown(DATABASES, given.find(|label| !databases.contains(label)))?;
        let mut given = self.stores.keys();
        unknown(STORES, given.find(|label| !stores.contains(label)))
    }
}

/// One table, of which each key must be asked for.
struct Entries {
    /// As it is written in the file, with brackets.
    name: String,
    kind: String,
    keys: Table,
}

impl Entries {
    /// The text of `key`, if it is there.
    fn text(&mut self, key: &str) -> anyhow::Result<Option<String>> {
        match self.keys.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => bail!("{key:?} in {} must be a text", self.name),
        }
    }

    /// The text of `key`, which must be there.
    fn needed(&mut self, key: &str) -> anyhow::Result<String> {
        self.text(key)?
            .ok_or_else(|| anyhow!("{} needs the key {key:?}", self.name))
    }

    /// Fails if there is a key that was not asked for.
    fn end(self) -> anyhow::Result<()> {
        match self.keys.keys().next() {
            Some(key) => bail!(
                "the key {key:?} in {} is not supported for the type {:?}",
                self.name,
                self.kind
            ),
            None => Ok(()),
        }
    }
}

/// The tables below a name, by label.
fn tables(name: &str, value: Value) -> anyhow::Result<Vec<(String, Entries)>> {
    let Value::Table(tables) = value else {
        bail!("{name:?} must be a table: [{name}.LABEL]");
    };
    let read = tables.into_iter().map(|(label, value)| {
        let Value::Table(keys) = value else {
            bail!("{label:?} in [{name}] must be a table: [{name}.{label}]");
        };
        let mut entries = Entries {
            name: format!("[{name}.{label}]"),
            kind: String::new(),
            keys,
        };
        entries.kind = entries.needed("type")?;
        Ok((label, entries))
    });
    read.collect()
}

/// Where a database is; `None`: in the state folder. A path is relative to the working directory, as Spin has it.
fn database(mut table: Entries) -> anyhow::Result<Option<Place>> {
    let place = match table.kind.as_str() {
        "spin" => table.text("path")?.map(|path| Place::File(path.into())),
        "libsql" => {
            let url = table.needed("url")?;
            let url = url_of(&url).with_context(|| format!("\"url\" in {}", table.name))?;
            let token = table.needed("token")?;
            Some(Place::Server(Address {
                url,
                token: authorization(&token)
                    .with_context(|| format!("\"token\" in {}", table.name))?,
            }))
        }
        kind => bail!(
            "the type {kind:?} of {} is not supported, only \"spin\" and \"libsql\"",
            table.name
        ),
    };
    table.end()?;
    Ok(place)
}

/// The file of a store; `None`: the one in the state folder. A path is relative to the file's `folder`, as Spin has it.
fn store(mut table: Entries, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    if table.kind != "spin" {
        bail!(
            "the type {:?} of {} is not supported, only \"spin\"",
            table.kind,
            table.name
        );
    }
    let file = table.text("path")?.map(|path| folder.join(path));
    table.end()?;
    Ok(file)
}

/// The address of a libSQL server; `libsql://` is another word for `https://`.
fn url_of(text: &str) -> anyhow::Result<Uri> {
    let text = match text.strip_prefix("libsql://") {
        Some(rest) => format!("https://{rest}"),
        None => text.to_owned(),
    };
    let uri: Uri = text.parse().context("is no URL")?;
    let parts = (uri.scheme_str(), uri.authority(), uri.query());
    match parts {
        (_, Some(host), _) if !has_valid_port(host) => bail!("has no port between 1 and 65535"),
        (Some("http" | "https"), Some(host), None) if !host.as_str().contains('@') => Ok(uri),
        _ => {
            bail!("must be http://HOST, https://HOST or libsql://HOST, without a user and a query")
        }
    }
}

/// The header for a token; empty if there is none.
fn authorization(token: &str) -> anyhow::Result<HeaderValue> {
    if token.is_empty() {
        return Ok(HeaderValue::from_static(""));
    }
    let mut header = HeaderValue::try_from(kafka_hrana::bearer(token))
        .map_err(|_| anyhow!("has characters that no token has"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::{Place, RuntimeConfig};
    use std::path::Path;

    fn parse(text: &str) -> anyhow::Result<RuntimeConfig> {
        RuntimeConfig::parse(text, Path::new("/etc/kafka"))
    }

    #[test]
    fn what_spin_reads_is_read() {
        let config = parse(
            r#"
            [sqlite_database.default]
            type = "libsql"
            url = "libsql://db.example"
            token = "secret"
            [sqlite_database.other]
            type = "spin"
            path = "other.db"
            [sqlite_database.usual]
            type = "spin"
            [key_value_store.default]
            type = "spin"
            path = "keys.db"
            "#,
        )
        .expect("it is valid");
        let databases = &config.databases;
        match &databases["default"] {
            Place::Server(address) => {
                assert_eq!(address.url, "https://db.example/");
                assert_eq!(address.token, "Bearer secret");
                assert!(!format!("{config:?}").contains("secret"));
            }
            Place::File(file) => panic!("{file:?} is no server"),
        }
        assert!(matches!(&databases["other"], Place::File(file) if file == Path::new("other.db")));
        assert!(!databases.contains_key("usual"));
        assert_eq!(config.stores["default"], Path::new("/etc/kafka/keys.db"));
    }

    #[test]
    fn what_is_not_supported_is_named_but_not_shown() {
        for (text, part) in [
            ("[variables_provider]", "[variables_provider]"),
            ("state_dir = \"secret\"", "--state-dir"),
            ("sqlite_database = 1", "[sqlite_database.LABEL]"),
            ("[sqlite_database]\na = 1", "[sqlite_database.a]"),
            (
                "[sqlite_database.a]",
                "[sqlite_database.a] needs the key \"type\"",
            ),
            (
                "[sqlite_database.a]\ntype = \"mysql\"",
                "\"mysql\" of [sqlite_database.a]",
            ),
            (
                "[sqlite_database.a]\ntype = \"spin\"\nurl = \"secret\"",
                "the key \"url\" in [sqlite_database.a]",
            ),
            (
                "[sqlite_database.a]\ntype = \"libsql\"\ntoken = \"secret\"",
                "[sqlite_database.a] needs the key \"url\"",
            ),
            (
                "[sqlite_database.a]\ntype = \"libsql\"\nurl = \"http://secret@b\"\ntoken = \"\"",
                "\"url\" in [sqlite_database.a]",
            ),
            (
                "[sqlite_database.a]\ntype = \"libsql\"\nurl = \"http://b:99999\"\ntoken = \"secret\"",
                "\"url\" in [sqlite_database.a]",
            ),
            (
                "[sqlite_database.a]\ntype = \"libsql\"\nurl = \"http://b\"\ntoken = \"secret\\n\"",
                "\"token\" in [sqlite_database.a]",
            ),
            (
                "[key_value_store.a]\ntype = \"redis\"",
                "\"redis\" of [key_value_store.a]",
            ),
            (
                "[key_value_store.a]\ntype = \"spin\"\npath = 1",
                "\"path\" in [key_value_store.a]",
            ),
            ("\n[a]\ntoken = \"secret", "line 3"),
        ] {
            let error = format!("{:#}", parse(text).expect_err(text));
            assert!(error.contains(part), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_table_is_for_a_label_that_exists() {
        let config = parse("[sqlite_database.defualt]\ntype = \"spin\"\npath = \"a\"");
        let config = config.expect("it is valid");
        let error = config.check_labels(&["default".into()], &[]);
        let error = error.expect_err("no such label").to_string();
        assert!(error.contains("[sqlite_database.defualt]"), "{error}");
    }
}
