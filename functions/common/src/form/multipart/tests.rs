use super::{Event, Head, Malformed, Parser};

/// The parts that finish, as (name, filename, content type, content), when `body` arrives in pieces of `size`.
type Parts = Vec<(String, Option<String>, Option<String>, Vec<u8>)>;

fn parse_in(boundary: &str, body: &[u8], size: usize) -> Result<Parts, Malformed> {
    let mut parser = Parser::new(boundary.as_bytes());
    let (mut parts, mut current): (Parts, Option<(Head, Vec<u8>)>) = (Vec::new(), None);
    for piece in body.chunks(size) {
        parser.push(piece);
        while let Some(event) = parser.next()? {
            match event {
                Event::Begin(head) => assert!(current.replace((head, Vec::new())).is_none()),
                Event::Data(bytes) => {
                    assert!(!bytes.is_empty());
                    current.as_mut().unwrap().1.extend_from_slice(&bytes);
                }
                Event::End => {
                    let (head, content) = current.take().unwrap();
                    parts.push((head.name, head.filename, head.content_type, content));
                }
            }
        }
    }
    Ok(parts)
}

/// The same for pieces of every size, which must make no difference.
fn parse(body: impl AsRef<[u8]>) -> Result<Parts, Malformed> {
    let body = body.as_ref();
    let whole = parse_in("b", body, body.len().max(1));
    for size in 1..body.len() {
        assert_eq!(parse_in("b", body, size), whole, "pieces of {size}");
    }
    whole
}

fn text(name: &str, content: &str) -> (String, Option<String>, Option<String>, Vec<u8>) {
    (name.to_owned(), None, None, content.as_bytes().to_vec())
}

const A: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";

#[test]
fn fields_and_files() {
    let body = format!(
        "{A}one\r\n--b\r\ncontent-type: text/x\r\nCONTENT-DISPOSITION: form-data; name=f; filename=\"x y.txt\"\r\n\r\n\
         two\r\nlines\r\n\r\n--b--\r\n"
    );
    let file = (
        "f".to_owned(),
        Some("x y.txt".to_owned()),
        Some("text/x".to_owned()),
        b"two\r\nlines\r\n".to_vec(),
    );
    assert_eq!(parse(body), Ok(vec![text("a", "one"), file]));
}

#[test]
fn empty_contents_and_empty_bodies() {
    assert_eq!(parse(format!("{A}\r\n--b--")), Ok(vec![text("a", "")]));
    assert_eq!(parse("--b--\r\n"), Ok(vec![]));
    assert_eq!(parse(""), Ok(vec![]));
}

#[test]
fn a_missing_end_and_an_epilogue_are_fine() {
    for end in [
        "\r\n--b--",
        "\r\n--b--\r\n",
        "\r\n--b--\r\nepilogue",
        "\r\n--b-- \r\n--b\r\n",
    ] {
        assert_eq!(
            parse(format!("{A}one{end}")),
            Ok(vec![text("a", "one")]),
            "{end:?}"
        );
    }
    assert_eq!(
        parse(format!("\r\n\r\n{A}one\r\n--b--")),
        Ok(vec![text("a", "one")])
    );
}

#[test]
fn what_is_cut_off_is_missing() {
    let body = format!("{A}one\r\n{A}two\r\n--b--");
    let first_ends = A.len() + "one\r\n--b\r\n".len();
    for length in 0..body.len() {
        let expected = match length {
            _ if length < first_ends => vec![],
            _ if length < body.len() => vec![text("a", "one")],
            _ => unreachable!(),
        };
        assert_eq!(
            parse_in("b", &body.as_bytes()[..length], 7),
            Ok(expected),
            "{length}"
        );
    }
}

#[test]
fn content_that_looks_like_the_boundary() {
    for content in [
        "\r\n--",
        "\r\n--bx",
        "\r\n--b x",
        "\r",
        "\r\n",
        "\r\n-",
        "\r\r\n--",
        "--b\r\n",
        "\n--b\r\n",
        "\r\n--b\r",
    ] {
        let content = format!("x{content}y");
        assert_eq!(
            parse(format!("{A}{content}\r\n--b--")),
            Ok(vec![text("a", &content)]),
            "{content:?}"
        );
    }
}

#[test]
fn what_is_no_form() {
    for body in [
        "garbage".to_owned(),
        format!("preamble\r\n{A}one\r\n--b--"),
        format!("{A}one\r\n--b--").replace("--b", "--c"),
        format!("{A}one\r\n--b--").replace("\r\n", "\n"),
        "--b\r\nno colon\r\n\r\n".to_owned(),
        "--b\r\n: nameless\r\n\r\n".to_owned(),
        "--b\r\nä: x\r\n\r\n".to_owned(),
        "--b\r\nx: a\rb\r\n\r\n".to_owned(),
        "--b\r\n--b\r\n".to_owned(),
        "--bx".to_owned(),
        format!("--b\r\nx: {}", "y".repeat(17_000)),
        format!("--b\r\n{}", "x: y\r\n".repeat(4_000)),
    ] {
        assert_eq!(
            parse_in("b", body.as_bytes(), body.len()),
            Err(Malformed::Syntax),
            "{body:.40}"
        );
        assert_eq!(
            parse_in("b", body.as_bytes(), 1),
            Err(Malformed::Syntax),
            "{body:.40}"
        );
    }
}

#[test]
fn a_part_must_have_a_name() {
    for head in [
        "",
        "Content-Disposition: form-data\r\n",
        "Content-Type: text/plain\r\n",
    ] {
        assert_eq!(
            parse(format!("--b\r\n{head}\r\nx\r\n--b--")),
            Err(Malformed::NoName),
            "{head:?}"
        );
    }
}

#[test]
fn file_names_as_sent() {
    let table = [
        ("filename=\"\"", ""),
        ("filename=\"C:\\x\\y.txt\"", "y.txt"),
        ("filename=\"\\\\server\\y.txt\"", "\\server\\y.txt"),
        ("filename=\"a\\b\"", "a\\b"),
        ("filename=\"../a/b\"", "../a/b"),
        ("filename=\"a\0b\nc\"", "a\0b\nc"),
        ("filename=\"\u{202e}txt.exe\"", "\u{202e}txt.exe"),
        ("filename=x; filename*=UTF-8''%E2%82%AC%0D%0A", "€\r\n"),
    ];
    for (parameter, expected) in table {
        let body =
            format!("--b\r\nContent-Disposition: form-data; name=f; {parameter}\r\n\r\n\r\n--b--");
        assert_eq!(
            parse(body).unwrap()[0].1.as_deref(),
            Some(expected),
            "{parameter}"
        );
    }
    let latin =
        b"--b\r\nContent-Disposition: form-data; name=f; filename=\"\xff\xfe\"\r\n\r\n\r\n--b--";
    assert_eq!(parse(latin).unwrap()[0].1.as_deref(), Some("ÿþ"));
}

#[test]
fn memory_does_not_grow_with_the_content() {
    let mut parser = Parser::new(b"b");
    parser.push(A.as_bytes());
    for _ in 0..1_000 {
        parser.push(&b"\r\n--x".repeat(200));
        while parser.next().unwrap().is_some() {}
        assert!(parser.buffer.len() < 8);
    }
}
