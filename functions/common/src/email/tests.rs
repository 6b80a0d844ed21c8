use super::Email;

fn reason(input: &str) -> String {
    Email::parse(input)
        .map(|email| email.as_str().to_owned())
        .expect_err(input)
}

fn normal(input: &str) -> String {
    Email::parse(input).expect(input).as_str().to_owned()
}

#[test]
fn the_documented_table_of_reasons() {
    let before = |what: &str| {
        format!("The email address contains invalid characters before the @-sign: {what}.")
    };
    let table = [
        ("foo", "An email address must have an @-sign.".to_owned()),
        ("", "An email address must have an @-sign.".to_owned()),
        (
            "foo\u{ff20}example.com",
            "An email address must have an @-sign.".to_owned(),
        ),
        (
            "foo@",
            "There must be something after the @-sign.".to_owned(),
        ),
        (
            "@example.com",
            "There must be something before the @-sign.".to_owned(),
        ),
        (
            "foo@localhost",
            "The part after the @-sign is not valid. It should have a period.".to_owned(),
        ),
        (
            "foo@bar",
            "The part after the @-sign is not valid. It should have a period.".to_owned(),
        ),
        (
            "a..b@example.com",
            "An email address cannot have two periods in a row.".to_owned(),
        ),
        (
            "a@foo..com",
            "An email address cannot have two periods in a row.".to_owned(),
        ),
        (
            ".a@example.com",
            "An email address cannot start with a period.".to_owned(),
        ),
        (
            "a.@example.com",
            "An email address cannot have a period immediately before the @-sign.".to_owned(),
        ),
        (
            "a@example.com.",
            "An email address cannot end with a period.".to_owned(),
        ),
        (
            "a@.foo.com",
            "An email address cannot have a period immediately after the @-sign.".to_owned(),
        ),
        ("a b@example.com", before("SPACE")),
        ("a,b@example.com", before("','")),
        ("a(c)@example.com", before("'(', ')'")),
        ("a\tb@example.com", before("U+0009")),
        ("a\0b@example.com", before("U+0000")),
        (
            "a\u{a0}b@example.com",
            "The email address contains unsafe characters: NO-BREAK SPACE.".to_owned(),
        ),
        (
            "a@b@example.com",
            "The part after the @-sign contains invalid characters: '@'.".to_owned(),
        ),
        (
            "a@fo_o.com",
            "The part after the @-sign contains invalid characters: '_'.".to_owned(),
        ),
        (
            "a@-foo.com",
            "An email address cannot have a hyphen immediately after the @-sign.".to_owned(),
        ),
        (
            "a@foo-.com",
            "An email address cannot have a period and a hyphen next to each other.".to_owned(),
        ),
        (
            "a@[127.0.0.1]",
            "A bracketed IP address after the @-sign is not allowed here.".to_owned(),
        ),
        (
            "a@127.0.0.1",
            "The part after the @-sign is not valid. It is not within a valid top-level domain."
                .to_owned(),
        ),
        (
            "a@example.123",
            "The part after the @-sign is not valid. It is not within a valid top-level domain."
                .to_owned(),
        ),
        (
            "\"a b\"@example.com",
            "Quoting the part before the @-sign is not allowed here.".to_owned(),
        ),
    ];
    for (input, expected) in table {
        assert_eq!(reason(input), expected, "{input:?}");
    }
}

#[test]
fn lengths() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    assert_eq!(
        reason(&long_local),
        "The email address is too long before the @-sign (1 character too many)."
    );
    let long_label = format!("a@{}.com", "b".repeat(64));
    let expected = "After the @-sign, periods cannot be separated by so many characters (1 character too many).";
    assert_eq!(reason(&long_label), expected);
    // 4 × 64 + 12 + 3 = 271 bytes of domain.
    let long_domain = format!(
        "a@{}{}.com",
        format!("{}.", "b".repeat(63)).repeat(4),
        "c".repeat(11)
    );
    assert_eq!(
        reason(&long_domain),
        "The email address is too long after the @-sign (18 characters too many)."
    );
    assert_eq!(
        reason(&"a".repeat(2049)),
        "Length must not exceed 2048 characters"
    );
    normal(&format!("{}@example.com", "a".repeat(64)));
}

#[test]
fn special_use_names_are_refused_and_example_names_are_not() {
    let expected = "The part after the @-sign is a special-use or reserved name that cannot be used with email.";
    for top in [
        "test",
        "invalid",
        "local",
        "localhost",
        "onion",
        "arpa",
        "LOCAL",
    ] {
        assert_eq!(reason(&format!("a@foo.{top}")), expected);
    }
    for top in ["com", "net", "org"] {
        normal(&format!("a@example.{top}"));
    }
}

#[test]
fn wrapped_addresses() {
    for input in [
        "Jo Doe <jo@example.com>",
        "\"Doe, Jo\" <jo@example.com>",
        "<jo@example.com>",
        "  jo@example.com\n",
        " Jo < jo@example.com > ",
    ] {
        assert_eq!(normal(input), "jo@example.com", "{input:?}");
    }
    assert_eq!(reason("a, b <jo@example.com>").split(':').next(), {
        Some("The email address contains invalid characters before the @-sign")
    });
    assert_eq!(reason("<>"), "An email address must have an @-sign.");
}

#[test]
fn normal_forms() {
    let table = [
        ("REC@EXAMPLE.com", "REC@example.com"),
        ("Info@example.com", "info@example.com"),
        ("POSTMASTER@example.com", "postmaster@example.com"),
        ("a@xn--bcher-kva.example.com", "a@bücher.example.com"),
        ("a@BÜCHER.example.com", "a@bücher.example.com"),
        ("jo\u{308}rg@example.com", "jörg@example.com"),
        ("a+b@x.y", "a+b@x.y"),
        (
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ),
        ("用户@例え.jp", "用户@例え.jp"),
    ];
    for (input, expected) in table {
        assert_eq!(normal(input), expected);
    }
}

#[test]
fn strange_input_is_refused_with_a_reason() {
    for input in [
        "\u{301}a@example.com",
        "a@xn--.com",
        "a@xn--zzzzzzzzzz999.com",
        "a\u{202e}b@example.com",
        "\"@example.com",
        "\"\"@",
        "@",
        "@@",
        "<",
        ">",
        "<@>",
        "a@ab--cd.com",
        "a@exa\u{200b}mple.com",
        "a@\u{2488}com.com",
        "\"a\\\"@b.c",
    ] {
        assert!(!reason(input).is_empty());
    }
}
