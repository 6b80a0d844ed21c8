//! Composer mode: asking a model for files, and finding them in its reply (WebSocket contract, last paragraph).

/// The system message of a plain conversation.
pub const CHAT: &str = "You are a helpful assistant.";

/// The system message of composer mode.
pub fn instructions(selected: Option<&str>) -> String {
    let _ = selected;
    todo!()
}

/// What to ask when a diff did not apply: the same file again, whole. `why` is from [`super::patch::apply_diff`].
pub fn ask_for_whole_file(name: &str, why: &str) -> String {
    let _ = (name, why);
    todo!()
}

/// What a reply is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A plain answer.
    Text,
    /// Files, in the order of the reply; at least one.
    Edits(Vec<Edit>),
}

/// One file that a reply makes or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What the reply calls the file.
    pub name: String,
    /// What it says.
    pub change: Change,
}

/// What a reply says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is the whole text.
    Whole(String),
    /// A unified diff against the selected file, for [`super::patch::apply_diff`].
    Diff(String),
}

/// Finds the files in a reply. `cut_off`: the reply was not finished (stopped, `length`, an error), so a file that has
/// no end in it is not taken.
pub fn outcome(reply: &str, cut_off: bool) -> Outcome {
    let _ = (reply, cut_off);
    todo!()
}
