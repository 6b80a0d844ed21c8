//! What the application keeps, and its rules. It knows the database and no HTTP: requests and answers are the edge's
//! (`kafka-common`).
//!
//! [`db`] is the only place that talks to the database, [`content`] keeps the bytes of files, [`seal`] makes API keys
//! unreadable, [`id`] and [`clock`] make ids and times, [`variable`] reads the variables of `spin.toml`.
//!
//! On top of them is the domain: whose request it is in [`caller`] and [`session`], files in [`files`], their texts in [`file_text`], their versions in
//! [`versions`], the files of chats in [`chat_files`] and [`attachments`], those of messages in [`message_files`], messages in [`conversation`].
//! Lists are read in [`page`]s, and [`removal`] deletes large things in parts. [`room`] says how much a user may have, [`limits`] how often they may ask,
//! [`long_work`] how much may go on at a time, which each [`lease`] counts. [`ready`] asks whether the database is of use. What they refuse is an [`error::Error`].
#![forbid(unsafe_code)]

use kafka_api as api;

pub mod attachments;
pub mod caller;
pub mod chat_files;
pub mod clock;
pub mod content;
pub mod conversation;
pub mod db;
pub mod error;
pub mod file_text;
pub mod files;
pub mod id;
pub mod lease;
pub mod limits;
pub mod long_work;
mod mac;
pub mod message_files;
pub mod page;
pub mod ready;
pub mod removal;
pub mod room;
pub mod seal;
pub mod session;
pub mod variable;
pub mod versions;
