//! The files of a chat in a frame: each with its name, and as much of what is in them as there is room for.

use std::time::{Duration, Instant};

use kafka_common::db::{Db, Result};
use kafka_common::{object, params, sql_file};
use kafka_llm::diff::unified_diff;
use serde_json::{Value, json};

use crate::size::{Budget, CONTENTS, INLINE};
use kafka_common::api::words::FileKind;
use kafka_common::attachments::{self, ChatFile};

const READ: &str = sql_file!("contents.sql");

/// How many versions of a file a window gets, the newest.
const VERSIONS: usize = 50;

/// How many versions are looked at for a frame, whatever number of files they are of: no frame has room for as many.
const VERSIONS_IN_ALL: usize = 10_000;

/// How many bytes of versions are read for a frame.
const VERSION_BYTES: i64 = 8 * 1024 * 1024;

/// How long differences are worked out for a frame.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a window speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    V1,
    V2,
}

/// A list of a frame that files are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `chat_files_based`, with versions.
    Based,
    /// `chat_files`, all of them.
    All,
    /// `files` of an answer to `sync`, with versions.
    Changed,
}

impl List {
    fn has_versions(self) -> bool {
        self != Self::All
    }
}

impl Protocol {
    /// A file's entry, without versions; `None` for a text for which there is no room.
    fn entry(self, list: List, file: &ChatFile, text: Option<&str>) -> Value {
        let kind = file.kind.told(file.is_based()).as_str();
        let (key, mut entry) = match list {
            List::Based => {
                let entry = object!({
                    "file_id": file.id, "name": file.name, "latest_content": Value::Null, "versions": json!([]),
                    "type": "based",
                });
                ("latest_content", entry)
            }
            List::All | List::Changed => {
                let entry = object!({
                    "id": file.id, "name": file.name, "content": Value::Null, "language": file.kind.language,
                    "type": kind, "url": file.url(),
                });
                ("content", entry)
            }
        };
        if list == List::Changed && file.is_based() {
            // Which no other list has.
            entry["versions"] = json!([]);
        }
        match text {
            Some(text) => entry[key] = text.into(),
            None if self == Self::V1 => entry[key] = self.left_out(),
            None => {
                entry["truncated"] = true.into();
                entry["url"] = file.url().into();
            }
        }
        entry
    }

    /// What is shown of a text for which there is no room.
    fn left_out(self) -> Value {
        match self {
            Self::V1 => "".into(),
            Self::V2 => Value::Null,
        }
    }
}

/// A file, and its entries in the lists of the frame.
struct Entries {
    file: ChatFile,
    entries: Vec<(List, Value)>,
    /// What it was uploaded as, if that was read and it has no versions.
    upload: Option<String>,
    /// Those that were read, newest first.
    versions: Vec<Version>,
}

/// A version; without its text, unless that was read.
struct Version {
    id: String,
    timestamp: String,
    text: Option<String>,
}

/// A file's text, if it was read and is short enough to be shown.
fn text<'a>(upload: &'a Option<String>, versions: &'a [Version]) -> Option<&'a str> {
    let text = match versions.first() {
        Some(newest) => &newest.text,
        None => upload,
    };
    text.as_deref().filter(|text| text.len() <= INLINE)
}

/// The files of a frame, newest first.
pub struct Shown {
    protocol: Protocol,
    files: Vec<Entries>,
    budget: Budget,
    /// Whether there are more than the frame has room for.
    pub has_more: bool,
}

impl Shown {
    /// The files of a first frame: of more than there is room for the newest.
    pub fn first(protocol: Protocol, mut files: Vec<ChatFile>, budget: Budget) -> Self {
        files.reverse();
        Self::reserve(protocol, files, &[List::Based, List::All], budget)
    }

    /// The files that changed, in the order of their changes: of more than there is room for the first.
    pub fn changed(files: Vec<ChatFile>, budget: Budget) -> Self {
        let mut shown = Self::reserve(Protocol::V2, files, &[List::Changed], budget);
        shown.files.reverse();
        shown
    }

    /// Takes the room for entries without anything in them: only what is left then is for texts. One file goes in,
    /// so that whoever asks for more gets on.
    fn reserve(
        protocol: Protocol,
        files: Vec<ChatFile>,
        lists: &[List],
        mut budget: Budget,
    ) -> Self {
        let mut reserved: Vec<Entries> = Vec::new();
        let mut has_more = false;
        for file in files {
            let text = file.is_blank().then_some("");
            let mut entries = Vec::new();
            let mut fits = true;
            for list in lists {
                if *list != List::Based || file.is_based() {
                    let entry = protocol.entry(*list, &file, text);
                    fits &= budget.take(&entry);
                    entries.push((*list, entry));
                }
            }
            if !fits && !reserved.is_empty() {
                has_more = true;
                break;
            }
            reserved.push(Entries {
                file,
                entries,
                upload: None,
                versions: Vec::new(),
            });
        }
        Self {
            protocol,
            files: reserved,
            budget: budget.at_most(CONTENTS),
            has_more,
        }
    }

    /// The chat's rev with the newest of the changes that are shown.
    pub fn reached(&self) -> Option<i64> {
        self.files.first().map(|newest| newest.file.rev)
    }

    /// Puts in what there is room for: texts, then versions, then what is different in them.
    pub async fn fill(&mut self, db: &mut Db) -> Result<()> {
        read(db, &mut self.files).await?;
        let budget = &mut self.budget;
        // What is in two lists gets its text in the list of all files last: there it is the second time.
        for is_last in [false, true] {
            for shown in &mut self.files {
                let Some(text) = text(&shown.upload, &shown.versions) else {
                    continue;
                };
                let entries = shown.entries.iter_mut();
                for (list, entry) in entries.filter(|(list, _)| (*list == List::All) == is_last) {
                    if budget.take(&Value::from(text)) {
                        *entry = self.protocol.entry(*list, &shown.file, Some(text));
                    }
                }
            }
        }
        for (versions, entry) in versioned(&mut self.files) {
            let mut entries = Vec::new();
            for version in versions {
                let version = object!({
                    "version_id": version.id, "timestamp": version.timestamp, "diff": self.protocol.left_out(),
                });
                if !budget.take(&version) {
                    break;
                }
                entries.push(version);
            }
            entry["versions"] = entries.into();
        }
        let deadline = Instant::now() + PATIENCE;
        for (versions, entry) in versioned(&mut self.files) {
            let Some(entries) = entry["versions"].as_array_mut() else {
                continue;
            };
            for (entry, version) in entries.iter_mut().zip(versions) {
                if budget.is_spent() || Instant::now() >= deadline {
                    break;
                }
                if let (Some(old), Some(newest)) = (&version.text, text(&None, versions)) {
                    let diff = Value::from(unified_diff(old, newest));
                    if budget.take(&diff) {
                        entry["diff"] = diff;
                    }
                }
            }
            // Oldest first.
            entries.reverse();
        }
        Ok(())
    }

    /// The entries of a list, oldest first.
    pub fn take(&mut self, list: List) -> Value {
        let mut taken = Vec::new();
        for (of, entry) in self.files.iter_mut().rev().flat_map(|it| &mut it.entries) {
            if *of == list {
                taken.push(entry.take());
            }
        }
        taken.into()
    }
}

/// The versions of each file that has some, with each of its entries that they are in.
fn versioned(files: &mut [Entries]) -> impl Iterator<Item = (&[Version], &mut Value)> {
    files.iter_mut().flat_map(|shown| {
        let versions = shown.versions.as_slice();
        let entries = shown.entries.iter_mut();
        let entries = entries.filter(|(list, _)| !versions.is_empty() && list.has_versions());
        entries.map(move |(_, entry)| (versions, entry))
    })
}

/// Reads what a frame may show of files. The first are the ones that it shows first.
async fn read(db: &mut Db, files: &mut [Entries]) -> Result<()> {
    let (mut uploads, mut versioned) = (Vec::new(), Vec::new());
    // More would not fit the frame.
    let mut room = 4 * INLINE;
    for shown in files {
        let file = &shown.file;
        if file.versioned {
            versioned.push(shown);
        } else if room > 0
            && !file.is_blank()
            && (file.size <= INLINE || file.kind.name == FileKind::Pdf)
        {
            room = room.saturating_sub(file.size.min(INLINE));
            uploads.push(shown);
        }
    }
    if uploads.is_empty() && versioned.is_empty() {
        return Ok(());
    }
    let of_each = VERSIONS_IN_ALL / versioned.len().max(1);
    let parameters = params![
        ids(&uploads),
        ids(&versioned),
        of_each.clamp(1, VERSIONS) as i64,
        INLINE as i64,
        VERSION_BYTES
    ];
    for mut row in db.query(READ, parameters).await? {
        let number = usize::try_from(row.int(1)).unwrap_or(usize::MAX);
        match row.opt_text(2) {
            Some(id) => {
                let version = Version {
                    id,
                    timestamp: row.text(3),
                    text: row.opt_text(4),
                };
                if let Some(shown) = versioned.get_mut(number) {
                    shown.versions.push(version);
                }
            }
            None => {
                if let Some(shown) = uploads.get_mut(number) {
                    shown.upload = attachments::uploaded(&shown.file.name, row.blob(4), row.int(5));
                }
            }
        }
    }
    Ok(())
}

/// A list of ids in JSON.
fn ids(files: &[&mut Entries]) -> String {
    let ids = files.iter().map(|shown| shown.file.id.as_str());
    Value::from_iter(ids).to_string()
}
