//! What a model gets to read: instructions, the chat's files and the conversation, within a budget.

use serde_json::Value;

use crate::message::not_shown;
use crate::{Image, MessageKind, Role, Turn};
use crate::{names, reasoning};

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
    /// The files that belong to it.
    pub files: &'a [Attached],
}

/// A file that belongs to a message. What there is to read of it is among the files of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// One that is no picture, or of which there is no image: its name.
    File(String),
    /// A picture.
    Picture(Image),
    /// A picture for whose image there was no room: its name.
    Unseen(String),
}

impl Attached {
    /// The name of the file.
    pub fn name(&self) -> &str {
        match self {
            Self::File(name) | Self::Unseen(name) => name,
            Self::Picture(image) => &image.name,
        }
    }
}

/// A file of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText {
    /// Its name.
    pub name: String,
    /// What there is to read of it.
    pub content: Content,
}

/// What there is to read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Its newest text.
    Text {
        /// The text, or the beginning of it.
        text: String,
        /// How many characters all of it has.
        characters: usize,
        /// Whether there are more than these in the file.
        has_more: bool,
    },
    /// Nothing, and why, in a sentence.
    Missing(String),
}

/// Builds the messages, in at most `context_chars` characters: the system message, the newest prompt (both always
/// whole, even above that), files, and history, newest first; what doesn't fit is cut or left out, and a note says so.
/// When both are too long, each gets half, or what the other leaves.
///
/// `turns` is the branch, oldest first, the prompt last; `files` newest first. Every file is named, with its text, with
/// the beginning of it, or with why there is none. The file `selected`, if any, comes before all others, then the
/// shortest, so that many get in whole and the longest share what is left. The messages are what the strictest servers want: one system message, then the person and the
/// model in turn.
pub fn build(
    system: &str,
    turns: &[Entry<'_>],
    files: &[FileText],
    selected: Option<&str>,
    context_chars: usize,
) -> Vec<Turn> {
    let even = Share::Even;
    build_sharing(
        system,
        turns,
        files,
        selected,
        context_chars,
        even,
        usize::MAX,
    )
}

/// What is left out when files and history are too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Some of both: each gets half of the room, or what the other leaves.
    Even,
    /// History, and of files only what is too much without any history.
    FilesFirst,
}

/// [`build`], with the room shared in this way, and with at most so many images: those of the newest messages. Each counts
/// for [`crate::IMAGE_CHARS`]; where there is no room for them, a message of the history comes without.
pub fn build_sharing(
    system: &str,
    turns: &[Entry<'_>],
    files: &[FileText],
    selected: Option<&str>,
    context_chars: usize,
    share: Share,
    most_images: usize,
) -> Vec<Turn> {
    let mut left = most_images;
    let newest_first = turns.iter().rev().filter_map(message);
    let mut turns: Vec<Turn> = newest_first
        .map(|turn| {
            let turn = turn.with_images(left);
            left -= turn.images.len();
            turn
        })
        .collect();
    turns.reverse();
    let (prompt, history) = match turns.split_last() {
        Some((prompt, history)) => (Some(prompt), history),
        None => (None, &[][..]),
    };
    let prompt_chars = prompt.map_or(0, cost);
    let room = context_chars.saturating_sub(chars(system) + prompt_chars + NOTES_CHARS);

    let history_chars: usize = history.iter().map(cost).sum();
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
                last.images.extend(message.images);
            }
            _ => messages.push(message),
        }
    }
    messages
}

/// A row as a model reads it. `None`: there is nothing to read. What happened to files is put into the person's mouth:
/// a model that finds such notes among its own messages writes them instead of files.
fn message(turn: &Entry<'_>) -> Option<Turn> {
    if turn.content.trim().is_empty() && turn.files.is_empty() {
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
        return note(format!("The file {} was written.", names::shown(&name)));
    }
    if let Some(name) = name("filename") {
        return note(format!("The file {} was added.", names::shown(&name)));
    }
    match turn.role {
        Role::System => note(turn.content.to_owned()),
        // What it thought is not for a model to read.
        Role::Assistant => Some(reasoning::split(turn.content).1)
            .filter(|answer| !answer.is_empty())
            .map(|answer| Turn::new(Role::Assistant, answer)),
        Role::User => Some(with_files(turn)),
    }
}

/// A person's message with the files that belong to it: notes that name them, and images.
fn with_files(turn: &Entry<'_>) -> Turn {
    let mut message = Turn::new(Role::User, turn.content);
    if turn.files.is_empty() {
        return message;
    }
    let files = turn.files.iter();
    let names: Vec<_> = files
        .clone()
        .map(|file| names::shown(file.name()))
        .collect();
    let mut notes = format!("[Files of this message: {}]", names.join(", "));
    let unseen = files.clone().filter_map(|file| match file {
        Attached::Unseen(name) => Some(name.clone()),
        _ => None,
    });
    if unseen.clone().next().is_some() {
        notes.push_str("\n\n");
        notes.push_str(&not_shown(unseen));
    }
    message.content = match turn.content.trim().is_empty() {
        true => notes,
        false => format!("{notes}\n\n{}", turn.content),
    };
    let images = files.filter_map(|file| match file {
        Attached::Picture(image) => Some(image.clone()),
        _ => None,
    });
    message.images = images.collect();
    message
}

/// Adds the files to the system message, and returns how many characters that took.
fn push_files(
    system: &mut String,
    files: &[FileText],
    selected: Option<&str>,
    room: usize,
) -> usize {
    let mut files: Vec<&FileText> = files.iter().collect();
    files.sort_by_key(|file| (!file.is(selected), file.characters()));
    // First the room that it takes to name them, so that no text leaves a file unmentioned.
    let mut left = room;
    let named = files
        .iter()
        .take_while(|file| match left.checked_sub(file.floor()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .count();
    let (named, unnamed) = files.split_at(named);
    for (place, file) in named.iter().enumerate() {
        let extra = match &file.content {
            Content::Missing(_) => 0,
            Content::Text { .. } if file.is(selected) => left,
            // As much for each of the others, which are longer.
            Content::Text { .. } => left / (named.len() - place),
        };
        let shown = file.shown(file.floor() + extra);
        left = left + file.floor() - chars(&shown);
        system.push_str(&shown);
    }
    if !unnamed.is_empty() {
        let names: Vec<_> = unnamed
            .iter()
            .map(|file| names::shown(&file.name))
            .collect();
        let names = names.join(", ");
        let more = if chars(&names) > 300 { ", …" } else { "" };
        system.push_str(&format!(
            "\n\nThere is no room here for {} more files of this conversation: {}{more}",
            unnamed.len(),
            start(&names, 300)
        ));
    }
    room - left
}

impl FileText {
    /// Whether it is the one of this name.
    fn is(&self, name: Option<&str>) -> bool {
        Some(self.name.as_str()) == name
    }

    /// How many characters its text has.
    fn characters(&self) -> usize {
        match &self.content {
            Content::Text { characters, .. } => *characters,
            Content::Missing(_) => 0,
        }
    }

    /// How much room it takes to name it.
    fn floor(&self) -> usize {
        chars(&self.unshown())
    }

    /// The file without its text.
    fn unshown(&self) -> String {
        match &self.content {
            Content::Text { .. } => format!(
                "\n\nThe file {} is too long to be shown here: it has {}.",
                names::shown(&self.name),
                self.length()
            ),
            Content::Missing(why) => format!(
                "\n\nThe file {} has no text here. {why}",
                names::shown(&self.name)
            ),
        }
    }

    /// The file with as much of its text as there is room for.
    fn shown(&self, room: usize) -> String {
        let Content::Text {
            text,
            characters,
            has_more,
        } = &self.content
        else {
            return self.unshown();
        };
        let fence = "`".repeat(longest_fence(text).max(2) + 1);
        let framed = |text: &str, note: &str| {
            let end = if text.ends_with('\n') { "" } else { "\n" };
            format!(
                "\n\nThe file {}{note}:\n{fence}\n{text}{end}{fence}",
                names::shown(&self.name)
            )
        };
        let there = chars(text);
        if there == *characters && !has_more {
            let whole = framed(text, "");
            if chars(&whole) <= room {
                return whole;
            }
        }
        let note = |count: usize| format!(" (only the first {count} of {})", self.length());
        // The line end before the last fence is not in the frame of an empty text.
        let frame = chars(&framed("\n", &note(there))) + 1;
        match room.checked_sub(frame).map(|space| space.min(there)) {
            Some(space) if space >= MIN_PIECE_CHARS.min(there).max(1) => {
                framed(start(text, space), &note(space))
            }
            _ => self.unshown(),
        }
    }

    /// The length of its text in words.
    fn length(&self) -> String {
        match &self.content {
            Content::Text {
                characters,
                has_more: true,
                ..
            } => format!("more than {characters} characters"),
            _ => format!("{} characters", self.characters()),
        }
    }
}

/// As many of the newest messages as there is room for, the oldest of them maybe cut, and whether anything is missing.
fn newest(history: &[Turn], room: usize) -> (Vec<Turn>, bool) {
    let mut left = room;
    let mut kept = Vec::new();
    let mut is_cut = false;
    for message in history.iter().rev() {
        let mut message = message.clone();
        if cost(&message) > left {
            message = message.with_images(0);
        }
        let cost = cost(&message);
        if cost <= left {
            left -= cost;
            kept.push(message);
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

fn cost(message: &Turn) -> usize {
    message.chars() + OVERHEAD_CHARS
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
