use std::collections::HashSet;

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
    let document = document("1.2.3", AuthMode::Open);
    assert_eq!(document["info"]["version"], "1.2.3");
    for operation in operations() {
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
    let document = document("1", AuthMode::Open);
    let text = document.to_string();
    let pieces = text.split("\"$ref\":\"#").skip(1);
    for pointer in pieces.map(|piece| piece.split('"').next().unwrap()) {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn headers() {
    let document = document("1", AuthMode::Open);
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
                assert!(
                    target.has_parameter(name) || target.has_field(name),
                    "{}: {name}",
                    link.to
                );
            }
        }
    }
    let document = document("1", AuthMode::Open);
    let links = &document["paths"]["/auth/login"]["post"]["responses"]["200"]["links"];
    assert_eq!(
        links["models_list"]["parameters"]["user_id"],
        "$response.body#/user_id"
    );
    assert_eq!(
        links["models_new"]["requestBody"]["user_id"],
        "$response.body#/user_id"
    );
}

/// Rules about several fields are JSON, and get there.
#[test]
fn rules() {
    let document = document("1", AuthMode::Open);
    let body = &document["paths"]["/models/{model_id}"]["patch"]["requestBody"];
    for (_, content) in body["content"].as_object().unwrap() {
        assert!(content["schema"]["anyOf"].is_array());
    }
}

#[test]
fn token_mode_is_another_api() {
    let [open, token] = [AuthMode::Open, AuthMode::Token].map(|mode| document("1", mode));
    let of =
        |document: &serde_json::Value, pointer: &str| document.pointer(pointer).cloned().unwrap();
    let security = "/paths/~1chat~1new/post/security";
    assert_eq!(of(&open, security)[0], serde_json::json!({}));
    assert_eq!(of(&token, security)[0], serde_json::json!({ "bearer": [] }));
    let required =
        "/paths/~1auth~1login/post/requestBody/content/application~1json/schema/required";
    assert_eq!(of(&open, required), serde_json::json!(["email"]));
    assert_eq!(token.pointer(required), None);
}
