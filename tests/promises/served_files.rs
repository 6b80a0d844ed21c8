//! Served files can't run (docs/promises.md#7-served-files-dont-run).

use crate::support::{Server, login};

#[tokio::test]
async fn types_that_a_browser_would_run_are_only_downloaded() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let script = "<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>";
    for (name, content_type) in [
        ("a.html", "text/html"),
        ("a.htm", "text/html; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.xhtml", "application/xhtml+xml"),
        ("a.xml", "text/xml"),
        ("a.js", "text/javascript"),
        // The name, the type and the content may each try alone.
        ("a.html", "application/octet-stream"),
        ("a.txt", "text/html"),
        ("a", "TEXT/HTML"),
        ("a.png", "image/svg+xml"),
        ("a.txt", "text/plain"),
    ] {
        let form = user
            .to_workspace()
            .typed_file("files", name, content_type, script);
        let upload = server.upload(form).await;
        let response = server.get(&upload.string("/details/0/url")).send().await;
        response.has_status(200);
        let seen = format!("{name} as {content_type}: {:?}", response.headers);
        assert_eq!(
            response.header("x-content-type-options"),
            "nosniff",
            "{seen}"
        );
        let policy = response.header("content-security-policy");
        assert!(
            policy.contains("sandbox") && !policy.contains("allow-scripts"),
            "{seen}"
        );
        if content_type != "text/plain" {
            assert!(
                response
                    .header("content-disposition")
                    .starts_with("attachment"),
                "{seen}"
            );
        }
        // A partial answer is served as carefully.
        let part = server
            .get(&upload.string("/details/0/url"))
            .header("range", "bytes=0-3")
            .send()
            .await;
        assert_eq!(
            part.header("content-disposition"),
            response.header("content-disposition")
        );
        assert_eq!(part.header("x-content-type-options"), "nosniff");
        assert_eq!(part.header("content-security-policy"), policy);
    }
}

#[tokio::test]
async fn a_content_type_cannot_write_headers() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for content_type in [
        "",
        "nonsense",
        "text/html\tx",
        "text/ü",
        "a/b; c=\"",
        "text/plain;\u{1}",
        &"x/".repeat(5000),
    ] {
        let form = user
            .to_workspace()
            .typed_file("files", "a", content_type, "content");
        let upload = server.upload(form).await;
        assert!(
            matches!(upload.status, 200 | 400),
            "{content_type:?}: {}",
            upload.text()
        );
        if upload.status == 200 {
            let response = server.get(&upload.string("/details/0/url")).send().await;
            response.has_status(200);
            assert_eq!(response.text(), "content");
        }
    }
}
