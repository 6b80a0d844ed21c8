//! What a request for an operation has besides its method and path, field by field.

use serde_json::Value;

use super::archive::archive;
use super::description::Operation;
use super::{Multipart, Request, Server, World};

/// What a request has besides its method and path.
#[derive(Debug, Clone)]
pub struct Input {
    fields: Vec<Field>,
    body: Body,
    /// How it is answered.
    pub status: u16,
}

/// A value that is sent.
#[derive(Debug, Clone)]
struct Field {
    place: Place,
    name: String,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Nothing,
    Json,
    Form,
    /// A form with a file in its field `files`.
    Upload,
    /// An archive with a file.
    Archive,
}

impl Input {
    fn of(place: Place, body: Body, fields: &[(&str, &str)]) -> Self {
        let mut input = Self {
            fields: Vec::new(),
            body,
            status: 200,
        };
        for (name, value) in fields {
            input.add(place, name, (*value).into());
        }
        input
    }

    pub(super) fn path(fields: &[(&str, &str)]) -> Self {
        Self::of(Place::Path, Body::Nothing, fields)
    }

    pub(super) fn query(fields: &[(&str, &str)]) -> Self {
        Self::of(Place::Query, Body::Nothing, fields)
    }

    pub(super) fn form(fields: &[(&str, &str)]) -> Self {
        Self::of(Place::Body, Body::Form, fields)
    }

    pub(super) fn upload(fields: &[(&str, &str)]) -> Self {
        Self::of(Place::Body, Body::Upload, fields)
    }

    pub(super) fn archive(fields: &[(&str, &str)]) -> Self {
        Self::of(Place::Query, Body::Archive, fields)
    }

    pub(super) fn json(body: Value) -> Self {
        let mut input = Self::of(Place::Body, Body::Json, &[]);
        for (name, value) in body.as_object().expect("an object") {
            input.add(Place::Body, name, value.clone());
        }
        input
    }

    pub(super) fn answers(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(in crate::support) fn add(&mut self, place: Place, name: &str, value: Value) {
        self.fields.push(Field {
            place,
            name: name.to_owned(),
            value,
        });
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// The name of the field with the caller's id, if there is one.
    pub fn caller(&self) -> Option<&str> {
        let callers = ["user_id", "owner_id"];
        let mut fields = self.fields.iter();
        let field =
            fields.find(|it| it.place != Place::Path && callers.contains(&it.name.as_str()));
        field.map(|field| field.name.as_str())
    }

    /// The names of the fields whose values are ids of `world`'s rows.
    pub fn ids_of(&self, world: &World) -> Vec<&str> {
        let ids = world.ids();
        // Of a list the first.
        let text = |value: &'_ Value| -> Option<String> {
            let text = value.as_str().or_else(|| value.get(0)?.as_str());
            text.map(str::to_owned)
        };
        let is_id = |field: &&Field| text(&field.value).is_some_and(|id| ids.contains(&&*id));
        let fields = self.fields.iter().filter(is_id);
        fields.map(|field| field.name.as_str()).collect()
    }

    /// The same, but with what `other` has in a field.
    pub fn with(&self, name: &str, other: &Self) -> Self {
        let taken = other.fields.iter().find(|field| field.name == name);
        let taken = taken.expect("requests for an operation have the same fields");
        let mut input = self.clone();
        for field in input.fields.iter_mut().filter(|it| it.name == name) {
            field.value = taken.value.clone();
        }
        input
    }

    /// The same, but with nothing in a field.
    pub fn without(&self, name: &str) -> Self {
        let mut input = self.clone();
        input.fields.retain(|field| field.name != name);
        input
    }

    /// The request with these values.
    pub fn request(&self, server: &Server, operation: &Operation) -> Request {
        self.request_by(&operation.method, server, operation)
    }

    /// The same by another method.
    pub fn request_by(&self, method: &str, server: &Server, operation: &Operation) -> Request {
        let texts = |place: Place| {
            let fields = self.fields.iter().filter(move |it| it.place == place);
            fields.map(|field| match &field.value {
                Value::String(text) => (field.name.as_str(), text.clone()),
                other => (field.name.as_str(), other.to_string()),
            })
        };
        let path = texts(Place::Path).fold(operation.path.clone(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), &super::percent_encode(&value))
        });
        let query: Vec<_> = texts(Place::Query)
            .map(|(name, value)| format!("{name}={}", super::percent_encode(&value)))
            .collect();
        let path = match query.is_empty() {
            true => path,
            false => format!("{path}?{}", query.join("&")),
        };
        let request = server
            .request(method, &path)
            .header("accept", "application/json");
        match self.body {
            Body::Nothing => request,
            Body::Json => {
                let fields = self.fields.iter().filter(|it| it.place == Place::Body);
                let pairs = fields.map(|field| (field.name.clone(), field.value.clone()));
                let body: serde_json::Map<_, _> = pairs.collect();
                request.json(Value::from(body).to_string())
            }
            Body::Form => {
                let pairs: Vec<_> = texts(Place::Body).collect();
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(name, it)| (*name, it.as_str()))
                    .collect();
                request.form(&pairs)
            }
            Body::Upload => {
                let form = texts(Place::Body).fold(Multipart::new(), |form, (name, value)| {
                    form.text(name, &value)
                });
                request.multipart(form.file("files", "new.txt", "new"))
            }
            Body::Archive => {
                let file = ("workspaces/w/f/new.txt", b"new".to_vec());
                request.body("application/zip", archive(&[file]))
            }
        }
    }
}
