//! `kafka admin`.

use super::{backup::print, runtime, storage::Elsewhere};
use crate::admin::{Admin, Filter, Row, User};
use anyhow::bail;
use chrono::{DateTime, SecondsFormat};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// Look after users, on the database itself
///
/// It works while a server runs, and while none does. USER is an id or an e-mail.
#[derive(Debug, Args)]
pub struct Command {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the users, oldest first
    Users {
        #[command(flatten)]
        shown: Shown,
        #[command(flatten)]
        place: Place,
    },
    /// End the sessions of a user, who can't log in again
    Disable {
        #[command(flatten)]
        of: Of,
    },
    /// Let a disabled user log in again
    Enable {
        #[command(flatten)]
        of: Of,
    },
    /// End all sessions of a user
    Logout {
        #[command(flatten)]
        of: Of,
    },
    /// Delete a user with all that is the user's
    Delete {
        #[command(flatten)]
        of: Of,
        /// Needed, because it can't be undone
        #[arg(long)]
        yes: bool,
    },
    /// Set how much a user may store in token mode
    Quota {
        /// An id or an e-mail
        user: String,
        /// Bytes; `default` for the variable storage_quota_bytes
        #[arg(value_name = "BYTES", value_parser = quota)]
        quota: Quota,
        #[command(flatten)]
        place: Place,
    },
    /// Count users, workspaces, chats, messages, files, bytes, sessions and running replies
    Stats {
        #[command(flatten)]
        shown: Shown,
        #[command(flatten)]
        place: Place,
    },
    /// Read who did what, from where and when
    Audit {
        /// Only what is about this user; of a deleted one, the id
        #[arg(long)]
        user: Option<String>,
        /// Only what is not older: 2026-11-29, 2026-11-29T12:00:00Z, 7d, 12h or 30m
        #[arg(long, value_name = "TIME", value_parser = Filter::time)]
        since: Option<i64>,
        #[command(flatten)]
        shown: Shown,
        #[command(flatten)]
        place: Place,
    },
}

/// Which database.
#[derive(Debug, Args)]
struct Place {
    /// The state folder of the server
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Certificate authorities to trust beside the usual ones when a libSQL server is called, as a PEM file
    #[arg(long, value_name = "FILE", env = "KAFKA_CA_FILE")]
    ca_file: Option<PathBuf>,
}

/// One user of it.
#[derive(Debug, Args)]
struct Of {
    /// An id or an e-mail
    user: String,
    #[command(flatten)]
    place: Place,
}

/// How it is printed.
#[derive(Debug, Args)]
struct Shown {
    /// Print JSON, an object a line, with times in milliseconds since 1970
    #[arg(long)]
    json: bool,
}

/// Bytes; `None`: the default.
#[derive(Debug, Clone, Copy)]
struct Quota(Option<i64>);

fn quota(text: &str) -> Result<Quota, String> {
    if text == "default" {
        return Ok(Quota(None));
    }
    let bytes = text.parse::<i64>().ok().filter(|bytes| *bytes >= 0);
    let bytes = bytes.ok_or_else(|| format!("{text:?} is no number of bytes, and not default"))?;
    Ok(Quota(Some(bytes)))
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// When the database can't be used, or there is no such user.
    pub fn run(self) -> anyhow::Result<()> {
        runtime()?.block_on(self.act.run())
    }
}

impl Place {
    async fn open(&self) -> anyhow::Result<Admin> {
        let config = self.elsewhere.config()?;
        Admin::open(&self.state_dir, &config, self.ca_file.as_deref()).await
    }
}

impl Of {
    async fn open(&self) -> anyhow::Result<(Admin, User)> {
        let mut admin = self.place.open().await?;
        let user = admin.find(&self.user).await?;
        Ok((admin, user))
    }
}

impl Act {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Users { shown, place } => users(&mut place.open().await?, shown).await,
            Self::Disable { of } => {
                let (mut admin, user) = of.open().await?;
                let ended = admin.disable(&user).await?;
                print(&format!(
                    "{} is disabled; {} ended\n",
                    named(&user),
                    sessions(ended)
                ));
                Ok(())
            }
            Self::Enable { of } => {
                let (mut admin, user) = of.open().await?;
                let was_disabled = admin.enable(&user).await?;
                let what = if was_disabled {
                    "is enabled"
                } else {
                    "was not disabled"
                };
                print(&format!("{} {what}\n", named(&user)));
                Ok(())
            }
            Self::Logout { of } => {
                let (mut admin, user) = of.open().await?;
                let ended = admin.log_out(&user).await?;
                print(&format!(
                    "{} is logged out; {} ended\n",
                    named(&user),
                    sessions(ended)
                ));
                Ok(())
            }
            Self::Delete { of, yes } => {
                let (mut admin, user) = of.open().await?;
                if !yes {
                    bail!(
                        "{} would be deleted with all workspaces, chats and files; give --yes",
                        named(&user)
                    );
                }
                admin.delete(&user).await?;
                print(&format!("{} is deleted\n", named(&user)));
                Ok(())
            }
            Self::Quota { user, quota, place } => {
                let (mut admin, user) = Of { user, place }.open().await?;
                admin.set_quota(&user, quota.0).await?;
                let what = match quota.0 {
                    Some(bytes) => format!("{bytes} bytes"),
                    None => "as much as others".to_owned(),
                };
                print(&format!("{} may store {what}\n", named(&user)));
                Ok(())
            }
            Self::Stats { shown, place } => {
                let stats = place.open().await?.stats().await?;
                if shown.json {
                    return write_json(&[stats]).map(drop);
                }
                for (name, value) in stats {
                    print(&format!("{:16}{value}\n", name.replace('_', " ")));
                }
                Ok(())
            }
            Self::Audit {
                user,
                since,
                shown,
                place,
            } => {
                let mut admin = place.open().await?;
                let user = match user {
                    // One that is deleted is known by its id only.
                    Some(user) => Some(admin.find(&user).await.map_or(user, |found| found.id)),
                    None => None,
                };
                let since = since.unwrap_or(0);
                audit(&mut admin, &Filter { user, since }, shown).await
            }
        }
    }
}

async fn users(admin: &mut Admin, shown: Shown) -> anyhow::Result<()> {
    const COLUMNS: [&str; 7] = [
        "id",
        "email",
        "created_at",
        "last_login_at",
        "stored_bytes",
        "quota_bytes",
        "disabled_at",
    ];
    let mut after = 0;
    let mut is_first = true;
    loop {
        let page = admin.users(after).await?;
        if page.rows.is_empty() && !is_first {
            return Ok(());
        }
        after = page.after;
        let goes_on = match shown.json {
            true => write_json(&page.rows)?,
            false => write_table(&COLUMNS, &page.rows, is_first)?,
        };
        if !goes_on || page.rows.is_empty() {
            return Ok(());
        }
        is_first = false;
    }
}

async fn audit(admin: &mut Admin, filter: &Filter, shown: Shown) -> anyhow::Result<()> {
    const COLUMNS: [&str; 7] = [
        "at", "action", "actor", "user_id", "email", "object", "address",
    ];
    let mut after = 0;
    let mut is_first = true;
    loop {
        let page = admin.audit(filter, after).await?;
        let last = page.last().and_then(|row| row["id"].as_i64());
        let goes_on = match shown.json {
            true => write_json(&page)?,
            false if is_first || last.is_some() => write_table(&COLUMNS, &page, is_first)?,
            false => false,
        };
        match last {
            Some(last) if goes_on => after = last,
            _ => return Ok(()),
        }
        is_first = false;
    }
}

fn named(user: &User) -> String {
    format!("{} ({})", user.email, user.id)
}

fn sessions(number: usize) -> String {
    match number {
        1 => "1 session".to_owned(),
        number => format!("{number} sessions"),
    }
}

/// Writes an object a line; false if nothing reads it any more.
fn write_json(rows: &[Row]) -> anyhow::Result<bool> {
    let mut text = String::new();
    for row in rows {
        text += &serde_json::to_string(row)?;
        text.push('\n');
    }
    write(&text)
}

/// Writes columns of equal width, below their names if this is the first part; false if nothing reads it any more.
fn write_table(columns: &[&str], rows: &[Row], is_first: bool) -> anyhow::Result<bool> {
    let heads = columns.iter().map(|name| {
        let name = name.strip_suffix("_at").unwrap_or(name);
        name.replace('_', " ").to_uppercase()
    });
    let mut lines: Vec<Vec<String>> = vec![heads.collect()];
    lines.extend(rows.iter().map(|row| {
        let cells = columns.iter().map(|name| cell(name, &row[*name]));
        cells.collect()
    }));
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for line in lines.iter().skip(usize::from(!is_first)) {
        let cells = line.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    write(&text)
}

/// A value for a person: of a time, date and time.
fn cell(name: &str, value: &Value) -> String {
    let is_time = name == "at" || name.ends_with("_at");
    match value {
        Value::Null => "-".to_owned(),
        Value::Number(number) if is_time => {
            let time = number.as_i64().and_then(DateTime::from_timestamp_millis);
            time.map_or_else(
                || "-".to_owned(),
                |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
            )
        }
        Value::String(text) => text.replace(char::is_control, " "),
        other => other.to_string(),
    }
}

/// Writes to standard output; false if nothing reads it any more, as after `| head`.
fn write(text: &str) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}
