//! The behaviour of Spin's router, in tables.

use super::{Manifest, Match, Router};

/// A router where each pattern leads to a component named after its place in the list.
fn router(patterns: &[&str]) -> anyhow::Result<Router> {
    let mut text = String::from("spin_manifest_version = 2\n[application]\nname = \"test\"\n");
    for (index, pattern) in patterns.iter().enumerate() {
        text.push_str(&format!(
            "[[trigger.http]]\nroute = {pattern:?}\ncomponent = \"c{index}\"\n[component.c{index}]\nsource = \"c\"\n"
        ));
    }
    Router::new(&Manifest::parse(&text)?)
}

/// The pattern that a path finds.
fn found<'router>(router: &'router Router, path: &str) -> Option<&'router str> {
    router.find(path).map(|found| found.raw_route)
}

#[test]
fn the_applications_own_routes() {
    let router = router(&[
        "/auth/...",
        "/user/...",
        "/ws/ticket",
        "/chat/...",
        "/search",
        "/ws/...",
        "/chat/:id/messages",
        "/chat/:id/generations/...",
        "/models/...",
        "/models/:id/test",
        "/...",
    ])
    .expect("valid");
    for (path, expected) in [
        ("/", "/..."),
        ("/auth/login", "/auth/..."),
        ("/auth", "/auth/..."),
        ("/auth/", "/auth/..."),
        ("/authority", "/..."),
        ("/Auth/login", "/..."),
        ("/ws/ticket", "/ws/ticket"),
        ("/ws/ticket/", "/ws/ticket"),
        ("/ws/tickets", "/ws/..."),
        ("/ws/chat/1", "/ws/..."),
        ("/chat/new", "/chat/..."),
        ("/chat/1", "/chat/..."),
        ("/chat/1/messages", "/chat/:id/messages"),
        ("/chat/1/messages/2", "/chat/..."),
        ("/chat/1/generations", "/chat/:id/generations/..."),
        ("/chat/1/generations/2/x", "/chat/:id/generations/..."),
        ("/search", "/search"),
        ("/search/x", "/..."),
        ("/models/m/test", "/models/:id/test"),
        ("/models/m", "/models/..."),
        ("//", "/..."),
        ("/%2F", "/..."),
        ("/chat/a%2Fb/messages", "/chat/:id/messages"),
        ("/ünï", "/..."),
    ] {
        assert_eq!(found(&router, path), Some(expected), "{path}");
    }
}

#[test]
fn order_in_the_manifest_does_not_matter() {
    for patterns in [
        ["/one/...", "/one/two/...", "/..."],
        ["/...", "/one/two/...", "/one/..."],
    ] {
        let router = router(&patterns).expect("valid");
        assert_eq!(found(&router, "/one/two/three"), Some("/one/two/..."));
        assert_eq!(found(&router, "/one/three"), Some("/one/..."));
        assert_eq!(found(&router, "/two"), Some("/..."));
    }
}

#[test]
fn what_no_pattern_matches_is_not_found() {
    let router = router(&["/a", "/b/:id"]).expect("valid");
    for path in ["/", "/c", "/a/b", "/b", "/b/1/2", ""] {
        assert_eq!(found(&router, path), None, "{path}");
    }
}

#[test]
fn a_match_has_the_values_of_spins_headers() {
    let router = router(&["/a/:first_one/x/:two/...", "plain/", "/"]).expect("valid");
    assert_eq!(
        router.find("/a/1%20/x/2/rest/of/it/"),
        Some(Match {
            component: "c0",
            raw_route: "/a/:first_one/x/:two/...",
            matched_route: "/a/:first_one/x/:two/...".to_owned(),
            component_route: "/a/:first_one/x/:two",
            path_info: "/rest/of/it/".to_owned(),
            params: vec![
                ("first_one".to_owned(), "1%20".to_owned()),
                ("two".to_owned(), "2".to_owned())
            ],
        })
    );
    let plain = router.find("/plain").expect("found");
    assert_eq!(
        (
            plain.raw_route,
            plain.matched_route.as_str(),
            plain.path_info.as_str()
        ),
        ("plain/", "/plain", "")
    );
    assert_eq!(found(&router, "/"), Some("/"));
}

#[test]
fn the_rest_of_the_path_keeps_its_slashes() {
    let router = router(&["/test/..."]).expect("valid");
    for (path, rest) in [
        ("/test", ""),
        ("/test/", "/"),
        ("/test/hello", "/hello"),
        ("/test/hello/", "/hello/"),
        ("/test/a/b", "/a/b"),
    ] {
        assert_eq!(router.find(path).expect(path).path_info, rest, "{path}");
    }
}

#[test]
fn bad_patterns_are_named() {
    for pattern in ["/a/*/b", "/:", "/*name", "/a/.../*/b"] {
        let error = router(&[pattern]).expect_err(pattern).to_string();
        assert!(error.contains(&format!("{pattern:?}")), "{error}");
    }
}

#[test]
fn lists_routes_in_the_manifests_order() {
    let router = router(&["/z", "/a/..."]).expect("valid");
    assert_eq!(
        router.routes().collect::<Vec<_>>(),
        [("/z", "c0"), ("/a/...", "c1")]
    );
}
