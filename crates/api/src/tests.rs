use std::collections::HashSet;

use serde_json::Value;

use super::openapi::document;
use super::{ALL, Operation};
use crate::AuthMode;

fn operations() -> impl Iterator<Item = &'static Operation> {
    ALL.iter().flat_map(|group| group.operations)
}

#[test]
fn nothing_is_declared_twice() {
    let (mut ids, mut routes) = (HashSet::new(), HashSet::new());
    for operation in operations() {
        assert!(
            ids.insert(operation.id()),
            "{} is there twice",
            operation.id()
        );
        let route = (operation.verb().name(), operation.path());
        assert!(routes.insert(route), "{route:?} is there twice");
    }
    let groups: HashSet<_> = ALL.iter().map(|group| group.name).collect();
    assert_eq!(groups.len(), ALL.len());
}

#[test]
fn everything_is_described() {
    let document = document("1.2.3", AuthMode::Open, "/");
    assert_eq!(document["info"]["version"], "1.2.3");
    for operation in operations() {
        if operation.is_for_gateways {
            assert!(document["paths"].get(operation.path()).is_none());
            continue;
        }
        let described = &document["paths"][operation.path()][operation.verb().name()];
        assert_eq!(described["operationId"], operation.id());
        let summary = described["summary"].as_str().unwrap();
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{summary}");
        let responses = described["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.as_str() < "427"),
            "{}",
            operation.id()
        );
    }
}

/// Every reference leads somewhere.
#[test]
fn references() {
    let document = document("1", AuthMode::Open, "/");
    let text = document.to_string();
    let pieces = text.split("\"$ref\":\"#").skip(1);
    for pointer in pieces.map(|piece| piece.split('"').next().unwrap()) {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn headers() {
    let document = document("1", AuthMode::Open, "/");
    let content = &document["paths"]["/file/{file_id}/content"]["get"];
    let sent = content["parameters"].as_array().unwrap().iter();
    let headers = sent.filter(|parameter| parameter["in"] == "header");
    assert_eq!(headers.count(), 3);
    let part = &content["responses"]["206"]["headers"];
    assert_eq!(part["Content-Range"]["required"], true);
    assert!(part["x-request-id"]["$ref"].is_string());
    let login = &document["paths"]["/auth/login"]["post"]["responses"]["200"]["headers"];
    assert_eq!(login["Set-Cookie"]["required"], false);
}

#[test]
fn links() {
    for operation in operations() {
        for link in operation.links {
            let target = super::find(link.to).expect(link.to);
            for (name, _) in link.values {
                assert!(target.has_parameter(name), "{}: {name}", link.to);
            }
        }
    }
    let document = document("1", AuthMode::Open, "/");
    let links = &document["paths"]["/auth/login"]["post"]["responses"]["200"]["links"];
    assert_eq!(
        links["models_list"]["parameters"]["user_id"],
        "$response.body#/user_id"
    );
}

/// Where a session says who calls, a body that could only say the same may be missing.
#[test]
fn a_body_may_be_missing() {
    for (mode, is_required) in [(AuthMode::Open, true), (AuthMode::Token, false)] {
        let document = document("1", mode, "/");
        let body = &document["paths"]["/auth/hydrate"]["post"]["requestBody"];
        assert_eq!(body["required"], is_required);
    }
}

/// A form has one media type, and no answer is a stream or something else.
#[test]
fn bodies_are_of_one_kind() {
    let document = document("1", AuthMode::Open, "/");
    for operation in operations().filter(|operation| !operation.is_for_gateways) {
        let described = &document["paths"][operation.path()][operation.verb().name()];
        if let Some(content) = described["requestBody"]["content"].as_object() {
            assert_eq!(content.len(), 1, "{}", operation.id());
        }
        let responses = described["responses"].as_object().unwrap();
        let successes = responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'));
        let types: HashSet<_> = successes
            .filter_map(|(_, response)| response["content"].as_object())
            .flat_map(|content| content.keys())
            .collect();
        let streams = types.iter().any(|it| *it == "text/event-stream");
        assert!(
            !streams || types.len() == 1,
            "{}: {types:?}",
            operation.id()
        );
    }
}

/// All fields, parameters and bodies have an example.
#[test]
fn everything_has_an_example() {
    for mode in [AuthMode::Open, AuthMode::Token] {
        let mut missing = Vec::new();
        without_example("", &document("1", mode, "/"), &mut missing);
        assert!(missing.is_empty(), "{missing:#?}");
    }
}

/// The places in a document below `at` that should have an example and have none.
fn without_example(at: &str, value: &Value, missing: &mut Vec<String>) {
    let has_one = |value: &Value| value.get("example").is_some() || value.get("$ref").is_some();
    if value.get("schema").is_some() && !has_one(value) {
        missing.push(at.to_owned());
    }
    let is_rule = ["/if", "/then", "/else"].iter().any(|it| at.ends_with(it));
    let properties = value.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if !is_rule && !has_one(property) {
            missing.push(format!("{at}/{name}"));
        }
    }
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "example")
            .for_each(|(name, value)| without_example(&format!("{at}/{name}"), value, missing)),
        Value::Array(values) => values
            .iter()
            .for_each(|value| without_example(&format!("{at}/"), value, missing)),
        _ => {}
    }
}

/// Rules about several fields are JSON, and get there.
#[test]
fn rules() {
    let document = document("1", AuthMode::Open, "/");
    let body = &document["paths"]["/models/{model_id}"]["patch"]["requestBody"];
    for (_, content) in body["content"].as_object().unwrap() {
        assert!(content["schema"]["then"].is_object());
    }
}

#[test]
fn token_mode_is_another_api() {
    let [open, token] = [AuthMode::Open, AuthMode::Token].map(|mode| document("1", mode, "/"));
    let of = |document: &Value, pointer: &str| document.pointer(pointer).cloned().unwrap();
    let security = "/paths/~1chat~1new/post/security";
    assert_eq!(of(&open, security)[0], serde_json::json!({}));
    assert_eq!(of(&token, security)[0], serde_json::json!({ "bearer": [] }));
    let required =
        "/paths/~1auth~1login/post/requestBody/content/application~1json/schema/required";
    assert_eq!(of(&open, required), serde_json::json!(["email"]));
    assert_eq!(token.pointer(required), None);
}
