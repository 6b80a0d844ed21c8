//! What a person asks of a model.

use kafka_common::api::actions::{FileIds, How, NewMessage};
use kafka_common::api::id::{FileId, MessageId};

/// Where in the conversation something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A new message after this one, or at the end of the active branch.
    After(Option<MessageId>),
    /// A new message beside this one, which it says better.
    Beside(MessageId),
    /// Another reply: beside this one, or to this message.
    Again(MessageId),
}

impl Place {
    /// The message that it names.
    pub fn named(&self) -> Option<&MessageId> {
        match self {
            Self::After(named) => named.as_ref(),
            Self::Beside(named) | Self::Again(named) => Some(named),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The new message; empty where there is none.
    pub text: String,
    pub place: Place,
    /// The files of the new message; `None`: those of the message that it is beside, if it is.
    pub files: Option<Vec<FileId>>,
    pub how: How,
}

impl Prompt {
    /// A prompt without anything around it.
    pub fn plain(text: String) -> Self {
        Self {
            text,
            place: Place::After(None),
            files: None,
            how: How::default(),
        }
    }

    /// The prompt of `new_message`.
    pub fn new(message: NewMessage, how: How) -> Self {
        Self {
            text: message.prompt,
            place: Place::After(message.parent_id.map(|id| id.0)),
            files: message.file_ids.map(|ids| ids.0),
            how,
        }
    }

    /// The prompt of `edit_message`.
    pub fn edit(message: MessageId, text: String, files: Option<FileIds>, how: How) -> Self {
        let place = Place::Beside(message);
        let files = files.map(|ids| ids.0);
        Self {
            text,
            place,
            files,
            how,
        }
    }

    /// The prompt of `regenerate`.
    pub fn regenerate(message: MessageId, how: How) -> Self {
        let place = Place::Again(message);
        Self {
            text: String::new(),
            place,
            files: None,
            how,
        }
    }
}
