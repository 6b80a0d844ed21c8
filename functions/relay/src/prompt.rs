//! What a person asks of a model.

use kafka_common::api::actions::{How, NewMessage};
use kafka_common::api::id::MessageId;

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
    pub how: How,
}

impl Prompt {
    /// A prompt without anything around it.
    pub fn plain(text: String) -> Self {
        Self {
            text,
            place: Place::After(None),
            how: How::default(),
        }
    }

    /// The prompt of `new_message`.
    pub fn new(message: NewMessage, how: How) -> Self {
        Self {
            text: message.prompt,
            place: Place::After(message.parent_id.map(|id| id.0)),
            how,
        }
    }

    /// The prompt of `edit_message`.
    pub fn edit(message: MessageId, text: String, how: How) -> Self {
        let place = Place::Beside(message);
        Self { text, place, how }
    }

    /// The prompt of `regenerate`.
    pub fn regenerate(message: MessageId, how: How) -> Self {
        let place = Place::Again(message);
        let text = String::new();
        Self { text, place, how }
    }
}
