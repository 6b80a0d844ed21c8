//! Whether a reply that ended as a reply does has an answer in it, and if not, why.

use super::ending::{Meaning, Reason};
use crate::failure::{EndpointError, Failure, clean};

/// What is wrong with a reply that has nothing but reasoning.
pub const ONLY_REASONING: &str = "The model thought and did not answer.";

/// The longest name of a tool that is named.
const MAX_NAME_CHARS: usize = 60;

/// What there is of a reply.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// More than white space.
    pub has_text: bool,
    pub has_reasoning: bool,
    /// The tool that the model wants to be called.
    pub tool: Option<String>,
    /// Why it ended.
    pub reason: Option<Reason>,
}

impl Verdict {
    /// Another reason. Where each piece has one, what is worse than `stop` counts.
    pub(super) fn add_reason(&mut self, reason: Reason) {
        let known = self.reason.as_ref().map(|known| known.meaning);
        let is_worse = known.is_some_and(|known| known != Meaning::Stop);
        if !(is_worse && reason.meaning == Meaning::Stop || known == Some(Meaning::Failure)) {
            self.reason = Some(reason);
        }
    }

    /// Why the reply is no success.
    pub(super) fn failure(&self, key: &str) -> Option<Failure> {
        let meaning = self.reason.as_ref().map(|reason| reason.meaning);
        let what = match meaning {
            Some(Meaning::Failure) => {
                let word = self.reason.as_ref().map(|reason| &*reason.word);
                let word = word.filter(|word| !word.eq_ignore_ascii_case("error"));
                return Some(Failure::in_reply(
                    &EndpointError::of(word.unwrap_or_default()),
                    key,
                ));
            }
            Some(Meaning::Filter) if self.has_text => {
                "The provider's filter withheld the rest of the answer.".to_owned()
            }
            Some(Meaning::Filter) => "The provider's filter withheld the answer.".to_owned(),
            _ if self.has_text => return None,
            Some(Meaning::Tool) => self.wants_tool(key),
            _ if self.tool.is_some() => self.wants_tool(key),
            Some(Meaning::Length) if self.has_reasoning => {
                "The model thought until it reached its length limit, and did not answer."
                    .to_owned()
            }
            Some(Meaning::Length) => {
                "The model reached its length limit before it answered.".to_owned()
            }
            _ if self.has_reasoning => ONLY_REASONING.to_owned(),
            _ => "The model's answer is empty.".to_owned(),
        };
        Some(Failure::no_answer(what))
    }

    fn wants_tool(&self, key: &str) -> String {
        let name = clean(self.tool.as_deref().unwrap_or_default(), key);
        let name: String = name.chars().take(MAX_NAME_CHARS).collect();
        let tool = match name.is_empty() {
            true => "a tool".to_owned(),
            false => format!("a tool ({name})"),
        };
        format!("The model wanted to call {tool}, which is not possible here, and did not answer.")
    }
}
