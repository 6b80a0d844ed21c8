//! Names are harmless (docs/promises.md#6-harmless-names).

use crate::support::{Response, Server, User, login, percent_encode};

async fn upload(server: &Server, user: &User, disposition: impl AsRef<[u8]>) -> Response {
    let form = user.to_workspace().part(disposition, "content");
    server.upload(form).await
}

/// Fails unless the file can be downloaded with one well-formed disposition.
async fn assert_downloads(server: &Server, upload: &Response, name: &str) {
    let content = server.get(&upload.string("/details/0/url")).send().await;
    content.has_status(200);
    assert_eq!(content.text(), "content");
    let dispositions: Vec<_> = content
        .headers
        .get_all("content-disposition")
        .iter()
        .collect();
    assert_eq!(dispositions.len(), 1, "{name:?}");
    let disposition = dispositions[0]
        .to_str()
        .unwrap_or_else(|_| panic!("{name:?}: {dispositions:?} is ASCII"));
    assert!(is_well_formed(disposition), "{name:?}: {disposition}");
}

/// Whether this is a type and `name=token` or `name="quoted"` parameters, each name once.
fn is_well_formed(disposition: &str) -> bool {
    let mut rest = disposition;
    for kind in ["attachment", "inline"] {
        rest = rest.strip_prefix(kind).unwrap_or(rest);
    }
    let mut names = Vec::new();
    while let Some(parameter) = rest.strip_prefix(';') {
        let Some((name, value)) = parameter.trim_start().split_once('=') else {
            return false;
        };
        names.push(name.to_owned());
        rest = if let Some(quoted) = value.strip_prefix('"') {
            let mut escaped = false;
            let end = quoted.find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let Some(end) = end else { return false };
            if quoted[..end].contains('/') {
                return false;
            }
            &quoted[end + 1..]
        } else {
            let end = value.find(';').unwrap_or(value.len());
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$&+-.^_`|~%'".contains(c);
            if !value[..end].chars().all(token) {
                return false;
            }
            &value[end..]
        };
    }
    let count = names.len();
    names.sort();
    names.dedup();
    rest.is_empty() && names.len() == count
}

#[tokio::test]
async fn names_of_files_are_stored_listed_and_downloaded() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let long = "n".repeat(300);
    let wide = "名".repeat(300);
    let names = [
        "../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "..",
        ".",
        "a b",
        "it's",
        "100%",
        "%2e%2e%2f",
        "semi;colon",
        "com,ma",
        "übung.txt",
        "日本語.txt",
        "🐛",
        "\u{202e}gpj.exe",
        "-rf",
        "~",
        "CON",
        "name=x",
        "a\tb",
        " lead",
        "trail ",
        "<script>alert(1)</script>.html",
        "{{ x }}",
        "$(id)",
        "`id`",
        "'; DROP TABLE file; --",
        "\u{feff}",
        &long,
        &wide,
    ];
    for (place, name) in names.iter().enumerate() {
        let disposition =
            format!("Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"");
        let response = upload(&server, &user, disposition).await;
        assert_eq!(response.status, 200, "{name:?}: {}", response.text());
        let stored = response.string("/details/0/name");
        let listed = server.login(&user.email).await;
        assert_eq!(
            listed.string(&format!("/workspaces/0/files/{place}/filename")),
            stored,
            "{name:?}"
        );
        assert!(
            name.ends_with(&stored) && (stored == *name || name.contains('/')),
            "{name:?} is stored as {stored:?}"
        );
        assert_downloads(&server, &response, name).await;
    }
}

#[tokio::test]
async fn names_that_cannot_be_written_plainly_are_harmless_too() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form_data = "Content-Disposition: form-data; name=\"files\"";
    for (parameter, stored) in [
        ("filename=\"C:\\x\\y.txt\"", Some("y.txt")),
        ("filename=\"say \\\"hi\\\".txt\"", Some("say \"hi\".txt")),
        ("filename=plain.txt", Some("plain.txt")),
        (
            "filename=\"fallback.txt\"; filename*=UTF-8''na%C3%AFve%20name.txt",
            Some("naïve name.txt"),
        ),
        ("filename*=UTF-8''%00", None),
        ("filename*=UTF-8''a%0D%0AX-Injected:%201", None),
        ("filename*=UTF-8''%FF%FE", None),
        ("filename*=nonsense", None),
        ("filename=\"a\u{0}b\"", None),
        ("filename=\"a%22b.txt\"", Some("a\"b.txt")),
        ("filename=\"a%0D%0Ab.txt\"", Some("a\r\nb.txt")),
        ("filename=\"100%25.txt\"", Some("100%25.txt")),
        ("filename=\"\"", None),
    ] {
        let response = upload(&server, &user, format!("{form_data}; {parameter}")).await;
        match (response.status, stored) {
            (200, Some(stored)) => {
                assert_eq!(response.string("/details/0/name"), stored, "{parameter}")
            }
            (200 | 400 | 422, None) => {}
            (status, _) => panic!("{parameter}: {status} {}", response.text()),
        }
        if response.status == 200 {
            assert_downloads(&server, &response, parameter).await;
        }
    }
    let invalid_utf8 = [form_data.as_bytes(), b"; filename=\"\xff\xfe\""].concat();
    let response = upload(&server, &user, invalid_utf8).await;
    assert!(matches!(response.status, 200 | 400), "{}", response.text());
}

#[tokio::test]
async fn names_of_chats_and_workspaces_are_stored_as_they_are() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for (place, name) in [
        "../x",
        "\u{0}",
        "\r\nX: y",
        "\"",
        "\\",
        "\u{202e}",
        "\u{7f}\u{80}",
    ]
    .into_iter()
    .enumerate()
    {
        let response = server.chat_new(&user, name).await;
        assert_eq!(response.status, 200, "{name:?}: {}", response.text());
        assert_eq!(response.string("/name"), name);
        let listed = server.login(&user.email).await;
        assert_eq!(
            listed.string(&format!("/workspaces/0/chats/{place}/name")),
            name
        );
    }
}

#[tokio::test]
async fn ids_in_paths_are_only_ids() {
    let server = Server::start().await;
    for id in [
        "..",
        ".",
        "../..",
        "%",
        "\r\n",
        "\u{0}",
        "'",
        "\"",
        "日本",
        "\u{202e}",
        &"x".repeat(4000),
    ] {
        let id = percent_encode(id).replace('.', "%2E");
        for response in [
            server.delete(&format!("/chat/{id}")).send().await,
            server.get(&format!("/file/{id}/content")).send().await,
        ] {
            assert_eq!(response.status, 404, "{id}: {}", response.text());
        }
    }
}
