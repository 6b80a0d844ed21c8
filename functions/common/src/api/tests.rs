use std::collections::HashSet;

use super::openapi::document;
use super::{ALL, Operation};

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
    let document = document("1.2.3");
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
    let document = document("1");
    let text = document.to_string();
    let pieces = text.split("\"$ref\":\"#").skip(1);
    for pointer in pieces.map(|piece| piece.split('"').next().unwrap()) {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
