//! One thing that clients can ask for.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::Schema;
use super::schema::Property;
use crate::form::{FormSpec, FromForm};
use crate::relay::SOCKET_EVENT_TYPE;

/// How many answers, or reasons for none, an operation may have besides the general ones.
const MAX_ANSWERS: usize = 6;

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
    pub(super) links: &'static [Link],
}

/// What can be asked for next with what an answer says: the id of an operation, and for its parameters or fields where
/// their values are: a JSON pointer into the answer, or another of OpenAPI's expressions.
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
    /// Everybody, from anywhere: no check is made at all.
    Everybody,
    /// Who may reach the server; token mode asks for no session.
    Public,
    /// In token mode whoever has a session.
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

    /// Whether not every text will do, or none at all.
    pub(super) const fn can_be_wrong(&self) -> bool {
        self.0.required || !matches!(self.0.schema, Schema::Text)
    }
}

/// What several fields of a body must be together: members of a JSON Schema.
pub(super) type Rule = fn() -> Value;

/// Nothing.
fn no_rule() -> Value {
    Value::Null
}

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    None,
    /// A form, and a rule about several of its fields.
    Form(&'static FormSpec, Rule),
    /// A JSON object with these fields, and a rule about several of them.
    Json(&'static [Property], Rule),
    /// A text of such a media type, which says what it is.
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
    /// Of such a media type, which says what it is.
    Other(&'static str),
    /// A type as JSON, unless the client asks for the media type.
    TypedOr(fn(&mut SchemaGenerator) -> schemars::Schema, &'static str),
    /// `{"detail": …}`.
    Detail,
}

impl Operation {
    pub(super) const fn new(verb: Verb, path: &'static str) -> Self {
        Self {
            group: "",
            name: "",
            docs: "",
            verb,
            path,
            query: &[],
            headers: &[],
            input: Input::None,
            token_input: None,
            answers: [None; MAX_ANSWERS],
            who: Who::Session,
            is_limited: false,
            is_old: false,
            links: &[],
        }
    }

    /// Whether it is told what happens to a socket.
    pub fn takes_events(&self) -> bool {
        matches!(self.input, Input::Other(SOCKET_EVENT_TYPE))
    }

    pub(super) const fn get(path: &'static str) -> Self {
        Self::new(Verb::Get, path)
    }

    pub(super) const fn post(path: &'static str) -> Self {
        Self::new(Verb::Post, path)
    }

    pub(super) const fn patch(path: &'static str) -> Self {
        Self::new(Verb::Patch, path)
    }

    pub(super) const fn delete(path: &'static str) -> Self {
        Self::new(Verb::Delete, path)
    }

    /// Takes these parameters in the query.
    pub(super) const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    /// Heeds these headers.
    pub(super) const fn heeds(mut self, headers: &'static [Parameter]) -> Self {
        self.headers = headers;
        self
    }

    /// Takes this form, which is a struct; files make it a multipart one.
    pub(super) const fn form<T: FromForm<()>>(mut self) -> Self {
        self.input = Input::Form(T::SPEC, no_rule);
        self
    }

    /// What several fields of the form must be together.
    pub(super) const fn with_rule(mut self, rule: Rule) -> Self {
        if let Input::Form(form, _) = self.input {
            self.input = Input::Form(form, rule);
        }
        self
    }

    /// Takes a JSON object with these fields.
    pub(super) const fn json(mut self, properties: &'static [Property]) -> Self {
        self.input = Input::Json(properties, no_rule);
        self
    }

    /// Takes a text of this media type.
    pub(super) const fn takes(mut self, media_type: &'static str) -> Self {
        self.input = Input::Other(media_type);
        self
    }

    /// In token mode it is another JSON object.
    pub(super) const fn json_in_token_mode(
        mut self,
        properties: &'static [Property],
        rule: Rule,
    ) -> Self {
        self.token_input = Some(Input::Json(properties, rule));
        self
    }

    /// Success is 200 with this type as JSON.
    pub(super) const fn answers<T: JsonSchema>(self) -> Self {
        self.also(
            200,
            "Done.",
            Content::Typed(SchemaGenerator::subschema_for::<T>),
        )
    }

    /// Success is 200 with JSON.
    pub(super) const fn answers_json(self, schema: Schema) -> Self {
        self.also(200, "Done.", Content::Json(schema))
    }

    /// The answer with this status, which is declared already, has these headers.
    pub(super) const fn with_headers(mut self, status: u16, headers: &'static [Property]) -> Self {
        let mut index = 0;
        while let Some(mut answer) = self.answers[index] {
            if answer.status == status {
                answer.headers = headers;
                self.answers[index] = Some(answer);
                return self;
            }
            index += 1;
        }
        panic!("there is no answer of this status")
    }

    /// 404 `{"detail": …}` for each of these reasons, which are all that can be missing.
    pub(super) const fn not_found(self, reasons: &'static str) -> Self {
        self.fails(404, reasons)
    }

    /// Another `{"detail": …}`, and why.
    pub(super) const fn fails(self, status: u16, about: &'static str) -> Self {
        self.also(status, about, Content::Detail)
    }

    /// Another answer.
    pub(super) const fn also(mut self, status: u16, about: &'static str, content: Content) -> Self {
        let mut free = 0;
        while self.answers[free].is_some() {
            free += 1;
        }
        self.answers[free] = Some(Answer {
            status,
            about,
            content,
            headers: &[],
        });
        self
    }

    /// Token mode asks for no session here.
    pub(super) const fn public(mut self) -> Self {
        self.who = Who::Public;
        self
    }

    /// Nobody is asked who they are here, nor where they call from.
    pub(super) const fn for_everybody(mut self) -> Self {
        self.who = Who::Everybody;
        self
    }

    /// Can be asked for only so often, or goes on only so often at a time: 429 with `Retry-After`.
    pub(super) const fn limited(mut self) -> Self {
        self.is_limited = true;
        self
    }

    /// What can be asked for with the answer.
    pub(super) const fn leads_to(mut self, links: &'static [Link]) -> Self {
        self.links = links;
        self
    }

    /// Nobody should use it any more, or ever should have.
    pub(super) const fn deprecated(mut self) -> Self {
        self.is_old = true;
        self
    }

    /// Gives it what the macro `operations` knows of it.
    pub(super) const fn named(
        mut self,
        group: &'static str,
        name: &'static str,
        docs: &'static str,
    ) -> Self {
        (self.group, self.name, self.docs) = (group, name, docs);
        self
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
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.path.contains(&format!("{{{name}}}"))
            || self.query.iter().any(|parameter| parameter.0.name == name)
    }

    /// Whether its body has a field of this name.
    #[cfg(test)]
    pub(super) fn has_field(&self, name: &str) -> bool {
        match self.input {
            Input::None | Input::Other(_) => false,
            Input::Form(form, _) => form.iter().any(|field| field.name == name),
            Input::Json(properties, _) => properties.iter().any(|property| property.name == name),
        }
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

/// Declares the operations of a group, and the list of them, so that none can be left out of it. The documentation of
/// each constant is what the description says.
macro_rules! operations {
    (
        $group:literal: $about:literal
        $( $(#[doc = $docs:literal])+ $name:ident = $operation:expr; )+
    ) => {
        $(
            $(#[doc = $docs])+
            pub const $name: $crate::Operation =
                $operation.named($group, stringify!($name), concat!($($docs, "\n"),+));
        )+

        /// The group.
        pub const GROUP: $crate::Group = $crate::Group {
            name: $group,
            about: $about,
            operations: &[$($name),+],
        };
    };
}
