//! Where a server is, and who may use it.

use http::Uri;

/// What a server knows a client by, as the value of the header `authorization`.
#[must_use]
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Whether an address is `http://HOST` or `https://HOST`, with or without a port, and has neither a user nor a path: what a
/// manifest can also name as a host that may be called.
#[must_use]
pub fn is_origin(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().map_or("@", |host| host.as_str());
        is_http && !host.contains('@') && uri.path() == "/" && uri.query().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::is_origin;

    #[test]
    fn origins_are_told_from_other_addresses() {
        for url in [
            "http://127.0.0.1:8080",
            "https://db.example",
            "https://db.example/",
        ] {
            assert!(is_origin(url), "{url}");
        }
        for url in [
            "",
            "db.example",
            "libsql://db.example",
            "https://db.example/below",
            "https://someone@db.example",
            "https://db.example?a=b",
        ] {
            assert!(!is_origin(url), "{url}");
        }
    }
}
