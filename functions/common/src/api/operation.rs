//! One thing that clients can ask for.

use axum::routing::MethodFilter;

use super::Schema;
use super::schema::Property;
use crate::form::FormSpec;

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
    pub(super) input: Input,
    pub(super) answers: [Option<Answer>; MAX_ANSWERS],
    pub(super) who: Who,
    pub(super) is_limited: bool,
    pub(super) is_old: bool,
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

/// A parameter of the query.
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
}

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    None,
    Form(&'static FormSpec),
    Json(&'static [Property]),
}

/// What comes back with one status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) content: Content,
}

/// The body of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    Nothing,
    Json(Schema),
    /// Of such a media type, which says what it is.
    Other(&'static str),
    /// JSON, unless the client asks for the media type.
    JsonOr(Schema, &'static str),
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
            input: Input::None,
            answers: [None; MAX_ANSWERS],
            who: Who::Session,
            is_limited: false,
            is_old: false,
        }
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

    /// Takes this form; files make it a multipart one.
    pub(super) const fn form(mut self, form: &'static FormSpec) -> Self {
        self.input = Input::Form(form);
        self
    }

    /// Takes a JSON object with these fields.
    pub(super) const fn json(mut self, properties: &'static [Property]) -> Self {
        self.input = Input::Json(properties);
        self
    }

    /// Success is 200 with JSON.
    pub(super) const fn answers(self, schema: Schema) -> Self {
        self.also(200, "Done.", Content::Json(schema))
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

    /// Can be asked for only so often: 429 with `Retry-After`.
    pub(super) const fn limited(mut self) -> Self {
        self.is_limited = true;
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

    pub(crate) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
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
            pub const $name: $crate::api::Operation =
                $operation.named($group, stringify!($name), concat!($($docs, "\n"),+));
        )+

        /// The group.
        pub const GROUP: $crate::api::Group = $crate::api::Group {
            name: $group,
            about: $about,
            operations: &[$($name),+],
        };
    };
}
