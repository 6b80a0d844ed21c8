//! Composer mode: asking a model for files, and finding them in its reply (docs/decisions.md#files-in-replies).

mod blocks;

use blocks::Block;

use crate::MAX_TEXT_BYTES;
use crate::line_ends;
use crate::names::key;
use crate::patch::apply_diff;
use crate::reasoning;

/// The system message of a plain conversation.
pub const CHAT: &str = "You are a helpful assistant. The person may share files with you; \
                        their texts, if any, are below.";

/// The longest name a file gets from a reply, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The system message of composer mode.
pub fn instructions(selected: Option<&str>) -> String {
    let mut instructions = "You are a helpful assistant that writes and changes files for a person.\n\
        \n\
        When a file is to be made or rewritten, give its whole text in a fenced block whose first line says the \
        language and the file's name:\n\
        \n\
        ```<language> file=<name>\n\
        <the whole text>\n\
        ```\n\
        \n\
        Give the text whole, never with parts left out. Where it has a line of backticks itself, begin and end the \
        block with a longer one. Keep the names of files that exist; unless another kind of file is asked for, a new \
        file's name ends in .based. Say outside of the blocks, in a sentence or two, what you did. Where no file \
        needs to be written, just answer."
        .to_owned();
    if let Some(name) = selected.map(plain_name).filter(|name| !name.is_empty()) {
        instructions.push_str(&format!(
            "\n\
            \n\
            The person is working on the file {name}. A small change to it can be given as a unified diff instead:\n\
            \n\
            ```diff file={name}\n\
            @@ -2,3 +2,3 @@\n \
            a line as it is\n\
            -a line to remove\n\
            +a line to add\n \
            a line as it is\n\
            ```\n\
            \n\
            Show three unchanged lines before and after each change, exactly as they are in the file."
        ));
    }
    instructions
}

/// What to ask when a diff did not apply: the same file again, whole. `why` is from [`super::patch::apply_diff`].
pub fn ask_for_whole_file(name: &str, why: &str) -> String {
    let name = plain_name(name);
    format!(
        "Your diff for {name} can't be applied: {why} Give the whole new text of the file instead, in one fenced \
         block that begins with ```<language> file={name}, and nothing else."
    )
}

/// One file that a reply makes or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What the reply calls the file: never empty, without control characters, at most 255 bytes.
    pub name: String,
    /// Its text.
    pub change: Change,
}

/// A file in a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is the whole text.
    Whole(String),
    /// A unified diff against the selected file, for [`super::patch::apply_diff`].
    Diff(String),
}

impl Change {
    /// The text of the file after the change, `before` being its text now. Its line ends are those of the reply: a save
    /// gives it those of the file ([`line_ends::like`]).
    ///
    /// # Errors
    /// Why the file can't be changed like that.
    pub fn apply(&self, before: Option<&str>) -> Result<String, Unfit> {
        let text = match (self, before) {
            (Self::Whole(text), _) => text.clone(),
            (Self::Diff(_), None) => {
                return Err(Unfit::new("No selected .based file to apply diff."));
            }
            (Self::Diff(diff), Some(before)) => {
                let (before, diff) = (line_ends::plain(before), line_ends::plain(diff));
                apply_diff(&before, &diff).map_err(|error| {
                    let retry = true;
                    Unfit { error, retry }
                })?
            }
        };
        if text.len() > MAX_TEXT_BYTES {
            return Err(Unfit::new("The file in the reply is longer than 256 KiB."));
        }
        Ok(text)
    }
}

/// Why a file can't be made or changed as a reply wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The reason, as a sentence.
    pub error: String,
    /// Whether the model should be asked for the whole file, because its diff does not apply.
    pub retry: bool,
}

impl Unfit {
    /// A reason that the whole file would not change.
    pub fn new(error: impl Into<String>) -> Self {
        let error = error.into();
        Self {
            error,
            retry: false,
        }
    }

    /// The reason, for the user.
    pub fn message(self) -> String {
        match self.retry {
            true => format!("Applying diff failed: {}", self.error),
            false => self.error,
        }
    }
}

/// Finds the files in a reply, in its order; none: it is a plain answer. `cut_off`: the reply was not finished
/// (stopped, `length`, an error), so a file that has no end in it is not taken.
pub fn edits(reply: &str, cut_off: bool) -> Vec<Edit> {
    // Drafts are no files.
    let (_, answer) = reasoning::split(reply);
    let blocks = blocks::blocks(&answer).into_iter();
    let whole = blocks.filter(|block| block.is_closed || !cut_off);
    whole.filter_map(edit).collect()
}

/// The edits of a reply, with the diff for the file of this name replaced by what the model wrote when it was asked for
/// the whole file: its edit of that name, or its first.
pub fn replace_diff(edits: &mut [Edit], name: &str, again: &[Edit]) {
    let same = again.iter().find(|again| again.name == name);
    let Some(whole) = same.or(again.first()) else {
        return;
    };
    for edit in edits {
        if edit.name == name && matches!(edit.change, Change::Diff(_)) {
            edit.change = whole.change.clone();
        }
    }
}

fn edit(block: Block) -> Option<Edit> {
    let (language, name) = file_of(&block.info)?;
    let change = if is_diff(language) {
        Change::Diff(block.text)
    } else {
        Change::Whole(block.text)
    };
    Some(Edit { name, change })
}

/// The language and the name in an info string such as `python file=main.py`.
fn file_of(info: &str) -> Option<(&str, String)> {
    let lower = info.to_ascii_lowercase();
    let (start, value) = ["file=", "filename="]
        .iter()
        .filter_map(|field| {
            let starts = lower.match_indices(field).map(|(start, _)| start);
            let mut starts = starts.filter(|start| {
                let before = info[..*start].chars().next_back();
                before.is_none_or(|c| c.is_whitespace() || "{,:".contains(c))
            });
            starts.next().map(|start| (start, start + field.len()))
        })
        .min()?;
    let language = info[..start].split_whitespace().next().unwrap_or("");
    let value = info[value..].trim();
    let quoted = value.chars().next().filter(|c| "\"'`".contains(*c));
    let name = match quoted.and_then(|quote| value[1..].split_once(quote)) {
        Some((name, _)) => name,
        // A name may have spaces; another attribute ends it.
        None => match value.split_once('=') {
            Some((name, _)) => name.rsplit_once(' ').map_or(value, |(name, _)| name),
            None => value.trim_end_matches('}'),
        },
    };
    let name = plain_name(name);
    (!name.is_empty()).then_some((language, name))
}

fn is_diff(language: &str) -> bool {
    ["diff", "patch"]
        .iter()
        .any(|diff| language.eq_ignore_ascii_case(diff))
}

/// A name that fits into a line, as names are compared.
fn plain_name(name: &str) -> String {
    let mut name: String = name.chars().filter(|c| !c.is_control()).collect();
    name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
    key(name.trim())
}

#[cfg(test)]
mod tests;
