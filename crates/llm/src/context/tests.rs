use super::{FileText, Turn, build};
use crate::{Message, Role};

fn turn<'a>(role: &'a str, content: &'a str) -> Turn<'a> {
    Turn {
        role,
        kind: "text",
        content,
    }
}

fn file<'a>(name: &'a str, text: &'a str) -> FileText<'a> {
    FileText { name, text }
}

fn size(messages: &[Message]) -> usize {
    let sizes = messages
        .iter()
        .map(|message| message.content.chars().count());
    sizes.sum()
}

fn said(role: Role, content: &str) -> Message {
    Message::new(role, content)
}

#[test]
fn everything_fits() {
    let turns = [
        turn("user", "Hi"),
        turn("assistant", "Hello"),
        turn("assistant", ""),
        Turn {
            role: "user",
            kind: "file",
            content: "{\"file_id\":\"1\",\"filename\":\"a.md\",\"path\":\"p\"}",
        },
        Turn {
            role: "assistant",
            kind: "file",
            content: "{\"based_filename\":\"b.based\",\"based_content\":\"…\"}",
        },
        Turn {
            role: "system",
            kind: "file",
            content: "c.csv was deleted.",
        },
        turn("user", "And now?"),
    ];
    let files = [file("a.md", "A\n```\nB"), file("b.based", "C\n")];
    let messages = build("Be brief.", &turns, &files, Some("b.based"), 100_000);
    assert_eq!(
        messages,
        [
            said(
                Role::System,
                "Be brief.\n\nThe file b.based:\n```\nC\n```\n\nThe file a.md:\n````\nA\n```\nB\n````"
            ),
            said(Role::User, "Hi"),
            said(Role::Assistant, "Hello"),
            said(
                Role::User,
                "[The file a.md was added.]\n\n[The file b.based was written.]\n\n[c.csv was deleted.]\n\nAnd now?"
            ),
        ]
    );
}

#[test]
fn the_newest_comes_first() {
    let long = "ä".repeat(600);
    let turns: Vec<Turn<'_>> = (0..10)
        .map(|number| turn(["user", "assistant"][number % 2], &long))
        .chain([turn("user", "Prompt")])
        .collect();
    let messages = build("S", &turns, &[], None, 3000);
    assert!(size(&messages) <= 3000);
    assert!(messages[0].content.ends_with("are left out."));
    assert_eq!(messages[1].role, Role::User);
    assert_eq!(messages.last(), Some(&said(Role::User, "Prompt")));
    assert!(
        messages
            .iter()
            .filter(|message| message.content == long)
            .count()
            >= 2
    );

    let files = [file("new", &long), file("old", &long), file("older", "x")];
    let messages = build("S", &[turn("user", "Prompt")], &files, None, 1700);
    assert!(size(&messages) <= 1700);
    let system = &messages[0].content;
    assert!(system.contains("The file new:\n"));
    assert!(system.contains("The file old (only its beginning):\n"));
    assert!(!system.contains("The file older"));
    assert!(system.ends_with("whole here: old, older"));
    let messages = build("S", &[turn("user", "Prompt")], &files, Some("older"), 1700);
    assert!(
        messages[0].content.contains("The file older:\nx")
            || messages[0].content.contains("The file older:\n```\nx\n```")
    );
}

#[test]
fn files_and_history_share() {
    let long = "x".repeat(5000);
    let turns = [
        turn("user", &long),
        turn("assistant", &long),
        turn("user", "Prompt"),
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
            turn("user", "Hi"),
            turn("assistant", "Hello"),
            turn("user", &prompt),
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
    assert_eq!(build("S", &[], &[], None, 0), [said(Role::System, "S")]);
}

#[test]
fn the_budget_holds() {
    let mut dice = crate::diff::tests::Dice(9);
    let pieces = [
        "word ",
        "ä",
        "`",
        "```\n",
        "\n",
        "long long long long long long text ",
    ];
    for _ in 0..300 {
        let texts: Vec<String> = (0..12).map(|_| dice.text(&pieces, 300)).collect();
        let names: Vec<String> = (0..6).map(|_| dice.text(&["name", "ä"], 20)).collect();
        let turns: Vec<Turn<'_>> = texts[..6]
            .iter()
            .map(|text| turn(dice.pick(&["user", "assistant", "system"]), text))
            .chain([turn("user", "Prompt")])
            .collect();
        let texts = texts[6..].iter().zip(&names);
        let files: Vec<FileText<'_>> = texts.map(|(text, name)| file(name, text)).collect();
        let budget = 1000 + usize::try_from(dice.below(20_000)).unwrap_or(0);
        let messages = build("System", &turns, &files, Some(&names[3]), budget);
        assert!(size(&messages) <= budget, "{} of {budget}", size(&messages));
        assert!(
            messages
                .last()
                .is_some_and(|last| last.content.ends_with("Prompt"))
        );
        let in_turn = messages.windows(2).all(|pair| pair[0].role != pair[1].role);
        assert!(in_turn);
    }
}
