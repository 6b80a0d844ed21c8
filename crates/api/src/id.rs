//! Ids and times: texts that must not be taken for one another.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest id that a request may name, in characters. Ids are opaque; those we make have 36. A longer one is 422.
pub const MAX_ID_CHARS: usize = 255;

/// The id of a `Thing`. It is opaque text: any text that a client sends can be one, and most of them name nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<Thing>(String, PhantomData<Thing>);

impl<Thing> Id<Thing> {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<Thing> From<String> for Id<Thing> {
    fn from(text: String) -> Self {
        Self(text, PhantomData)
    }
}

impl<Thing> From<&str> for Id<Thing> {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl<Thing> From<Id<Thing>> for String {
    fn from(id: Id<Thing>) -> Self {
        id.0
    }
}

impl<Thing> fmt::Display for Id<Thing> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<Thing> fmt::Debug for Id<Thing> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<Thing> JsonSchema for Id<Thing> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// Declares what has ids of its own, and the type of those.
macro_rules! ids {
    ($($(#[doc = $about:literal])+ $thing:ident $id:ident;)+) => {
        /// What ids can be of. These types have no values.
        pub mod thing {
            $(
                $(#[doc = $about])+
                #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
                pub enum $thing {}
            )+
        }

        $(
            #[doc = concat!("The id of a [`thing::", stringify!($thing), "`].")]
            pub type $id = Id<thing::$thing>;
        )+
    };
}

ids! {
    /// A person with an account.
    User UserId;
    /// A place for files and chats.
    Workspace WorkspaceId;
    /// A chat.
    Chat ChatId;
    /// A file: the workspace's, or its attachment to a chat.
    File FileId;
    /// A version of a chat's file.
    Version VersionId;
    /// A message of a chat.
    Message MessageId;
    /// A reply that is being written, or was.
    Generation GenerationId;
    /// A model of a user.
    Model ModelId;
    /// A login that goes on.
    Session SessionId;
}

/// A time in UTC, as ISO 8601 with six fractional digits and `+00:00`. Times sort as texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(String);

impl Time {
    /// The time as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Time {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::{ChatId, Time};

    #[test]
    fn they_are_texts_in_json() {
        let odd = "\"new\" ä/%00";
        let id: ChatId = serde_json::from_value(odd.into()).expect("any text is an id");
        assert_eq!((id.as_str(), id.to_string()), (odd, odd.to_owned()));
        assert_eq!(serde_json::to_value(id).expect("ids are JSON"), odd);
        serde_json::from_str::<ChatId>("1").expect_err("a number is no id");
        serde_json::from_str::<Time>("null").expect_err("nothing is no time");
    }
}
