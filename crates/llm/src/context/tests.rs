use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Entry, FileText, build};
use crate::random::{cases, text};
use crate::{MessageKind, Role, Turn};

fn turn<'a>(role: Role, content: &'a str) -> Entry<'a> {
    Entry {
        role,
        kind: MessageKind::Text,
        content,
    }
}

fn file<'a>(name: &'a str, text: &'a str) -> FileText<'a> {
    FileText { name, text }
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
        },
        Entry {
            role: Role::Assistant,
            kind: MessageKind::File,
            content: "{\"based_filename\":\"b.based\",\"based_content\":\"…\"}",
        },
        Entry {
            role: Role::System,
            kind: MessageKind::File,
            content: "c.csv was deleted.",
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

    let files = [file("new", &long), file("old", &long), file("older", "x")];
    let messages = build("S", &[turn(Role::User, "Prompt")], &files, None, 1700);
    assert!(size(&messages) <= 1700);
    let system = &messages[0].content;
    assert!(system.contains("The file new:\n"));
    assert!(system.contains("The file old (only its beginning):\n"));
    assert!(!system.contains("The file older"));
    assert!(system.ends_with("whole here: old, older"));
    let messages = build(
        "S",
        &[turn(Role::User, "Prompt")],
        &files,
        Some("older"),
        1700,
    );
    assert!(
        messages[0].content.contains("The file older:\nx")
            || messages[0].content.contains("The file older:\n```\nx\n```")
    );
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
    assert!(messages[0].content.contains("only its beginning"));
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
                .contains("too long to be shown whole here: a")
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
        let files: Vec<FileText<'_>> = texts.iter().map(|(name, text)| file(name, text)).collect();
        let messages = build("System", &turns, &files, Some(&texts[3].0), budget);
        prop_assert!(size(&messages) <= budget, "{} of {}", size(&messages), budget);
        prop_assert!(messages.last().is_some_and(|last| last.content.ends_with("Prompt")));
        let in_turn = messages.windows(2).all(|pair| pair[0].role != pair[1].role);
        prop_assert!(in_turn);
    }
}
