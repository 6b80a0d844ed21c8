//! The API's description, as a client reads it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::schema::problems;
use super::{Response, Server};

/// The document `/openapi.json`.
pub struct Description {
    document: Value,
    pub operations: Vec<Operation>,
}

/// One described operation.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    /// In capitals.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// Whether token mode asks for a session.
    pub needs_session: bool,
    /// All of them name ids.
    pub path_parameters: Vec<String>,
    pub query: Vec<Field>,
    /// The fields of its form or JSON object; of a form, files too.
    pub body: Vec<Field>,
    /// The media types that the body may have.
    pub body_types: Vec<String>,
    responses: Value,
    /// Paths of other operations of this method that are meant where this one's would fit too: `/chat/new`, where this
    /// is `/chat/{chat_id}`.
    literal: Vec<String>,
}

/// Something that is sent by name.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub required: bool,
    schema: Value,
}

impl Field {
    /// Whether it names rows of a user: `user_id`, `selected_file_ids` and so on. A client chooses its
    /// `client_id` itself.
    pub fn is_id(&self) -> bool {
        let is_id = self.name.ends_with("_id") || self.name.ends_with("_ids");
        is_id && self.name != "client_id"
    }

    /// Whether it takes files.
    pub fn is_file(&self) -> bool {
        self.schema["items"]["format"] == "binary"
    }

    /// Whether it may be sent more than once.
    pub fn is_list(&self) -> bool {
        self.schema["type"] == "array"
    }

    /// How many characters it may have.
    pub fn max_chars(&self) -> Option<usize> {
        let text = match self.is_list() {
            true => &self.schema["items"],
            false => &self.schema,
        };
        usize::try_from(text["maxLength"].as_u64()?).ok()
    }
}

impl Operation {
    /// The path with these values for its parameters, in their order.
    pub fn path_of(&self, values: &[&str]) -> String {
        assert_eq!(values.len(), self.path_parameters.len(), "{}", self.path);
        let pairs = self.path_parameters.iter().zip(values);
        pairs.fold(self.path.clone(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        })
    }

    /// Whether a request is one of these; `what` is its method and address.
    pub fn is(&self, what: &str) -> bool {
        let (method, address) = what.split_once(' ').unwrap_or_default();
        let path = address.split('?').next().unwrap_or_default();
        let is_others = self.literal.iter().any(|literal| fits(literal, path));
        method == self.method && fits(&self.path, path) && !is_others
    }

    /// Whether a field must be sent.
    pub fn requires(&self, name: &str) -> bool {
        let mut fields = self.query.iter().chain(&self.body);
        fields.any(|field| field.name == name && field.required)
    }

    /// Whether it is asked where a request comes from.
    pub fn has_door(&self) -> bool {
        self.responses.get("403").is_some()
    }

    /// Whether token mode counts how often it is asked for, or how much of it goes on.
    pub fn is_limited(&self) -> bool {
        self.responses.get("429").is_some()
    }

    /// The fields that name rows of a user, in every place of a request.
    pub fn ids(&self) -> impl Iterator<Item = &Field> {
        self.query
            .iter()
            .chain(&self.body)
            .filter(|field| field.is_id())
    }
}

impl Description {
    /// Asks the server for it.
    pub async fn of(server: &Server) -> Self {
        let response = server.get("/openapi.json").send().await;
        response.has_status(200);
        let document = response.json();
        let mut operations = Vec::new();
        for (path, item) in object(&document["paths"]) {
            for (method, operation) in object(item) {
                if method != "parameters" {
                    operations.push(read(path, item, method, operation));
                }
            }
        }
        for (path, id, group) in [
            ("/ws/{chat_id}", "chat_id", "conversation"),
            ("/ws/user/{user_id}", "user_id", "feed"),
        ] {
            let item = json!({ "parameters": [{ "name": id, "in": "path" }] });
            for (method, operation) in object(&for_gateways(group)) {
                operations.push(read(path, &item, method, operation));
            }
        }
        let paths = |method: &str| -> Vec<String> {
            let operations = operations.iter().filter(|it| it.method == method);
            operations.map(|it| it.path.clone()).collect()
        };
        let literals = operations.iter().map(|operation| {
            let mut paths = paths(&operation.method);
            paths.retain(|path| *path != operation.path && fits(&operation.path, path));
            paths
        });
        let literals: Vec<_> = literals.collect();
        for (operation, literal) in operations.iter_mut().zip(literals) {
            operation.literal = literal;
        }
        Self {
            document,
            operations,
        }
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The operation that a request is one of; `what` is its method and address. A path without parameters is meant
    /// before one that a parameter makes fit.
    pub fn operation(&self, what: &str) -> Option<&Operation> {
        let fitting = self.operations.iter().filter(|it| it.is(what));
        fitting.min_by_key(|it| it.path_parameters.len())
    }

    /// The operations of each path.
    pub fn paths(&self) -> BTreeMap<&str, Vec<&Operation>> {
        let mut paths: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
        for operation in &self.operations {
            paths.entry(&operation.path).or_default().push(operation);
        }
        paths
    }

    /// Fails unless the answer's status, type and JSON are as described.
    #[track_caller]
    pub fn allows(&self, operation: &Operation, answer: &Response) {
        let what = format!("{} ({})", operation.id, answer.what);
        let status = answer.status.to_string();
        let described = &operation.responses[&status];
        assert!(
            described.is_object(),
            "{what} answered {status}: {answer:?}"
        );
        let described = match described["$ref"].as_str() {
            Some(reference) => self
                .document
                .pointer(&reference[1..])
                .expect("references lead somewhere"),
            None => described,
        };
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            if name == "x-request-id" {
                // Only a gateway itself answers without one.
                assert!(!answer.header(name).is_empty(), "{what} has {name}");
            }
            let is_there = !answer.header(name).is_empty();
            assert!(is_there || header["required"] != true, "{what} has {name}");
        }
        let Some(content) = described["content"].as_object() else {
            assert!(answer.body.is_empty(), "{what}: no content is described");
            return;
        };
        let found = answer.header("content-type").split(';').next();
        let found = found.unwrap_or_default();
        let fits = |range: &str| match range.split_once('*') {
            Some((start, _)) => range == "*/*" || found.starts_with(start),
            // Of any type.
            None => found == range || range == "application/octet-stream",
        };
        let (_, described) = content
            .iter()
            .find(|(range, _)| fits(range))
            .unwrap_or_else(|| panic!("{what} answered with {found}"));
        if found == "application/json" && described["schema"] != serde_json::json!({}) {
            let problems = problems(&self.document, &described["schema"], &answer.json());
            assert!(problems.is_empty(), "{what}: {problems:#?}");
        }
        if found == "text/event-stream" {
            let schema = &described["schema"]["contentSchema"];
            let events = answer.text().lines();
            for event in events.filter_map(|line| line.strip_prefix("data:")) {
                let event = serde_json::from_str(event).expect("an event is JSON");
                let problems = problems(&self.document, schema, &event);
                assert!(problems.is_empty(), "{what}: {problems:#?}");
            }
        }
    }
}

/// What the document leaves out, because no client that is made from it could use it: docs/websocket.md and docs/grip.md
/// describe it.
fn for_gateways(group: &str) -> Value {
    let error = json!({ "content": { "application/json": {
        "schema": { "$ref": "#/components/schemas/Detail" },
    } } });
    json!({
        "get": {
            "operationId": format!("{group}_socket"), "security": [],
            "parameters": [{ "name": "ticket", "in": "query", "schema": { "type": "string" } }],
            "responses": { "403": error, "404": error, "426": error },
        },
        "post": {
            "operationId": format!("{group}_socket_events"), "security": [],
            "requestBody": { "content": { "application/websocket-events": {
                "schema": { "type": "string" },
            } } },
            "responses": { "401": error, "403": error, "404": error, "426": error },
        },
    })
}

fn read(path: &str, item: &Value, method: &str, operation: &Value) -> Operation {
    let is_open = |security: &Value| *security == serde_json::json!([]);
    let parameters = |described: &Value, place: &str| -> Vec<Field> {
        let described = described.as_array().into_iter().flatten();
        described
            .filter(|parameter| parameter["in"] == place)
            .map(|parameter| Field {
                name: text(&parameter["name"]),
                required: parameter["required"] == true,
                schema: parameter["schema"].clone(),
            })
            .collect()
    };
    let content = operation["requestBody"]["content"].as_object();
    let body = content.and_then(|content| content.values().next());
    let path_parameters = parameters(&item["parameters"], "path");
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        needs_session: !is_open(&operation["security"]),
        path_parameters: path_parameters
            .into_iter()
            .map(|field| field.name)
            .collect(),
        query: parameters(&operation["parameters"], "query"),
        body: body.map_or_else(Vec::new, |body| fields(&body["schema"])),
        body_types: content
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
        responses: operation["responses"].clone(),
        literal: Vec::new(),
    }
}

/// Whether a path is one of a described path.
fn fits(described: &str, path: &str) -> bool {
    let (described, path) = (described.split('/'), path.split('/'));
    let is_same = |(described, part): (&str, &str)| described == part || described.starts_with('{');
    described.clone().count() == path.clone().count() && described.zip(path).all(is_same)
}

fn fields(schema: &Value) -> Vec<Field> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    // A body that is a text has no fields.
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| Field {
            name: name.clone(),
            required: is_required(name),
            schema: schema.clone(),
        })
        .collect()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
