//! The name of a conversation: how a model is asked for one, and what of its answer is the name.

use crate::{Role, Turn, reasoning};

/// The longest name, in characters.
pub const MAX_CHARS: usize = 60;

/// So much of the prompt and of the reply is shown, in characters each.
const SHOWN_CHARS: usize = 2000;

const INSTRUCTIONS: &str = "You name conversations. Answer with a title for the conversation below, of at most six words \
                            and in its language: the title alone, without quotation marks, without a full stop.";

/// What may be before a title although it was not asked for, in lower case.
const LABELS: [&str; 6] = [
    "title:",
    "titel:",
    "titre :",
    "título:",
    "titolo:",
    "标题：",
];

/// The question for a name.
pub fn question(prompt: &str, reply: &str) -> [Turn; 2] {
    let shown = |text: &str| text.trim().chars().take(SHOWN_CHARS).collect::<String>();
    let text = format!(
        "The person wrote:\n\n{}\n\nThe answer was:\n\n{}",
        shown(prompt),
        shown(reply)
    );
    [
        Turn::new(Role::System, INSTRUCTIONS),
        Turn::new(Role::User, text),
    ]
}

/// The name in an answer; `None`: there is none.
pub fn read(answer: &str) -> Option<String> {
    let answer = reasoning::split(answer).1;
    let mut lines = answer.lines().map(bare);
    let line = lines.find(|line| line.chars().any(char::is_alphanumeric))?;
    let words: Vec<&str> = line
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let name = words.join(" ");
    if name.chars().count() <= MAX_CHARS {
        return Some(name);
    }
    let cut: String = name.chars().take(MAX_CHARS - 1).collect();
    let cut = match cut.rsplit_once(' ') {
        Some((whole, _)) if whole.chars().count() > MAX_CHARS / 2 => whole,
        _ => &cut,
    };
    Some(format!("{cut}…"))
}

/// A line without what models put around a title: marks of headings, quotation marks, a label, a full stop.
fn bare(line: &str) -> &str {
    let is_mark = |c: char| c.is_whitespace() || "#*_`\"'“”„«»‘’「」『』".contains(c);
    let mut line = line.trim_matches(is_mark);
    let lower = line.to_lowercase();
    if let Some(label) = LABELS.iter().find(|label| lower.starts_with(**label)) {
        // Letters in lower case may have other lengths; then the label stays.
        line = line.get(label.len()..).unwrap_or(line);
    }
    line.trim_matches(is_mark)
        .trim_end_matches(['.', '。'])
        .trim_matches(is_mark)
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHARS, question, read};
    use crate::Role;

    #[test]
    fn a_question_shows_the_beginning() {
        let [system, user] = question("Who?", &"x".repeat(5000));
        assert_eq!((system.role, user.role), (Role::System, Role::User));
        assert!(user.content.contains("Who?") && user.content.len() < 2200);
    }

    #[test]
    fn names_in_answers() {
        for (answer, name) in [
            ("The accuser of Josef K.", Some("The accuser of Josef K")),
            ("\n\n\"Wer ist der Kläger?\"\n", Some("Wer ist der Kläger?")),
            ("**Title: A trial**", Some("A trial")),
            ("# Ein  Prozess\tbeginnt", Some("Ein Prozess beginnt")),
            ("<think>\nhm\n</think>\n\nThe trial", Some("The trial")),
            ("「審判」", Some("審判")),
            ("…", None),
            ("", None),
            ("\"\"", None),
        ] {
            assert_eq!(read(answer).as_deref(), name, "{answer:?}");
        }
        let long = read(&"word ".repeat(40)).expect("a name");
        assert!(
            long.chars().count() <= MAX_CHARS && long.ends_with("word…"),
            "{long}"
        );
        let one = read(&"ä".repeat(100)).expect("a name");
        assert_eq!(one.chars().count(), MAX_CHARS);
    }
}
