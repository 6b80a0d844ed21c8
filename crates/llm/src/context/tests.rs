use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Attached, Content, Entry, FileText, Share, build, build_sharing};
use crate::random::{cases, text};
use crate::{IMAGE_CHARS, Image, MessageKind, Role, Turn};

fn turn<'a>(role: Role, content: &'a str) -> Entry<'a> {
    Entry {
        role,
        kind: MessageKind::Text,
        content,
        files: &[],
    }
}

/// A file all of whose text is there.
fn file(name: &str, text: &str) -> FileText {
    beginning(name, text, text.chars().count())
}

/// A file of whose text so many characters are not there.
fn beginning(name: &str, text: &str, characters: usize) -> FileText {
    FileText {
        name: name.to_owned(),
        content: Content::Text {
            text: text.to_owned(),
            characters,
            has_more: false,
        },
    }
}

fn missing(name: &str, why: &str) -> FileText {
    FileText {
        name: name.to_owned(),
        content: Content::Missing(why.to_owned()),
    }
}

fn size(messages: &[Turn]) -> usize {
    let sizes = messages
        .iter()
        .map(|message| message.content.chars().count());
    sizes.sum()
}

fn message(role: Role, content: &str) -> Turn {
    Turn::new(role, content)
}

#[test]
fn everything_fits() {
    let turns = [
        turn(Role::User, "Hi"),
        turn(Role::Assistant, "Hello"),
        turn(Role::Assistant, ""),
        Entry {
            role: Role::User,
            kind: MessageKind::File,
            content: "{\"file_id\":\"1\",\"filename\":\"a.md\",\"path\":\"p\"}",
            files: &[],
        },
        Entry {
            role: Role::Assistant,
            kind: MessageKind::File,
            content: "{\"based_filename\":\"b.based\",\"based_content\":\"…\"}",
            files: &[],
        },
        Entry {
            role: Role::System,
            kind: MessageKind::File,
            content: "c.csv was deleted.",
            files: &[],
        },
        turn(Role::User, "And now?"),
    ];
    let files = [file("a.md", "A\n```\nB"), file("b.based", "C\n")];
    let messages = build("Be brief.", &turns, &files, Some("b.based"), 100_000);
    assert_eq!(
        messages,
        [
            message(
                Role::System,
                "Be brief.\n\nThe file b.based:\n```\nC\n```\n\nThe file a.md:\n````\nA\n```\nB\n````"
            ),
            message(Role::User, "Hi"),
            message(Role::Assistant, "Hello"),
            message(
                Role::User,
                "[The file a.md was added.]\n\n[The file b.based was written.]\n\n[c.csv was deleted.]\n\nAnd now?"
            ),
        ]
    );
}

#[test]
fn the_newest_comes_first() {
    let long = "ä".repeat(600);
    let turns: Vec<Entry<'_>> = (0..10)
        .map(|number| turn([Role::User, Role::Assistant][number % 2], &long))
        .chain([turn(Role::User, "Prompt")])
        .collect();
    let messages = build("S", &turns, &[], None, 3000);
    assert!(size(&messages) <= 3000);
    assert!(messages[0].content.ends_with("are left out."));
    assert_eq!(messages[1].role, Role::User);
    assert_eq!(messages.last(), Some(&message(Role::User, "Prompt")));
    assert!(
        messages
            .iter()
            .filter(|message| message.content == long)
            .count()
            >= 2
    );
}

/// The system message of a chat with these files and nothing else.
fn shown(files: &[FileText], selected: Option<&str>, context_chars: usize) -> String {
    let messages = build(
        "S",
        &[turn(Role::User, "Prompt")],
        files,
        selected,
        context_chars,
    );
    assert!(size(&messages) <= context_chars);
    messages[0].content.clone()
}

#[test]
fn every_file_is_named_and_short_ones_come_first() {
    let long = "ä".repeat(10_000);
    let files = [
        file("new", &long),
        file("old", &long),
        file("short", "x\n"),
        missing("p.png", "The file is a picture."),
        file("empty", ""),
    ];
    let all = shown(&files, None, 3000);
    assert!(all.contains("The file short:\n```\nx\n```"));
    assert!(all.contains("The file empty:\n```\n\n```"));
    assert!(all.contains("The file p.png has no text here. The file is a picture."));
    for name in ["new", "old"] {
        let start = format!("The file {name} (only the first ");
        let (_, rest) = all.split_once(&start).expect("its beginning is there");
        let (count, rest) = rest
            .split_once(" of 10000 characters):\n```\n")
            .expect("and how much");
        let count: usize = count.parse().expect("a number");
        assert!(count > 800, "they share what is left: {count}");
        assert!(rest.starts_with(&format!("{}\n```", "ä".repeat(count))));
    }

    let selected = shown(&files, Some("old"), 3000);
    assert!(selected.starts_with("S\n\nThe file old (only the first "));
    assert!(
        selected.contains("The file new is too long to be shown here: it has 10000 characters.")
    );
    assert!(selected.contains("The file p.png has no text here."));

    // What was not read whole is not passed off as whole.
    let cut = [beginning("b", "text", 900)];
    assert!(
        shown(&cut, None, 3000)
            .contains("The file b (only the first 4 of 900 characters):\n```\ntext\n```")
    );
    let more = FileText {
        name: "m".to_owned(),
        content: Content::Text {
            text: "text".to_owned(),
            characters: 4,
            has_more: true,
        },
    };
    assert!(shown(&[more], None, 3000).contains("(only the first 4 of more than 4 characters)"));

    let many: Vec<FileText> = (0..100).map(|n| file(&format!("file {n}"), "x")).collect();
    let all = shown(&many, None, 1700);
    assert!(all.contains("The file file 0:\n"));
    assert!(all.contains(" more files of this conversation: file "));
}

#[test]
fn files_and_history_share() {
    let long = "x".repeat(5000);
    let turns = [
        turn(Role::User, &long),
        turn(Role::Assistant, &long),
        turn(Role::User, "Prompt"),
    ];
    let messages = build("S", &turns, &[file("a", &long)], None, 9000);
    assert!(size(&messages) <= 9000);
    assert!(messages[0].content.contains(" of 5000 characters):"));
    assert!(messages[0].content.len() > 4000);
    assert!(messages.len() > 1);
}

#[test]
fn the_prompt_is_always_whole() {
    let prompt = "p".repeat(10_000);
    for context_chars in [0, 1, 500, 9_999] {
        let turns = [
            turn(Role::User, "Hi"),
            turn(Role::Assistant, "Hello"),
            turn(Role::User, &prompt),
        ];
        let messages = build("S", &turns, &[file("a", "text")], None, context_chars);
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[1].content, prompt);
        assert!(
            messages[0]
                .content
                .contains("no room here for 1 more files of this conversation: a")
        );
    }
    assert_eq!(build("S", &[], &[], None, 0), [message(Role::System, "S")]);
}

const PIECES: &[&str] = &[
    "word ",
    "ä",
    "`",
    "```\n",
    "\n",
    "long long long long long long text ",
];

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_budget_holds(
        history in vec((select(&[Role::System, Role::User, Role::Assistant]), text(PIECES, 300)), 6),
        texts in vec((text(&["name", "ä"], 20), text(PIECES, 300)), 6),
        budget in 1_000..21_000_usize,
    ) {
        let turns = history.iter().map(|(role, text)| turn(*role, text));
        let turns: Vec<Entry<'_>> = turns.chain([turn(Role::User, "Prompt")]).collect();
        let files: Vec<FileText> = texts.iter().map(|(name, text)| file(name, text)).collect();
        let messages = build("System", &turns, &files, Some(&texts[3].0), budget);
        prop_assert!(size(&messages) <= budget, "{} of {}", size(&messages), budget);
        prop_assert!(messages.last().is_some_and(|last| last.content.ends_with("Prompt")));
        let in_turn = messages.windows(2).all(|pair| pair[0].role != pair[1].role);
        prop_assert!(in_turn);
    }
}

#[test]
fn files_of_messages_are_named_and_pictures_are_seen() {
    let image = |name: &str| Image {
        name: name.to_owned(),
        url: format!("data:image/png;base64,{name}").into(),
    };
    let old = [Attached::Picture(image("old.png"))];
    let new = [
        Attached::File("a.pdf".to_owned()),
        Attached::Picture(image("new.png")),
        Attached::Unseen("large.png".to_owned()),
    ];
    let turns = [
        Entry {
            files: &old,
            ..turn(Role::User, "First")
        },
        turn(Role::Assistant, "Answer"),
        Entry {
            files: &new,
            ..turn(Role::User, "Second")
        },
    ];
    let built = |chars, most| build_sharing("S", &turns, &[], None, chars, Share::Even, most);
    let all = built(100_000, 20);
    assert_eq!(all[1].content, "[Files of this message: old.png]\n\nFirst");
    assert_eq!(all[1].images, [image("old.png")]);
    assert_eq!(
        all[3].content,
        "[Files of this message: a.pdf, new.png, large.png]\n\n[Not shown here: large.png]\n\nSecond"
    );
    assert_eq!(all[3].images, [image("new.png")]);
    // The newest is what there is room for.
    for fewer in [built(100_000, 1), built(IMAGE_CHARS + 2000, 20)] {
        assert_eq!(fewer[1].images, []);
        assert!(
            fewer[1]
                .content
                .starts_with("[Not shown here: old.png]\n\n"),
            "{fewer:?}"
        );
        assert_eq!(fewer[3].images.len(), 1);
    }
    let none = built(100_000, 0);
    assert!(none.iter().all(|turn| turn.images.is_empty()));
    assert!(none[3].content.starts_with("[Not shown here: new.png]\n\n"));
    // What is attached is asked about without a word.
    let silent = [Entry {
        files: &new[1..2],
        ..turn(Role::User, "")
    }];
    let silent = build("S", &silent, &[], None, 1000);
    assert_eq!(silent[1].content, "[Files of this message: new.png]");
    assert_eq!(silent[1].images.len(), 1);
}
