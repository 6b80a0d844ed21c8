//! How an operation is declared.

use super::{Answer, Content, Input, Link, MAX_ANSWERS, Operation, Parameter, Rule, Verb, Who};
use crate::form::FromForm;
use crate::schema::{Property, Schema};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

impl Operation {
    pub(crate) const fn new(verb: Verb, path: &'static str) -> Self {
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
            is_for_gateways: false,
            links: &[],
        }
    }

    pub(crate) const fn get(path: &'static str) -> Self {
        Self::new(Verb::Get, path)
    }

    pub(crate) const fn post(path: &'static str) -> Self {
        Self::new(Verb::Post, path)
    }

    pub(crate) const fn patch(path: &'static str) -> Self {
        Self::new(Verb::Patch, path)
    }

    pub(crate) const fn delete(path: &'static str) -> Self {
        Self::new(Verb::Delete, path)
    }

    /// Takes these parameters in the query.
    pub(crate) const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    /// Heeds these headers.
    pub(crate) const fn heeds(mut self, headers: &'static [Parameter]) -> Self {
        self.headers = headers;
        self
    }

    /// Takes this form, which is a struct; files make it a multipart one.
    pub(crate) const fn form<T: FromForm<()>>(mut self) -> Self {
        self.input = Input::Form(T::SPEC, no_rule);
        self
    }

    /// What several fields of the form must be together.
    pub(crate) const fn with_rule(mut self, rule: Rule) -> Self {
        if let Input::Form(form, _) = self.input {
            self.input = Input::Form(form, rule);
        }
        self
    }

    /// Takes a JSON object with these fields.
    pub(crate) const fn json(mut self, properties: &'static [Property]) -> Self {
        self.input = Input::Json(properties, no_rule);
        self
    }

    /// Takes a text of this media type.
    pub(crate) const fn takes(mut self, media_type: &'static str) -> Self {
        self.input = Input::Other(media_type);
        self
    }

    /// In token mode it is another JSON object.
    pub(crate) const fn json_in_token_mode(
        mut self,
        properties: &'static [Property],
        rule: Rule,
    ) -> Self {
        self.token_input = Some(Input::Json(properties, rule));
        self
    }

    /// In token mode it is another JSON object, which may be missing.
    pub(crate) const fn json_or_nothing_in_token_mode(
        mut self,
        properties: &'static [Property],
    ) -> Self {
        self.token_input = Some(Input::JsonOrNothing(properties));
        self
    }

    /// Success is 200 with this type as JSON.
    pub(crate) const fn answers<T: JsonSchema>(self) -> Self {
        self.also(
            200,
            "Done.",
            Content::Typed(SchemaGenerator::subschema_for::<T>),
        )
    }

    /// Success is 200 with JSON.
    pub(crate) const fn answers_json(self, schema: Schema) -> Self {
        self.also(200, "Done.", Content::Json(schema))
    }

    /// The answer with this status, which is declared already, has these headers.
    pub(crate) const fn with_headers(mut self, status: u16, headers: &'static [Property]) -> Self {
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
    pub(crate) const fn not_found(self, reasons: &'static str) -> Self {
        self.fails(404, reasons)
    }

    /// Another `{"detail": …}`, and why.
    pub(crate) const fn fails(self, status: u16, about: &'static str) -> Self {
        self.also(status, about, Content::Detail)
    }

    /// Another answer.
    pub(crate) const fn also(mut self, status: u16, about: &'static str, content: Content) -> Self {
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
    pub(crate) const fn public(mut self) -> Self {
        self.who = Who::Public;
        self
    }

    /// Neither a session nor the address of the client is checked here.
    pub(crate) const fn for_everybody(mut self) -> Self {
        self.who = Who::Everybody;
        self
    }

    /// Has a rate limit, or a limit of how many run at a time: 429 with `Retry-After`.
    pub(crate) const fn limited(mut self) -> Self {
        self.is_limited = true;
        self
    }

    /// The operations that take values from the answer.
    pub(crate) const fn leads_to(mut self, links: &'static [Link]) -> Self {
        self.links = links;
        self
    }

    /// No client should use it.
    pub(crate) const fn deprecated(mut self) -> Self {
        self.is_old = true;
        self
    }

    /// Only a gateway sends it, or gets further with it.
    pub(crate) const fn for_gateways(mut self) -> Self {
        self.is_for_gateways = true;
        self
    }

    /// Sets what the macro `operations` knows.
    pub(crate) const fn named(
        mut self,
        group: &'static str,
        name: &'static str,
        docs: &'static str,
    ) -> Self {
        (self.group, self.name, self.docs) = (group, name, docs);
        self
    }
}

/// No rule.
pub(crate) fn no_rule() -> Value {
    Value::Null
}

/// Declares the operations of a group, and the list of them, so that none can be left out of it. The documentation of
/// each constant is its text in the description.
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
