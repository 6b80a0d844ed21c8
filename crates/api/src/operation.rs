//! An operation of the API.

#[macro_use]
mod declare;

pub(super) use declare::no_rule;
use schemars::SchemaGenerator;
use serde_json::Value;

use super::Schema;
use super::schema::Property;
use crate::form::FormSpec;

/// How many answers, or reasons for none, an operation may have besides the general ones.
const MAX_ANSWERS: usize = 6;

/// The media type of what happens to a socket, as gateways write it.
pub const SOCKET_EVENT_TYPE: &str = "application/websocket-events";

/// A method and a path, what goes in and what may come out. Only files of [`crate::api`] can make one.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub(super) group: &'static str,
    /// The name of the constant.
    pub(super) name: &'static str,
    /// The constant's documentation: a line that is a summary, and perhaps more below an empty one.
    pub(super) docs: &'static str,
    pub(super) verb: Verb,
    pub(super) path: &'static str,
    pub(super) query: &'static [Parameter],
    pub(super) headers: &'static [Parameter],
    pub(super) input: Input,
    /// What token mode takes instead.
    pub(super) token_input: Option<Input>,
    pub(super) answers: [Option<Answer>; MAX_ANSWERS],
    pub(super) who: Who,
    pub(super) is_limited: bool,
    pub(super) is_old: bool,
    /// Whether only a gateway sends it or gets further with it: it is left out of the description, of which clients are
    /// made.
    pub(super) is_for_gateways: bool,
    pub(super) links: &'static [Link],
}

/// An operation that takes values from an answer: its id, and for its parameters the places of their values: a JSON
/// pointer into the answer, or another of OpenAPI's expressions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) to: &'static str,
    pub(super) values: &'static [(&'static str, &'static str)],
}

/// A [`Link`].
pub(super) const fn link(
    to: &'static str,
    values: &'static [(&'static str, &'static str)],
) -> Link {
    Link { to, values }
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// GET, and with it HEAD.
    Get,
    /// POST.
    Post,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Every client, from any address: no check is made at all.
    Everybody,
    /// Every client that may reach the server; token mode asks for no session.
    Public,
    /// In token mode a client with a session.
    Session,
}

/// A parameter of the query, or a header that means something here.
#[derive(Debug, Clone, Copy)]
pub struct Parameter(pub(super) Property);

impl Parameter {
    /// One that must be sent.
    pub const fn required(name: &'static str, schema: Schema) -> Self {
        Self(Property::new(name, schema))
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, schema: Schema) -> Self {
        Self(Property::new(name, schema).optional())
    }

    /// What it means.
    pub const fn about(self, about: &'static str) -> Self {
        Self(self.0.about(about))
    }

    /// Whether it can be missing or malformed.
    pub(super) const fn can_be_wrong(&self) -> bool {
        self.0.required || !matches!(self.0.schema, Schema::Text)
    }
}

/// What several fields of a body must be together: members of a JSON Schema.
pub(super) type Rule = fn() -> Value;

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    None,
    /// A form, and a rule about several of its fields.
    Form(&'static FormSpec, Rule),
    /// A JSON object with these fields, and a rule about several of them.
    Json(&'static [Property], Rule),
    /// A JSON object with these fields, none of which must be sent, or no body.
    JsonOrNothing(&'static [Property]),
    /// A text of this media type, or an archive.
    Other(&'static str),
}

/// What comes back with one status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) content: Content,
    pub(super) headers: &'static [Property],
}

/// The body of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    Nothing,
    /// A type as JSON.
    Typed(fn(&mut SchemaGenerator) -> schemars::Schema),
    Json(Schema),
    /// A body of this media type.
    Other(&'static str),
    /// Bytes of any media type.
    Bytes,
    /// The events of a reply.
    Events,
    /// The events of a user's feed.
    FeedEvents,
    /// A type as JSON, unless the client asks for the media type.
    TypedOr(fn(&mut SchemaGenerator) -> schemars::Schema, &'static str),
    /// `{"detail": …}`.
    Detail,
}

impl Operation {
    /// Whether it takes the events of a socket.
    pub fn takes_events(&self) -> bool {
        matches!(self.input, Input::Other(SOCKET_EVENT_TYPE))
    }

    /// The path, with its parameters in braces.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The method.
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// Whether its path or its query has a parameter of this name.
    #[cfg(test)]
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.path.contains(&format!("{{{name}}}"))
            || self.query.iter().any(|parameter| parameter.0.name == name)
    }

    /// `chat_rename`: the group and the constant.
    pub fn id(&self) -> String {
        format!("{}_{}", self.group, self.name.to_ascii_lowercase())
    }
}

impl Verb {
    /// As OpenAPI writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}
