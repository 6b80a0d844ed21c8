//! How many tokens replies took: `/usage`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operation::{Operation, Parameter};
use super::page::LIMIT;
use super::schema::Schema;
use crate::MAX_ID_CHARS;
use crate::id::{ChatId, ModelId};

/// What a day looks like: `2026-11-22`.
pub(crate) const DAY_PATTERN: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
const DAY: Schema = Schema::Pattern(DAY_PATTERN);

/// The tokens of a reply.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Those that the model read, cached ones included.
    pub input: u32,
    /// Those that it wrote, reasoning included.
    pub output: u32,
    /// Those among `input` that its endpoint had in a cache.
    pub cached: u32,
    /// Those among `output` that it thought.
    pub reasoning: u32,
    /// Whether its endpoint did not count them, or not all.
    pub is_estimated: bool,
}

impl Tokens {
    /// An estimate, for texts of so many bytes that were read and written: four bytes for a token.
    pub fn estimate(read: usize, written: usize) -> Self {
        let tokens = |bytes: usize| u32::try_from(bytes.div_ceil(4)).unwrap_or(u32::MAX);
        Self {
            input: tokens(read),
            output: tokens(written),
            is_estimated: true,
            ..Self::default()
        }
    }

    /// These and those of another question.
    pub fn and(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cached: self.cached.saturating_add(other.cached),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            is_estimated: self.is_estimated || other.is_estimated,
        }
    }

    /// Them in the form in which endpoints count.
    pub fn usage(&self) -> Value {
        let mut usage = json!({
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": u64::from(self.input) + u64::from(self.output),
        });
        if self.cached > 0 {
            usage["prompt_tokens_details"] = json!({ "cached_tokens": self.cached });
        }
        if self.reasoning > 0 {
            usage["completion_tokens_details"] = json!({ "reasoning_tokens": self.reasoning });
        }
        if self.is_estimated {
            usage["estimated"] = true.into();
        }
        usage
    }
}

/// What was used on a day, by a model, or in a chat. What was not asked for is `null`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// The day, in UTC.
    pub day: Option<String>,
    /// The model; it may be deleted.
    pub model_id: Option<ModelId>,
    /// The name of the model.
    pub model: Option<String>,
    /// The chat; it may be deleted.
    pub chat_id: Option<ChatId>,
    /// The name of the chat; `null` of one that is deleted.
    pub chat_name: Option<String>,
    /// How many replies took tokens. A name that a model gives a chat counts as one.
    pub replies: u64,
    /// Those of them whose tokens are estimated, all or some, because the model's endpoint does not count them.
    pub estimated_replies: u64,
    /// The tokens that models read.
    pub tokens_in: u64,
    /// The tokens that models wrote.
    pub tokens_out: u64,
    /// Those among `tokens_in` that endpoints had in a cache.
    pub tokens_cached: u64,
    /// Those among `tokens_out` that models thought.
    pub tokens_reasoning: u64,
}

/// The current month.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Month {
    /// Its tokens so far, read and written.
    pub tokens: u64,
    /// How many the user may use in a month; `null`: as many as they like.
    pub budget: Option<u64>,
    /// When the next month begins, in UTC.
    pub ends: String,
}

/// A page of what a user has used.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Usage {
    /// What was used, in the order of days, or in that in which models or chats were made.
    pub usage: Vec<Used>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
    /// The current month.
    pub month: Month,
}

operations! {
    "usage": "How many tokens replies took."

    /// Show what a user has used
    ///
    /// Sums the tokens of replies by day, model or chat. A reply counts on the day on which it ends. Sums stay when models
    /// and chats are deleted, and go with the user.
    SHOW = Operation::get("/usage")
        .query(&[
            Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS)),
            Parameter::optional("from", DAY)
                .about("The first day, such as 2026-11-01; 29 days before the last by default."),
            Parameter::optional("to", DAY)
                .about("The last day; today by default."),
            Parameter::optional("by", Schema::OneOf(&["day", "model", "chat"]))
                .about("What is summed: days (the default), models or chats."),
            LIMIT,
            Parameter::optional("after", Schema::ShortText(MAX_ID_CHARS))
                .about("The `next` of the previous page."),
        ])
        .answers::<Usage>()
        .not_found("`User not found.`");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Tokens;

    #[test]
    fn estimates_are_marked() {
        let estimate = Tokens::estimate(5, 8);
        assert_eq!(
            estimate.usage(),
            json!({"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4, "estimated": true})
        );
        let said = Tokens {
            input: 10,
            output: 1,
            cached: 4,
            ..Tokens::default()
        };
        assert!(said.usage().get("estimated").is_none());
        let both = estimate.and(said);
        assert_eq!((both.input, both.output, both.cached), (12, 3, 4));
        assert!(both.is_estimated);
    }
}
