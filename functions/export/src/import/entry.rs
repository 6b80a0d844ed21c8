//! The entries of an archive: which of them mean something, by their paths.

use kafka_common::error::Result;
use kafka_common::feed;
use kafka_unpack::json::{Event, Splitter};

use super::chat::{CHAT, Chat};
use super::files::{FILES, List, NewFile};
use super::refused;
use super::user::{USER, User};
use super::work::Work;

/// The entry that is being read.
pub enum Entry {
    /// One that is passed over, such as a chat for people.
    Other,
    /// A document.
    Document {
        path: String,
        splitter: Box<Splitter>,
        document: Box<Document>,
    },
    /// A file.
    File(Box<NewFile>),
}

/// A document of the archive.
pub enum Document {
    /// `export.json`
    User(Box<User>),
    /// `files.json` of a workspace
    Files(List),
    /// `chat.json`
    Chat(Box<Chat>),
}

impl Entry {
    /// An entry begins.
    pub async fn begin(path: &str, work: &mut Work) -> Result<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        // Who packs a folder has its name before each path.
        let entry = match parts.as_slice() {
            ["export.json"] | [_, "export.json"] => {
                Self::document(path, USER, Document::User(Box::default()))
            }
            ["workspaces", workspace, "files.json"]
            | [_, "workspaces", workspace, "files.json"] => {
                Self::document(path, FILES, Document::Files(List::new(workspace)))
            }
            ["chats", _, "chat.json"] | [_, "chats", _, "chat.json"] => {
                Self::document(path, CHAT, Document::Chat(Box::default()))
            }
            ["workspaces", workspace, file, name] | [_, "workspaces", workspace, file, name] => {
                if name.is_empty() {
                    return Ok(Self::Other);
                }
                Self::File(Box::new(
                    NewFile::begin(path, workspace, file, name, work).await?,
                ))
            }
            _ => return Ok(Self::Other),
        };
        match work.is_new(path) {
            true => Ok(entry),
            false => Err(refused(path, "the archive has it twice")),
        }
    }

    fn document(path: &str, shape: kafka_unpack::json::Shape, document: Document) -> Self {
        Self::Document {
            path: path.to_owned(),
            splitter: Box::new(Splitter::new(shape)),
            document: Box::new(document),
        }
    }

    /// More of it.
    pub async fn data(&mut self, bytes: Vec<u8>, work: &mut Work) -> Result<()> {
        match self {
            Self::Other => Ok(()),
            Self::File(file) => file.data(bytes).await,
            Self::Document {
                path,
                splitter,
                document,
            } => {
                let mut events = Vec::new();
                let pushed = splitter.push(&bytes, &mut events);
                for event in events {
                    document.take(path, event, work).await?;
                }
                pushed.map_err(|error| refused(path, error))
            }
        }
    }

    /// It is complete, and undamaged.
    pub async fn end(self, work: &mut Work) -> Result<()> {
        match self {
            Self::Other => return Ok(()),
            Self::File(file) => file.end(work).await?,
            Self::Document {
                path,
                splitter,
                document,
            } => {
                if let Err(error) = splitter.finish() {
                    document.give_up().await;
                    return Err(refused(&path, error));
                }
                match *document {
                    Document::User(user) => user.end(&path, work).await?,
                    Document::Files(list) => list.end(&path, work).await?,
                    Document::Chat(chat) => chat.end(&path, work).await?,
                }
            }
        }
        // Those who follow the user's feed learn of it entry by entry.
        feed::tell([work.user.as_str()]).await;
        Ok(())
    }

    /// It will not be complete: what was staged is removed.
    pub async fn give_up(self) {
        match self {
            Self::Other => {}
            Self::File(file) => file.give_up().await,
            Self::Document { document, .. } => document.give_up().await,
        }
    }
}

impl Document {
    async fn give_up(self) {
        if let Self::Chat(chat) = self {
            chat.give_up().await;
        }
    }

    async fn take(&mut self, path: &str, event: Event, work: &mut Work) -> Result<()> {
        match self {
            Self::User(user) => user.take(path, event, work).await,
            Self::Files(list) => list.take(path, event, work).await,
            Self::Chat(chat) => chat.take(path, event, work).await,
        }
    }
}
