//! The files of a chat in a frame: each with its name, and as much of what is in them as there is room for.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_common::api::events::{BasedFile, FrameFile, FrameVersion, TextFile};
use kafka_common::api::id::{Time, VersionId};
use kafka_common::api::words::{FileKind, TextState};
use kafka_common::attachments::{self, AttachmentInfo};
use kafka_common::db::{Db, Result};
use kafka_common::links::Links;
use kafka_common::{params, texts};
use kafka_llm::diff::unified_diff;
use serde::Deserialize;
use serde_json::Value;

use crate::size::{Budget, CONTENTS, INLINE};

const READ: &str = include_str!("contents.sql");

/// How many versions of a file a client receives, the newest.
const VERSIONS: usize = 50;

/// How many versions are looked at for a frame, whatever number of files they are of: no frame has room for as many.
const VERSIONS_IN_ALL: usize = 10_000;

/// How many bytes of versions are read for a frame.
const VERSION_BYTES: i64 = 8 * 1024 * 1024;

/// How long differences are worked out for a frame.
const PATIENCE: Duration = Duration::from_millis(300);

/// The protocol of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    V1,
    V2,
}

impl Protocol {
    /// A file's entry in the list of files with versions, without versions; `None` for a text for which there is no room.
    fn based(self, file: &AttachmentInfo, text: Option<&str>, links: &Links) -> BasedFile {
        let truncated = text.is_none() && self == Self::V2;
        BasedFile {
            file_id: file.id.as_str().into(),
            name: file.name.clone(),
            latest_content: text.map(str::to_owned).or_else(|| self.left_out()),
            versions: Vec::new(),
            kind: FileKind::Based,
            truncated,
            url: truncated.then(|| links.to(&file.id)),
        }
    }

    /// A file's entry in the list of all files.
    fn listed(self, file: &AttachmentInfo, text: Option<&str>, links: &Links) -> FrameFile {
        FrameFile {
            id: file.id.as_str().into(),
            name: file.name.clone(),
            content: text.map(str::to_owned).or_else(|| self.left_out()),
            language: file.kind.language,
            kind: file.kind.told(file.is_based()),
            url: links.to(&file.id),
            versions: None,
            truncated: text.is_none() && self == Self::V2,
        }
    }

    /// A file's entry in v1's list of uploads that have a text, still without it.
    fn text(self, file: &AttachmentInfo) -> Option<TextFile> {
        let is_text = self == Self::V1 && file.is_shown() && !file.is_based();
        is_text.then(|| TextFile {
            file_id: file.id.as_str().into(),
            name: file.name.clone(),
            content: String::new(),
            kind: file.kind.told(false),
        })
    }

    /// What is shown of a text for which there is no room.
    fn left_out(self) -> Option<String> {
        (self == Self::V1).then(String::new)
    }
}

/// A file, and its entries in the lists of the frame.
struct Entries {
    file: AttachmentInfo,
    based: Option<BasedFile>,
    text: Option<TextFile>,
    listed: FrameFile,
    /// What it was uploaded as, if that was read and it has no versions.
    upload: Option<String>,
    /// Those that were read, newest first.
    versions: Vec<Version>,
}

/// A row: a version, or what a file was uploaded as.
#[derive(Deserialize)]
struct Row {
    /// Which of the files that were asked for it is of.
    number: usize,
    version: Option<Version>,
    content_id: Option<String>,
    bytes: Option<Bytes>,
    state: Option<TextState>,
    extracted: Option<String>,
}

/// A version; without its text, unless that was read.
#[derive(Deserialize)]
struct Version {
    id: VersionId,
    timestamp: Time,
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
    /// Whether it is a first frame, which has two lists.
    is_first: bool,
    links: Links,
    files: Vec<Entries>,
    budget: Budget,
    /// Whether there are more than the frame has room for.
    pub has_more: bool,
}

impl Shown {
    /// The files of a first frame: of more than there is room for the newest.
    pub fn first(
        protocol: Protocol,
        mut files: Vec<AttachmentInfo>,
        links: Links,
        budget: Budget,
    ) -> Self {
        files.reverse();
        Self::reserve(protocol, true, files, links, budget)
    }

    /// The files that changed, in the order of their changes: of more than there is room for the first.
    pub fn changed(files: Vec<AttachmentInfo>, links: Links, budget: Budget) -> Self {
        let mut shown = Self::reserve(Protocol::V2, false, files, links, budget);
        shown.files.reverse();
        shown
    }

    /// Takes the room for entries without anything in them: only what is left then is for texts. One file goes in,
    /// so that a client that asks for more makes progress.
    fn reserve(
        protocol: Protocol,
        is_first: bool,
        files: Vec<AttachmentInfo>,
        links: Links,
        mut budget: Budget,
    ) -> Self {
        let mut reserved: Vec<Entries> = Vec::new();
        let mut has_more = false;
        for file in files {
            let text = file.is_blank().then_some("");
            let based = is_first && file.is_based();
            let based = based.then(|| protocol.based(&file, text, &links));
            let mut listed = protocol.listed(&file, text, &links);
            if !is_first && file.is_based() {
                listed.versions = Some(Vec::new());
            }
            let fits_based = based.as_ref().is_none_or(|based| budget.take(based));
            let fits = budget.take(&listed) && fits_based;
            if !fits && !reserved.is_empty() {
                has_more = true;
                break;
            }
            reserved.push(Entries {
                text: protocol.text(&file),
                file,
                based,
                listed,
                upload: None,
                versions: Vec::new(),
            });
        }
        Self {
            protocol,
            is_first,
            links,
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
                if let Some(based) = shown.based.as_mut().filter(|_| !is_last)
                    && budget.take(text)
                {
                    *based = self.protocol.based(&shown.file, Some(text), &self.links);
                }
                if is_last == self.is_first && budget.take(text) {
                    shown.listed.content = Some(text.to_owned());
                    shown.listed.truncated = false;
                }
            }
        }
        // They are in the list of all files as well, so they take no room from other files.
        for shown in &mut self.files {
            let said = text(&shown.upload, &shown.versions).unwrap_or_default();
            let entry = shown.text.take().and_then(|entry| {
                let content = said.to_owned();
                let whole = TextFile {
                    content,
                    ..entry.clone()
                };
                [whole, entry].into_iter().find(|entry| budget.take(entry))
            });
            shown.text = entry;
        }
        for (versions, entries) in versioned(&mut self.files) {
            for version in versions {
                let version = FrameVersion {
                    version_id: version.id.clone(),
                    timestamp: version.timestamp.clone(),
                    diff: self.protocol.left_out(),
                };
                if !budget.take(&version) {
                    break;
                }
                entries.push(version);
            }
        }
        let deadline = Instant::now() + PATIENCE;
        for (versions, entries) in versioned(&mut self.files) {
            for (entry, version) in entries.iter_mut().zip(versions) {
                if budget.is_spent() || Instant::now() >= deadline {
                    break;
                }
                if let (Some(old), Some(newest)) = (&version.text, text(&None, versions)) {
                    let diff = unified_diff(old, newest);
                    if budget.take(&diff) {
                        entry.diff = Some(diff);
                    }
                }
            }
            // Oldest first.
            entries.reverse();
        }
        Ok(())
    }

    /// v1's list of uploads that have a text, oldest first.
    pub fn take_texts(&mut self) -> Vec<TextFile> {
        let entries = self.files.iter_mut().rev();
        entries.filter_map(|shown| shown.text.take()).collect()
    }

    /// The lists of the frame, of files with versions and of all, oldest first.
    pub fn into_lists(self) -> (Vec<BasedFile>, Vec<FrameFile>) {
        let entries = self.files.into_iter().rev();
        let (based, listed): (Vec<_>, Vec<_>) = entries.map(|it| (it.based, it.listed)).unzip();
        (based.into_iter().flatten().collect(), listed)
    }
}

/// The versions of each file that has some, with the list that they are in.
fn versioned(files: &mut [Entries]) -> impl Iterator<Item = (&[Version], &mut Vec<FrameVersion>)> {
    files.iter_mut().filter_map(|shown| {
        let entries = match &mut shown.based {
            Some(based) => &mut based.versions,
            None => shown.listed.versions.as_mut()?,
        };
        (!shown.versions.is_empty()).then_some((shown.versions.as_slice(), entries))
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
    let mut unread = Vec::new();
    for row in db.query_as::<Row>(READ, parameters).await? {
        if let Some(version) = row.version {
            if let Some(shown) = versioned.get_mut(row.number) {
                shown.versions.push(version);
            }
        } else if let Some(shown) = uploads.get_mut(row.number) {
            let bytes = row.bytes.unwrap_or_default();
            let kind = shown.file.kind;
            if kind.name == FileKind::Pdf && row.state.is_none() {
                unread.extend(row.content_id);
            }
            shown.upload = attachments::uploaded(kind, &bytes, row.state, row.extracted);
        }
    }
    // Those that are older than the texts of files; the next frame shows them.
    texts::begin(unread).await;
    Ok(())
}

/// A list of ids in JSON.
fn ids(files: &[&mut Entries]) -> String {
    let ids = files.iter().map(|shown| shown.file.id.as_str());
    Value::from_iter(ids).to_string()
}
