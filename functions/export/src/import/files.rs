//! The files of workspaces, and the lists that say what they are called.

use std::collections::HashMap;

use kafka_common::content::{MAX_MEDIA_TYPE_BYTES, Staging, Upload};
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result, StoreError};
use kafka_common::files::{self, Target};
use kafka_common::params;
use kafka_unpack::json::{Event, Shape};
use serde::Deserialize;

use super::refused;
use super::work::{Work, check_id, parse};

/// What is taken of a list.
pub const FILES: Shape = Shape::Array;

/// The longest name of a file, in bytes.
pub const MAX_FILENAME_BYTES: usize = 1024;

const FILE: &str = include_str!("file.sql");
const ATTACH: &str = include_str!("attach.sql");
const UNNAMED: &str =
    "SELECT source_id, id FROM import_link WHERE user_id = ?1 AND kind = 'file_name'";

/// How many bytes the descriptions of files may take that have not come.
const MAX_DESCRIBED_BYTES: usize = 16 << 20;

/// What each takes beside its texts.
const DESCRIBED_BYTES: usize = 64;

/// What a list says of a file.
#[derive(Deserialize)]
pub struct Described {
    id: String,
    filename: String,
    media_type: Option<String>,
}

/// What lists say of files that have not come yet.
#[derive(Default)]
pub struct AllDescribed {
    /// By their ids in the archive.
    files: HashMap<String, Described>,
    bytes: usize,
}

impl AllDescribed {
    fn insert(&mut self, path: &str, file: Described) -> Result<()> {
        self.remove(&file.id);
        self.bytes += file.bytes();
        if self.bytes > MAX_DESCRIBED_BYTES {
            return Err(refused(
                path,
                "too many files are in lists and have not come yet",
            ));
        }
        self.files.insert(file.id.clone(), file);
        Ok(())
    }

    fn remove(&mut self, id: &str) -> Option<Described> {
        let file = self.files.remove(id)?;
        self.bytes -= file.bytes();
        Some(file)
    }
}

impl Described {
    fn bytes(&self) -> usize {
        let media_type = self.media_type.as_ref().map_or(0, String::len);
        2 * self.id.len() + self.filename.len() + media_type + DESCRIBED_BYTES
    }
}

/// A list of the files of a workspace, as far as it has come.
pub struct List {
    workspace: String,
    /// The files that were made before their names were known, by their ids in the archive.
    unnamed: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Link {
    source_id: String,
    id: String,
}

impl List {
    /// The list of this workspace of the archive.
    pub fn new(workspace: &str) -> Self {
        Self {
            workspace: workspace.to_owned(),
            unnamed: None,
        }
    }

    /// An entry of the list.
    pub async fn take(&mut self, path: &str, event: Event, work: &mut Work) -> Result<()> {
        let Event::Value(_, json) = event else {
            return Ok(());
        };
        let mut described: Described = parse(path, "a file", &json)?;
        check_id(path, &described.id)?;
        if described.filename.len() > MAX_FILENAME_BYTES {
            let most = format_args!("a name has more than {MAX_FILENAME_BYTES} bytes");
            return Err(refused(path, most));
        }
        // As after an upload.
        let media_type = described.media_type.take();
        described.media_type = media_type.filter(|it| it.len() <= MAX_MEDIA_TYPE_BYTES);
        let unnamed = match &mut self.unnamed {
            Some(unnamed) => unnamed,
            None => {
                let asked = params![work.user.as_str()];
                let links: Vec<Link> = Db::open().await?.query_as(UNNAMED, asked).await?;
                let links = links.into_iter().map(|link| (link.source_id, link.id));
                self.unnamed.insert(links.collect())
            }
        };
        if let Some(id) = unnamed.remove(&described.id) {
            return rename(work, &id, described).await;
        }
        work.described.insert(path, described)
    }

    /// The list is complete.
    pub async fn end(self, path: &str, work: &mut Work) -> Result<()> {
        check_id(path, &self.workspace)?;
        // Of a workspace without files nothing else comes.
        work.workspace(&self.workspace).await.map(drop)
    }
}

/// Gives a file its name.
async fn rename(work: &Work, id: &str, described: Described) -> Result<()> {
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    work.unlink(&mut tx, "file_name", &described.id).await?;
    let place = format!("uploads/files/{id}_{}", described.filename);
    let sql = "UPDATE file SET filename = ?2, path = ?3 WHERE id = ?1";
    tx.execute(sql, params![id, described.filename, place])
        .await?;
    let sql =
        "UPDATE content SET media_type = ?2 WHERE id = (SELECT content_id FROM file WHERE id = ?1)";
    tx.execute(sql, params![id, described.media_type]).await?;
    Ok(tx.commit().await?)
}

/// A file that arrives.
pub struct NewFile {
    path: String,
    /// Its id in the archive.
    source: String,
    /// The id that it gets.
    id: String,
    /// The workspace that it goes to.
    workspace: String,
    max_size: u64,
    size: u64,
    is_described: bool,
    state: State,
}

enum State {
    /// It is here already.
    There,
    TooLarge,
    Arriving(Staging),
}

impl NewFile {
    /// The file of this id and name begins, of this workspace.
    pub async fn begin(
        path: &str,
        workspace: &str,
        source: &str,
        name: &str,
        work: &mut Work,
    ) -> Result<Self> {
        check_id(path, source)?;
        check_id(path, workspace)?;
        let id = work.id("file", source);
        let described = work.described.remove(source);
        if described.is_none() && name.len() > MAX_FILENAME_BYTES {
            let most = format_args!("a name has more than {MAX_FILENAME_BYTES} bytes");
            return Err(refused(path, most));
        }
        let asked = params![work.user.as_str(), source, id.as_str()];
        let found: Option<String> = Db::open().await?.query_one_as(FILE, asked).await?;
        let workspace = work.workspace(workspace).await?;
        let state = match found {
            Some(_) => State::There,
            None => {
                let mut staging = Staging::within(work.room.clone());
                let name = described.as_ref().map_or(name, |it| &it.filename);
                let media_type = described.as_ref().and_then(|it| it.media_type.as_deref());
                staging.begin(name, media_type);
                State::Arriving(staging)
            }
        };
        Ok(Self {
            path: path.to_owned(),
            source: source.to_owned(),
            id,
            workspace,
            max_size: work.max_file,
            size: 0,
            is_described: described.is_some(),
            state,
        })
    }

    /// More of it.
    pub async fn data(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.max_size && matches!(self.state, State::Arriving(_)) {
            std::mem::replace(&mut self.state, State::TooLarge)
                .discard()
                .await;
        }
        match &mut self.state {
            State::Arriving(staging) => Ok(staging.chunk(bytes.into()).await?),
            _ => Ok(()),
        }
    }

    /// It is complete.
    pub async fn end(self, work: &mut Work) -> Result<()> {
        let Self {
            path,
            source,
            id,
            workspace,
            max_size,
            is_described,
            state,
            ..
        } = self;
        let mut staging = match state {
            State::There => {
                work.done.there_already.files += 1;
                return Ok(());
            }
            State::TooLarge => {
                let reason = format!("This server takes no file of more than {max_size} bytes.");
                work.leave_out(&path, reason);
                return Ok(());
            }
            State::Arriving(staging) => staging,
        };
        let stored = async {
            let mut upload = staging.end().await?;
            upload.file_id.clone_from(&id);
            store(upload, &source, &workspace, is_described, work).await
        };
        let stored = stored.await;
        match staging.settle(stored).await {
            Ok(()) => work.done.made.files += 1,
            // Another request has made it meanwhile.
            Err(StoreError::Db(db::Error::Unique(_))) => work.done.there_already.files += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// It will not be complete.
    pub async fn give_up(self) {
        self.state.discard().await;
    }
}

impl State {
    async fn discard(self) {
        if let Self::Arriving(staging) = self {
            let _ = staging.settle(Err::<(), ()>(())).await;
        }
    }
}

async fn store(
    upload: Upload,
    source: &str,
    workspace: &str,
    is_described: bool,
    work: &mut Work,
) -> Result<(), StoreError> {
    let mut uploads = [upload];
    let unread = files::unread(&uploads);
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let target = Target::Workspace(workspace);
    let inserted = files::insert(&mut tx, &mut uploads, target, &work.caller).await?;
    let [upload] = uploads;
    if inserted.is_none() {
        return Err(StoreError::Unavailable(
            "A workspace was deleted while its files came. Please send the archive again.",
        ));
    }
    let id = upload.file_id.as_str();
    let failed = |error: Error| match error {
        Error::Internal(cause) => StoreError::Internal(cause),
        Error::NoRoom(detail) => StoreError::NoRoom(detail.into_owned()),
        _ => StoreError::Unavailable("The database is busy. Please try again."),
    };
    if !is_described {
        work.link(&mut tx, "file_name", source, id)
            .await
            .map_err(failed)?;
    }
    let waiting = work
        .unlink(&mut tx, "chat_file", source)
        .await
        .map_err(failed)?;
    for attachment in waiting {
        tx.execute(ATTACH, params![id, attachment, work.user.as_str()])
            .await?;
    }
    tx.commit().await?;
    work.will_read(unread);
    Ok(())
}
