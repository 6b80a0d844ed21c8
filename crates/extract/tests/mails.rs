//! E-mails as programs write them, which is seldom as they should: each text arrives, and nothing is left out without a word.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use encoding_rs::Encoding;
use kafka_extract::{Failure, extract};

fn text(mail: &[u8]) -> String {
    extract(mail, Some("message/rfc822"), "a.eml")
        .expect("a text")
        .text
}

/// Asserts that the text of an e-mail has these pieces.
fn has(mail: impl AsRef<[u8]>, pieces: &[&str]) {
    let text = text(mail.as_ref());
    for piece in pieces {
        assert!(text.contains(piece), "no {piece:?} in {text:?}");
    }
}

/// Parts of one e-mail.
fn multipart(kind: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--B\n{part}\n")).collect();
    format!(
        "From: a@example.com\nSubject: x\nContent-Type: multipart/{kind}; boundary=B\n\n{parts}--B--\n"
    )
}

#[test]
fn each_encoding_is_read_in_header_and_body() {
    for (label, encoding, text) in [
        ("gb2312", "gbk", "中文邮件"),
        ("gbk", "gbk", "联通"),
        ("gb18030", "gb18030", "中文邮件"),
        ("big5", "big5", "中文郵件"),
        ("shift_jis", "shift_jis", "日本語メール"),
        ("cp932", "shift_jis", "日本①"),
        ("euc-jp", "euc-jp", "日本語メール"),
        ("iso-2022-jp", "iso-2022-jp", "日本語メール"),
        ("euc-kr", "euc-kr", "한국어 메일"),
        ("ks_c_5601-1987", "euc-kr", "한국어 메일"),
        ("windows-874", "windows-874", "ไทย"),
        ("koi8-r", "koi8-r", "Русское письмо"),
        ("windows-1250", "windows-1250", "Łódź"),
        ("iso-8859-15", "iso-8859-15", "5 €"),
        ("macintosh", "macintosh", "Größe"),
    ] {
        let encoding = Encoding::for_label(encoding.as_bytes()).expect("an encoding");
        let words = BASE64_STANDARD.encode(encoding.encode(text).0);
        has(
            format!(
                "From: =?{label}?B?{words}?= <a@example.com>\nSubject: =?{label}?B?{words}?=\n\
                 Content-Type: text/plain; charset=\"{label}\"\nContent-Transfer-Encoding: base64\n\n{words}\n"
            ),
            &[
                &format!("From: {text} <a@example.com>"),
                &format!("Subject: {text}"),
                &format!("\n\n{text}"),
            ],
        );
    }
    // Those that only mail has.
    has(
        "Subject: =?utf-7?Q?+APw-?=\nContent-Type: text/plain; charset=utf-7\n\n+AOQ-\n",
        &["Subject: ü", "\n\nä"],
    );
    has(
        "Subject: =?cp850?Q?Gr=94=E1e?=\nContent-Type: text/plain; charset=ibm850\nContent-Transfer-Encoding: quoted-printable\n\nGr=94=E1e\n",
        &["Subject: Größe", "\n\nGröße"],
    );
}

#[test]
fn encoded_words_that_break_the_rules_are_read() {
    // A character in two words, a language, a name that is quoted.
    has(
        "From: \"=?utf-8?Q?M=C3=BCller,_J=C3?= =?UTF-8?Q?=B6rg?=\" <a@example.com>\n\
         Subject: =?utf-8*de?B?R3LD?=\n =?utf-8*de?B?tsOfZQ==?= und =?bad\n\nx\n",
        &["Subject: Größe und =?bad", "Jörg", "<a@example.com>"],
    );
    has(
        "Subject: =?utf-8?Q?a?= =?iso-8859-1?Q?=F6?= b\n\nx\n",
        &["Subject: aö b"],
    );
}

#[test]
fn bare_and_mislabelled_letters_are_read() {
    has(
        b"From: J\xf6rg <a@example.com>\nSubject: Gr\xfc\xdfe\n\nGr\xf6\xdfe nackt\n",
        &[
            "From: Jörg <a@example.com>",
            "Subject: Grüße",
            "\n\nGröße nackt",
        ],
    );
    has(
        "Subject: Grüße\n\nGröße\n",
        &["Subject: Grüße", "\n\nGröße"],
    );
    for label in ["utf-8", "us-ascii"] {
        let mut mail = format!("Content-Type: text/plain; charset={label}\n\n").into_bytes();
        mail.extend_from_slice(b"Gr\xf6\xdfe falsch beschriftet\n");
        has(mail, &["Größe falsch"]);
    }
    for label in ["us-ascii", "iso-8859-1"] {
        has(
            format!("Content-Type: text/plain; charset={label}\n\nGröße\n"),
            &["Größe"],
        );
    }
    has(
        b"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<meta charset=3Diso-8859-2><p>=A3=F3d=BC</p>\n",
        &["Łódź"],
    );
}

#[test]
fn of_two_forms_the_one_that_says_all_is_read() {
    let mail = |plain: &str, page: &str| {
        multipart(
            "alternative",
            &[
                &format!("Content-Type: text/plain; charset=utf-8\n\n{plain}"),
                &format!("Content-Type: text/html; charset=utf-8\n\n{page}"),
            ],
        )
    };
    for plain in [
        "",
        "  \n\u{a0}",
        "Your mail client does not support HTML.",
        "See <https://example.com/view>",
    ] {
        has(
            mail(plain, "<p>ONLY HERE</p>"),
            &["ONLY HERE", plain.trim()],
        );
    }
    let same = text(
        mail(
            "The *same* words (https://example.com)",
            "<b>The same words</b>",
        )
        .as_bytes(),
    );
    assert_eq!(same.matches("same").count(), 1, "{same}");
    let less = text(
        mail(
            "The first words.",
            "<p>The first words, and all the others.</p>",
        )
        .as_bytes(),
    );
    assert_eq!(less.matches("first").count(), 1, "{less}");
    assert!(less.contains("all the others"), "{less}");
    // The rich form may have parts of its own.
    has(
        multipart(
            "alternative",
            &[
                "Content-Type: text/plain\n\n",
                "Content-Type: multipart/related; boundary=C\n\n--C\nContent-Type: text/html\n\n<p>RELATED</p>\n--C\n\
                 Content-Type: image/png; name=logo.png\n\nx\n--C--",
            ],
        ),
        &["RELATED", "[Attachment: logo.png]"],
    );
    has(
        multipart(
            "alternative",
            &[
                "Content-Type: text/plain\n\nYou are invited.",
                "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nSUMMARY:MEETING\nEND:VCALENDAR",
            ],
        ),
        &["You are invited.", "SUMMARY:MEETING"],
    );
}

#[test]
fn each_part_is_read_or_named() {
    has(
        multipart(
            "mixed",
            &[
                "Content-Type: text/plain\n\nFIRST",
                "Content-Type: text/html\nContent-Disposition: attachment; filename=report.html\n\n<p>REPORT</p>",
                "Content-Type: text/plain\n\nSECOND",
                "Content-Type: image/png\n\nx",
                "Content-Type: application/pdf; name=\"=?gb2312?B?1tDOxA==?=.pdf\"\n\nx",
                "Content-Type: text/calendar\n\nSUMMARY:MEETING",
            ],
        ),
        &[
            "FIRST",
            "[Attachment: report.html]",
            "REPORT",
            "SECOND",
            "[Attachment: image/png]",
            "[Attachment: 中文.pdf]",
            "SUMMARY:MEETING",
        ],
    );
    has(
        multipart(
            "report; report-type=delivery-status",
            &[
                "Content-Type: text/plain\n\nBOUNCED",
                "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; c@example.com\nStatus: 5.1.1",
                "Content-Type: message/rfc822\n\nSubject: ORIGINAL\n\nWORDS",
            ],
        ),
        &["BOUNCED", "Status: 5.1.1", "Subject: ORIGINAL", "WORDS"],
    );
}

#[test]
fn what_can_not_be_taken_apart_is_read_as_it_is() {
    let head = "From: a@example.com\nSubject: x\nContent-Type: multipart/mixed";
    has(format!("{head}\n\nANYWAY\n"), &["Subject: x", "ANYWAY"]);
    for boundary in ["", "; boundary=Q"] {
        let mail = format!(
            "{head}{boundary}\n\n--B\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nANYWAY =C3=A4\n--B--\n"
        );
        has(mail, &["ANYWAY ä"]);
    }
    has(
        "Subject: x\nContent-Type: text/calendar\n\nSUMMARY:MEETING\n",
        &["SUMMARY:MEETING"],
    );
    has(
        "From: a@example.com\rSubject: x\r\rBODY\r",
        &["Subject: x", "BODY"],
    );
    has(
        "From: a@example.com\r\r\nSubject: x\r\r\n\r\r\nBODY\r\r\n",
        &["Subject: x", "BODY"],
    );
}

#[test]
fn mailboxes_are_read_mail_by_mail() {
    let mailbox = "From MAILER Mon Jan 1 00:00:00 2024\nSubject: one\n\nM1\n>From quoted\n\nFrom here it is text.\n\n\
        From MAILER Tue Jan 2 00:00:00 2024\nSubject: two\nContent-Transfer-Encoding: quoted-printable\n\
        Content-Type: text/plain; charset=utf-8\n\nM2 =C3=A4\n";
    let text = extract(mailbox.as_bytes(), None, "a.mbox")
        .expect("a text")
        .text;
    for piece in [
        "Subject: one",
        "M1\nFrom quoted",
        "From here it is text.",
        "Subject: two",
        "M2 ä",
    ] {
        assert!(text.contains(piece), "no {piece:?} in {text:?}");
    }
    has(
        "From a@example.com Mon Jan 1 00:00:00 2024\nSubject: one\n\nBODY\n",
        &["Subject: one", "BODY"],
    );
}

#[test]
fn an_empty_mail_is_no_success() {
    assert_eq!(
        extract(b"X-Nothing: x\n\n", Some("message/rfc822"), "a.eml"),
        Err(Failure::NoText)
    );
}
