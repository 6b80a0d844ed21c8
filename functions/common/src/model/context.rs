//! What a model gets to read: instructions, the chat's files and the conversation, within a budget.

use super::Message;

/// A message of the conversation, as its row has it.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// `user`, `assistant` or `system`.
    pub role: &'a str,
    /// `text` or `file` (the column `type`).
    pub kind: &'a str,
    /// Text, or JSON for a file.
    pub content: &'a str,
}

/// A file of the chat that has a text.
#[derive(Debug, Clone, Copy)]
pub struct FileText<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its newest text.
    pub text: &'a str,
}

/// Builds the messages, in at most about `context_chars` characters: the system message, the newest prompt (both
/// always whole), files and history, each newest first; what doesn't fit is cut or left out, and a note says so.
///
/// `turns` is the branch, oldest first, the prompt last; `files` newest first. The file `selected`, if any, comes
/// before all others.
pub fn build(
    system: &str,
    turns: &[Turn<'_>],
    files: &[FileText<'_>],
    selected: Option<&str>,
    context_chars: usize,
) -> Vec<Message> {
    let _ = (system, turns, files, selected, context_chars);
    todo!()
}
