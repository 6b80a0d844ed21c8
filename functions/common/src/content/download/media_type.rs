//! Which type a file is served with. What its uploader declared is a stranger's word: a type that a browser would run
//! or read as a page is not repeated.

/// How a file is served.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Served {
    /// The `Content-Type`.
    pub(super) media_type: String,
    /// Whether a browser may show it in place instead of saving it.
    pub(super) inline: bool,
}

/// How to serve a file declared as `declared`.
pub(super) fn served(declared: Option<&str>) -> Served {
    let essence = declared
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let inline = matches!(
        essence.as_str(),
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/bmp"
            | "image/avif"
            | "text/plain"
    );
    let harmless = inline
        || essence.starts_with("audio/")
        || essence.starts_with("video/")
        || matches!(
            essence.as_str(),
            "application/json"
                | "application/pdf"
                | "application/zip"
                | "text/csv"
                | "text/markdown"
        );
    let media_type = if !harmless || essence.bytes().any(|byte| !is_type_char(byte)) {
        "application/octet-stream".to_owned()
    } else if essence.starts_with("text/") {
        // Without it, a browser takes the text for Latin-1.
        format!("{essence}; charset=utf-8")
    } else {
        essence
    };
    Served { media_type, inline }
}

fn is_type_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/.+-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Served, served};

    fn is_served(declared: &str, media_type: &str, inline: bool) {
        let media_type = media_type.to_owned();
        assert_eq!(
            served(Some(declared)),
            Served { media_type, inline },
            "{declared}"
        );
    }

    #[test]
    fn harmless_types_are_repeated() {
        is_served("image/PNG", "image/png", true);
        is_served(
            "text/plain; charset=latin1",
            "text/plain; charset=utf-8",
            true,
        );
        is_served("application/pdf", "application/pdf", false);
        is_served("video/mp4", "video/mp4", false);
    }

    #[test]
    fn what_runs_has_no_type() {
        for declared in [
            "text/html",
            "image/svg+xml",
            "text/xml",
            "text/javascript",
            "video/\r\nx: y",
            "",
            "x",
        ] {
            is_served(declared, "application/octet-stream", false);
        }
        assert!(!served(None).inline);
    }
}
