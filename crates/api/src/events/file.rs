//! The files of a chat in events.

use std::ops::Not;

use schemars::JsonSchema;
use serde::Serialize;

use crate::id::{FileId, Time, VersionId};
use crate::words::FileKind;

/// A version that a file has got.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FileVersion {
    pub rev: i64,
    pub file_id: FileId,
    pub name: String,
    pub version_id: VersionId,
    pub timestamp: Time,
    /// From the text before.
    pub diff: Option<String>,
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// Where the text is read that is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A file of a chat.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FrameFile {
    pub id: FileId,
    pub name: String,
    pub content: Option<String>,
    /// Of code.
    pub language: Option<&'static str>,
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// The address under which its content is read.
    pub url: String,
    /// In `sync`, of files that have versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<Vec<FrameVersion>>,
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
}

/// A file with its versions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BasedFile {
    pub file_id: FileId,
    pub name: String,
    pub latest_content: Option<String>,
    /// Oldest first.
    pub versions: Vec<FrameVersion>,
    /// Always `based`.
    #[serde(rename = "type")]
    pub kind: FileKind,
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// Where the text is read that is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A version of a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FrameVersion {
    pub version_id: VersionId,
    pub timestamp: Time,
    /// From this version to the newest.
    pub diff: Option<String>,
}
