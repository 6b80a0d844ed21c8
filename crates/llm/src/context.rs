//! What a model gets to read: instructions, the chat's files and the conversation, within a budget.

use serde_json::Value;

use crate::reasoning;
use crate::{MessageKind, Role, Turn};

/// What a message or a file costs in addition to its text: role, separators, fence.
const OVERHEAD_CHARS: usize = 32;

/// Kept free for the notes about missing text.
const NOTES_CHARS: usize = 600;

/// Less than this of a text is not worth showing.
const MIN_PIECE_CHARS: usize = 200;

/// A message of the conversation, as its row has it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its author.
    pub role: Role,
    /// What it is about.
    pub kind: MessageKind,
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

/// Builds the messages, in at most `context_chars` characters: the system message, the newest prompt (both always
/// whole, even above that), files and history, each newest first; what doesn't fit is cut or left out, and a note
/// says so. When both are too long, each gets half, or what the other leaves.
///
/// `turns` is the branch, oldest first, the prompt last; `files` newest first. The file `selected`, if any, comes
/// before all others. The messages are what the strictest servers want: one system message, then the person and the
/// model in turn.
pub fn build(
    system: &str,
    turns: &[Entry<'_>],
    files: &[FileText<'_>],
    selected: Option<&str>,
    context_chars: usize,
) -> Vec<Turn> {
    build_sharing(system, turns, files, selected, context_chars, Share::Even)
}

/// What is left out when files and history are too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Some of both: each gets half of the room, or what the other leaves.
    Even,
    /// History, and of files only what is too much without any history.
    FilesFirst,
}

/// [`build`], with the room shared in this way.
pub fn build_sharing(
    system: &str,
    turns: &[Entry<'_>],
    files: &[FileText<'_>],
    selected: Option<&str>,
    context_chars: usize,
    share: Share,
) -> Vec<Turn> {
    let turns: Vec<Turn> = turns.iter().filter_map(message).collect();
    let (prompt, history) = match turns.split_last() {
        Some((prompt, history)) => (Some(prompt), history),
        None => (None, &[][..]),
    };
    let prompt_chars = prompt.map_or(0, |prompt| cost(&prompt.content));
    let room = context_chars.saturating_sub(chars(system) + prompt_chars + NOTES_CHARS);

    let history_chars: usize = history.iter().map(|message| cost(&message.content)).sum();
    let files_room = match share {
        Share::Even => (room / 2).max(room.saturating_sub(history_chars)),
        Share::FilesFirst => room,
    };
    let mut system = system.to_owned();
    let used = push_files(&mut system, files, selected, files_room);
    let (mut kept, is_cut) = newest(history, room - used);
    if is_cut {
        system.push_str("\n\nEarlier messages of this conversation are left out.");
        // The oldest that is left should not be an answer to nothing.
        let answers = kept
            .iter()
            .take_while(|message| message.role == Role::Assistant);
        let answers = answers.count();
        kept.drain(..answers);
    }
    kept.extend(prompt.cloned());

    let mut messages = vec![Turn::new(Role::System, system)];
    for message in kept {
        match messages.last_mut() {
            Some(last) if last.role == message.role => {
                last.content.push_str("\n\n");
                last.content.push_str(&message.content);
            }
            _ => messages.push(message),
        }
    }
    messages
}

/// A row as a model reads it. `None`: there is nothing to read. What happened to files is put into the person's mouth:
/// a model that finds such notes among its own messages writes them instead of files.
fn message(turn: &Entry<'_>) -> Option<Turn> {
    if turn.content.trim().is_empty() {
        return None;
    }
    let note = |text: String| Some(Turn::new(Role::User, format!("[{text}]")));
    let json =
        (turn.kind == MessageKind::File).then(|| serde_json::from_str::<Value>(turn.content).ok());
    let name = |name: &str| {
        let json = json.as_ref()?.as_ref()?;
        json.get(name)?.as_str().map(str::to_owned)
    };
    if let Some(name) = name("based_filename") {
        return note(format!("The file {name} was written."));
    }
    if let Some(name) = name("filename") {
        return note(format!("The file {name} was added."));
    }
    match turn.role {
        Role::System => note(turn.content.to_owned()),
        // What it thought is not for a model to read.
        Role::Assistant => Some(reasoning::split(turn.content).1)
            .filter(|answer| !answer.is_empty())
            .map(|answer| Turn::new(Role::Assistant, answer)),
        Role::User => Some(Turn::new(Role::User, turn.content)),
    }
}

/// Adds the files to the system message, and returns how many characters that took.
fn push_files(
    system: &mut String,
    files: &[FileText<'_>],
    selected: Option<&str>,
    room: usize,
) -> usize {
    let is_selected = |file: &&FileText<'_>| Some(file.name) == selected;
    let first = files.iter().filter(is_selected);
    let others = files.iter().filter(|file| !is_selected(file));
    let mut left = room;
    let mut left_out = Vec::new();
    for file in first.chain(others) {
        let all = chars(file.text);
        let overhead = chars(file.name) + 2 * OVERHEAD_CHARS + 2 * longest_fence(file.text);
        let included = match left.checked_sub(overhead) {
            None => None,
            Some(_) if all == 0 => Some(0),
            Some(_) if !left_out.is_empty() => None,
            Some(space) if all <= space => Some(all),
            Some(space) => Some(space).filter(|space| *space >= MIN_PIECE_CHARS),
        };
        if included.is_none_or(|included| included < all) {
            left_out.push(file.name);
        }
        let Some(included) = included else {
            continue;
        };
        let text = start(file.text, included);
        let fence = "`".repeat(longest_fence(file.text).max(2) + 1);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let note = if included < all {
            " (only its beginning)"
        } else {
            ""
        };
        system.push_str(&format!(
            "\n\nThe file {}{note}:\n{fence}\n{text}{end}{fence}",
            file.name
        ));
        left -= overhead + included;
    }
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        let more = if chars(&names) > 300 { ", …" } else { "" };
        system.push_str(&format!(
            "\n\nFiles that are too long to be shown whole here: {}{more}",
            start(&names, 300)
        ));
    }
    room - left
}

/// As many of the newest messages as there is room for, the oldest of them maybe cut, and whether anything is missing.
fn newest(history: &[Turn], room: usize) -> (Vec<Turn>, bool) {
    let mut left = room;
    let mut kept = Vec::new();
    let mut is_cut = false;
    for message in history.iter().rev() {
        let cost = cost(&message.content);
        if cost <= left {
            left -= cost;
            kept.push(message.clone());
            continue;
        }
        is_cut = true;
        if left >= MIN_PIECE_CHARS + OVERHEAD_CHARS {
            let piece = start(&message.content, left - OVERHEAD_CHARS - 16);
            kept.push(Turn::new(message.role, format!("{piece}… [cut]")));
        }
        break;
    }
    kept.reverse();
    (kept, is_cut)
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

fn cost(text: &str) -> usize {
    chars(text) + OVERHEAD_CHARS
}

/// The first `count` characters.
fn start(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}

/// The longest run of backticks.
fn longest_fence(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
