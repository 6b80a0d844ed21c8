//! Words that mean something to programs: each set of them is an enum.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares an enum whose values are these texts, in JSON, in the database and for people.
macro_rules! words {
    ($(
        $(#[doc = $about:literal])+
        $name:ident { $($(#[doc = $meaning:literal])+ $word:ident = $text:literal,)+ }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        pub enum $name {
            $($(#[doc = $meaning])+ #[serde(rename = $text)] $word,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// The text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

words! {
    /// The author of a message.
    Role {
        /// A person.
        User = "user",
        /// A model.
        Assistant = "assistant",
        /// The server.
        System = "system",
    }

    /// What a message is about.
    MessageKind {
        /// A prompt or a reply.
        Text = "text",
        /// A file that was added, changed or deleted.
        File = "file",
    }

    /// How far a message is.
    Status {
        /// It will not change any more.
        Complete = "complete",
        /// A model is writing it.
        Running = "running",
        /// It was stopped before its end.
        Stopped = "stopped",
        /// The server lost the reply before its end.
        Interrupted = "interrupted",
        /// The model failed before its end.
        Error = "error",
    }

    /// Why an action is refused.
    ErrorCode {
        /// The message can't be read, or asks for something impossible.
        BadRequest = "bad_request",
        /// The session has ended.
        Unauthorized = "unauthorized",
        /// The caller has no such thing.
        NotFound = "not_found",
        /// A reply is still being written.
        Busy = "busy",
        /// The text is too long, or more than the user may store.
        TooLarge = "too_large",
        /// The client asks too often, or for too much at once.
        RateLimited = "rate_limited",
        /// The server can't do it now.
        Internal = "internal",
    }

    /// How much a model thinks before it answers.
    ReasoningEffort {
        /// Not at all.
        None = "none",
        /// As little as it can.
        Minimal = "minimal",
        /// Little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much.
        High = "high",
    }

    /// What a setting is set for.
    Level {
        /// All chats of a user.
        User = "user",
        /// The chats of a workspace.
        Workspace = "workspace",
        /// One chat.
        Chat = "chat",
    }

    /// How far the text of a file is that models read.
    TextState {
        /// It has not been read yet.
        Pending = "pending",
        /// It is there.
        Ready = "ready",
        /// There is none; why is said beside it.
        Failed = "failed",
    }

    /// What the reader of a reply thinks of it.
    Rating {
        /// It is of use.
        Good = "good",
        /// It is not.
        Bad = "bad",
    }

    /// What a search has found.
    HitKind {
        /// A message.
        Message = "message",
        /// The text of a file.
        FileText = "file_text",
        /// The name of a chat.
        ChatName = "chat_name",
        /// The name of a file.
        FileName = "file_name",
    }

    /// What has changed of something.
    Changed {
        /// The name of a chat or a workspace.
        Name = "name",
        /// The workspace that a chat or a file is in.
        WorkspaceId = "workspace_id",
        /// Whether a chat is pinned.
        IsPinned = "is_pinned",
        /// Whether a chat is put away.
        IsArchived = "is_archived",
        /// What replies are made with.
        Settings = "settings",
        /// The messages or the files of a chat.
        Content = "content",
        /// The name of a file.
        Filename = "filename",
        /// How far the text of a file is.
        TextState = "text_state",
    }

    /// What kind of file a name stands for.
    FileKind {
        /// Source code.
        Code = "code",
        /// A PDF.
        Pdf = "pdf",
        /// A table.
        Csv = "csv",
        /// Markdown.
        Markdown = "markdown",
        /// An image.
        Image = "image",
        /// A program for a computer.
        Computer = "computer",
        /// A text that is written in a chat.
        Based = "based",
        /// Anything else.
        Other = "other",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro knows of no default")]
impl Default for Status {
    fn default() -> Self {
        Self::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::FileKind;

    #[test]
    fn words_are_their_texts() {
        for kind in FileKind::ALL {
            assert_eq!(
                serde_json::to_value(kind).expect("words are JSON"),
                kind.as_str()
            );
        }
        serde_json::from_str::<FileKind>("\"music\"").expect_err("an unknown word is an error");
    }
}
