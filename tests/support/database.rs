//! The database file, read by another process while the server runs.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use libsql::{Builder, Connection, OpenFlags, Value};

use super::{PATIENCE, repository};

/// Where `kafka up` keeps the database with the label `default`, below its state directory. Another server that is
/// tested may keep it elsewhere: `KAFKA_TEST_FILE`.
const FILE: &str = "default.db";

/// A read-only look.
pub struct Database(Connection);

impl Database {
    /// The database of the server that has, or had, this state folder.
    pub async fn open(state: &Path) -> Self {
        Self::of_file(&Self::file(state)).await
    }

    /// The file of the server that has this state folder.
    pub fn file(state: &Path) -> PathBuf {
        let elsewhere = env::var("KAFKA_TEST_FILE")
            .ok()
            .map(|file| state.join(file));
        let elsewhere = elsewhere.filter(|file| file.exists());
        elsewhere.unwrap_or_else(|| state.join(FILE))
    }

    /// The database in `file`.
    pub async fn of_file(file: &Path) -> Self {
        let database = Builder::new_local(file)
            .flags(OpenFlags::SQLITE_OPEN_READ_ONLY)
            .build()
            .await
            .expect("the server made a database");
        let connection = database.connect().expect("the database opens");
        connection
            .busy_timeout(Duration::from_secs(20))
            .expect("a connection waits its turn");
        Self(connection)
    }

    /// Makes the database as an older program has left it: with the first `count` migrations.
    pub async fn of_version(state: &Path, count: usize) {
        let files =
            fs::read_dir(repository().join("migrations")).expect("the migrations are there");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        let mut sql = "CREATE TABLE schema_migration (
                version    INTEGER NOT NULL PRIMARY KEY,
                name       TEXT NOT NULL,
                applied_at TEXT NOT NULL
            );"
        .to_owned();
        for file in files.iter().take(count) {
            let name = file.file_name().and_then(|name| name.to_str());
            let version = &name.expect("a name of text")[..4];
            sql += &fs::read_to_string(file).expect("a migration is text");
            sql += &format!(";INSERT INTO schema_migration VALUES ({version}, 'x', '');");
        }
        Self::change(state, &sql).await;
    }

    /// Makes the database in folder `to` as a program of an older `version` would have left it that had stored what is
    /// in folder `from`, as far as it had tables and columns for that; and copies the keys. Returns how
    /// many rows each table has.
    ///
    /// # Panics
    /// When there is no row for one of the tables.
    pub async fn copy_of_version(from: &Path, to: &Path, version: i64) -> Vec<(String, i64)> {
        for name in ["key_value.db", "key_value.db-wal"] {
            fs::copy(from.join(name), to.join(name)).expect("there are keys");
        }
        Self::of_version(to, usize::try_from(version).expect("a version")).await;
        let old = Self::open(to).await;
        let mut tables = old.tables().await;
        // An index is made when a user searches.
        tables.retain(|table| table != "schema_migration" && !table.starts_with("search_"));
        let newest = Self::file(from);
        let mut sql = format!(
            "PRAGMA foreign_keys = OFF; ATTACH '{}' AS newest;",
            newest.display()
        );
        // What refers to others comes before them, so that nothing is counted that has its count already.
        let order = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC";
        let mut names = Vec::new();
        for name in old.texts(order).await {
            if tables.contains(&name) {
                let of_table =
                    format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{name}')");
                let list = old.texts(&of_table).await.join(", ");
                sql += &format!(
                    "INSERT INTO main.\"{name}\" ({list}) SELECT {list} FROM newest.\"{name}\" ORDER BY rowid;"
                );
                names.push(name);
            }
        }
        Self::change(to, &sql).await;
        let old = Self::open(to).await;
        let mut stored = Vec::new();
        for name in names {
            let count = old.count(&name).await;
            assert!(count > 0, "{name} has rows in version {version}");
            stored.push((name, count));
        }
        stored
    }

    /// How many migrations it has had.
    pub async fn version(&self) -> i64 {
        self.number("SELECT max(version) FROM schema_migration")
            .await
    }

    /// Changes the database of a server, in ways that it never would itself.
    pub async fn change(state: &Path, sql: &str) {
        Self::change_file(&Self::file(state), sql).await;
    }

    /// The same with its key-value stores.
    pub async fn change_keys(state: &Path, sql: &str) {
        Self::change_file(&state.join("key_value.db"), sql).await;
    }

    async fn change_file(file: &Path, sql: &str) {
        let database = Builder::new_local(file).build().await;
        let connection = database.and_then(|database| database.connect());
        let connection = connection.expect("the database opens");
        connection
            .busy_timeout(Duration::from_secs(20))
            .expect("a connection waits its turn");
        connection
            .execute_batch(sql)
            .await
            .expect("the database can be changed");
    }

    /// Keeps all writers of a server out, as another process may, until the connection is dropped.
    pub async fn hold(state: &Path) -> Connection {
        let database = Builder::new_local(Self::file(state)).build().await;
        let connection = database.and_then(|database| database.connect());
        let connection = connection.expect("the database opens");
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .await
            .expect("there is no other writer");
        connection
    }

    /// What puts so many messages into an empty chat: a chain, as a conversation is.
    pub fn conversation(chat: &str, count: usize) -> String {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at, rev)
             SELECT '{chat}-' || i, '{chat}', iif(i % 2, 'user', 'assistant'), 'text', 'text ' || i,
                 iif(i > 1, '{chat}-' || (i - 1), NULL), i, '2026-11-23T12:00:00.000000+00:00', i FROM n;
             UPDATE chat SET rev = {count} WHERE id = '{chat}';"
        )
    }

    /// The first column of the first row, as an integer.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows = self.rows(sql).await;
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(number)) => *number,
            other => panic!("{sql} gives a number, not {other:?}"),
        }
    }

    /// The first column of every row, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.rows(sql).await;
        rows.into_iter()
            .map(|row| match row.into_iter().next() {
                Some(Value::Text(text)) => text,
                other => panic!("{sql} gives texts, not {other:?}"),
            })
            .collect()
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM \"{table}\""))
            .await
    }

    /// Every row of every table as text: two equal dumps mean that nothing changed. The texts of files are read beside the
    /// requests that store them, so those that are new are waited for.
    pub async fn dump(&self) -> String {
        let unread = "SELECT count(*) FROM content LEFT JOIN file_text ON content_id = id
            WHERE staged_at IS NULL AND coalesce(state, 'pending') = 'pending'";
        let deadline = Instant::now() + PATIENCE;
        while self.number(unread).await > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut dump = String::new();
        for table in self.tables().await {
            for row in self
                .rows(&format!("SELECT * FROM \"{table}\" ORDER BY rowid"))
                .await
            {
                writeln!(dump, "{table} {row:?}").expect("a string takes all that is written");
            }
        }
        dump
    }

    /// The names of the application's tables, without those that SQLite keeps an index of words in.
    pub async fn tables(&self) -> Vec<String> {
        self.texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_index%' ORDER BY name")
            .await
    }

    /// How a statement is carried out, step by step. Component `file` has a statement that others call `named`.
    pub async fn plan(&self, sql: &str) -> Vec<String> {
        const NAMED: &str = include_str!("../../functions/file/src/chat_file.sql");
        let explain = match sql.contains(" named\n") {
            true => format!("EXPLAIN QUERY PLAN WITH named AS ({NAMED}){sql}"),
            false => format!("EXPLAIN QUERY PLAN {sql}"),
        };
        let rows = self.rows(&explain).await;
        rows.into_iter()
            .map(|row| match row.into_iter().nth(3) {
                Some(Value::Text(step)) => step,
                other => panic!("{sql} has a plan, not {other:?}"),
            })
            .collect()
    }

    /// Fails if a row refers to nothing, or a content belongs to no row.
    pub async fn has_no_orphans(&self) {
        assert!(self.rows("PRAGMA foreign_key_check").await.is_empty());
        for orphans in [
            "content WHERE id NOT IN (SELECT content_id FROM file)
             AND id NOT IN (SELECT content_id FROM chat_file WHERE content_id IS NOT NULL)",
            "content_chunk WHERE content_id NOT IN (SELECT id FROM content)",
            "chat_file_version WHERE chat_file_id NOT IN (SELECT id FROM chat_file)",
            "chat_conversation WHERE chat_id NOT IN (SELECT id FROM chat)",
            "generation WHERE chat_id NOT IN (SELECT id FROM chat)",
        ] {
            let sql = format!("SELECT count(*) FROM {orphans}");
            assert_eq!(self.number(&sql).await, 0, "rows of {orphans}");
        }
    }

    /// Fails if a user has stored more or less than is counted for them.
    pub async fn knows_how_much_is_stored(&self) {
        // A running reply counts for the longest that it can become.
        let sent = "
            SELECT user_id, sum(iif(message.status = 'running', 262144, octet_length(message.content) + octet_length(message.reasoning))) AS bytes
            FROM chat_conversation AS message JOIN chat ON chat.id = chat_id GROUP BY user_id";
        let wrong = [
            &format!(
                "user LEFT JOIN ({sent}) AS sent ON sent.user_id = user.id WHERE stored_bytes <>
                coalesce(sent.bytes, 0) +
                (SELECT coalesce(sum(coalesce(octet_length(instructions), 0) + coalesce(octet_length(extra), 0)), 0)
                    FROM chat WHERE chat.user_id = user.id) +
                (SELECT coalesce(sum(size + text_excess), 0) FROM content WHERE owner_id = user.id) +
                (SELECT coalesce(sum(octet_length(content)), 0) FROM chat_file_version WHERE owner_id = user.id)"
            ),
            "user WHERE num_workspaces <> (SELECT count(*) FROM workspace WHERE owner_id = user.id)",
            "user WHERE num_chats <> (SELECT count(*) FROM chat WHERE user_id = user.id)",
            "user WHERE num_files <>
                (SELECT count(*) FROM file JOIN workspace ON workspace.id = workspace_id WHERE owner_id = user.id) +
                (SELECT count(*) FROM chat_file JOIN chat ON chat.id = chat_id WHERE user_id = user.id)",
            "workspace WHERE num_chats <> (SELECT count(*) FROM chat WHERE workspace_id = workspace.id)
                OR num_files <> (SELECT count(*) FROM file WHERE workspace_id = workspace.id)",
            "chat_file WHERE num_versions <> (SELECT count(*) FROM chat_file_version WHERE chat_file_id = chat_file.id)",
            "chat WHERE num_files <> (SELECT count(*) FROM chat_file WHERE chat_id = chat.id)
                OR num_versions <> (SELECT coalesce(sum(num_versions), 0) FROM chat_file WHERE chat_id = chat.id)",
        ];
        for wrong in wrong {
            let count = format!("SELECT count(*) FROM {wrong}");
            assert_eq!(self.number(&count).await, 0, "a counter is wrong: {wrong}");
        }
    }

    async fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let mut rows = self
            .0
            .query(sql, ())
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut all = Vec::new();
        while let Some(row) = rows
            .next()
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
        {
            let columns = 0..rows.column_count();
            all.push(
                columns
                    .map(|column| row.get_value(column).expect("a column of the row"))
                    .collect(),
            );
        }
        all
    }
}
