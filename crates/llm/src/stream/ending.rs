//! Why a reply ended, in the words of all endpoints.

use crate::json::{fields, value};

/// The longest reason why a reply ended.
const MAX_CHARS: usize = 40;

/// Parts of other words for an answer that is as long as it may be.
const LENGTHS: &[&str] = &[
    "max_tokens",
    "max_output",
    "token_limit",
    "length_limit",
    "max_length",
];

/// Parts of words for an answer that something has ended before the model did.
const FAILURES: &[&str] = &[
    "error",
    "fail",
    "overload",
    "exceed",
    "limit",
    "memory",
    "exception",
    "eof",
    "incomplete",
    "timeout",
    "timed_out",
    "unavailable",
];

/// What a reason means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The model had no more to write.
    Stop,
    /// The reply is as long as it may be.
    Length,
    /// A filter took the rest.
    Filter,
    /// The model wants a tool to be called.
    Tool,
    /// The endpoint failed.
    Failure,
    /// Nothing that is known here.
    Other,
}

/// Why a reply ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub meaning: Meaning,
    /// The word that OpenAI has for it, or else the endpoint's own.
    pub word: String,
}

impl Reason {
    /// The model had no more to write.
    pub(super) fn stop() -> Self {
        Self {
            meaning: Meaning::Stop,
            word: "stop".to_owned(),
        }
    }

    /// The reply is as long as it may be.
    pub(super) fn length() -> Self {
        Self {
            meaning: Meaning::Length,
            word: "length".to_owned(),
        }
    }

    /// The reason in a piece of a reply, whatever its field is called.
    pub(super) fn of(choice: &str) -> Option<Self> {
        let names = [
            "finish_reason",
            "finishReason",
            "stop_reason",
            "stopReason",
            "done_reason",
            "finish_details",
        ];
        let reasons = fields(choice, names)?;
        let reason = reasons.into_iter().find_map(Self::read)?;
        // OpenRouter's: the word of the provider behind it, which it may have made `stop` of.
        let [native] = fields(choice, ["native_finish_reason"])?;
        let native = Self::read(native).filter(|native| {
            matches!(native.meaning, Meaning::Filter | Meaning::Failure)
                && reason.meaning == Meaning::Stop
        });
        Some(native.unwrap_or(reason))
    }

    /// Why there is nothing of a reply: Gemini's.
    pub(super) fn of_block(json: &str) -> Option<Self> {
        let blocks = fields(json, ["promptFeedback", "prompt_feedback"])?;
        let reasons = blocks
            .into_iter()
            .filter_map(|block| fields(block, ["blockReason", "block_reason"]));
        reasons.flatten().find_map(Self::read).map(|reason| Self {
            meaning: Meaning::Filter,
            ..reason
        })
    }

    fn read(json: &str) -> Option<Self> {
        if let Some(word) = value::<String>(json) {
            return Self::named(&word);
        }
        let [kind, reason] = fields(json, ["type", "reason"])?;
        value::<String>(kind)
            .or_else(|| value::<String>(reason))
            .and_then(|word| Self::named(&word))
    }

    fn named(word: &str) -> Option<Self> {
        let plain = word
            .trim()
            .to_ascii_lowercase()
            .replace(['-', ' ', '.'], "_");
        // Some name a detail behind a colon.
        let plain = plain.split(':').next().unwrap_or_default();
        let plain = plain
            .trim_start_matches("finish_reason_")
            .trim_start_matches("finishreason_");
        let (meaning, named) = match plain {
            "" | "null" | "none" | "undefined" | "unspecified" | "not_finished" | "in_progress" => {
                return None;
            }
            "stop" | "end_turn" | "eos" | "eos_token" | "stop_sequence" | "stop_token"
            | "complete" | "completed" | "finished" | "done" | "end" => (Meaning::Stop, "stop"),
            "length"
            | "max_tokens"
            | "max_length"
            | "model_length"
            | "max_output_tokens"
            | "token_limit"
            | "model_context_window_exceeded" => (Meaning::Length, "length"),
            "content_filter"
            | "content_filtered"
            | "contentfilter"
            | "safety"
            | "recitation"
            | "blocklist"
            | "blocked"
            | "prohibited_content"
            | "spii"
            | "sensitive"
            | "refusal"
            | "guardrail_intervened"
            | "image_safety"
            | "error_toxic"
            | "content_policy_violation"
            | "risk"
            | "language"
            | "moderation" => (Meaning::Filter, "content_filter"),
            "tool_calls"
            | "tool_call"
            | "tool_use"
            | "function_call"
            | "function_calls"
            | "malformed_function_call"
            | "unexpected_tool_call" => (Meaning::Tool, "tool_calls"),
            "failed"
            | "failure"
            | "network_error"
            | "insufficient_system_resource"
            | "abort"
            | "aborted"
            | "cancelled"
            | "canceled"
            | "user_cancel"
            | "interrupted"
            | "other" => (Meaning::Failure, word),
            other if LENGTHS.iter().any(|part| other.contains(part)) => (Meaning::Length, "length"),
            other if FAILURES.iter().any(|part| other.contains(part)) => (Meaning::Failure, word),
            _ => (Meaning::Other, word),
        };
        let word = named.chars().filter(|c| !c.is_control());
        Some(Self {
            meaning,
            word: word.take(MAX_CHARS).collect(),
        })
    }
}

/// Ollama's own mark of a last piece.
pub(super) fn is_marked_done(json: &str) -> bool {
    fields(json, ["done"]).is_some_and(|[done]| done == "true")
}

#[cfg(test)]
mod tests {
    use super::{Meaning, Reason};

    #[test]
    fn reasons_in_all_spellings() {
        for (json, meaning, word) in [
            (r#"{"finish_reason":"stop"}"#, Meaning::Stop, "stop"),
            (r#"{"finishReason":"STOP"}"#, Meaning::Stop, "stop"),
            (
                r#"{"finish_reason":null,"stop_reason":"end_turn"}"#,
                Meaning::Stop,
                "stop",
            ),
            (
                r#"{"finish_reason":"null","finishReason":"MAX_TOKENS"}"#,
                Meaning::Length,
                "length",
            ),
            (
                r#"{"finish_details":{"type":"stop"}}"#,
                Meaning::Stop,
                "stop",
            ),
            (
                r#"{"finish_reason":"content-filter"}"#,
                Meaning::Filter,
                "content_filter",
            ),
            (
                r#"{"finish_reason":"FinishReason.SAFETY"}"#,
                Meaning::Filter,
                "content_filter",
            ),
            (r#"{"finish_reason":"error"}"#, Meaning::Failure, "error"),
            (
                r#"{"finish_reason":"network_error"}"#,
                Meaning::Failure,
                "network_error",
            ),
            (
                r#"{"finish_reason":"tool_use"}"#,
                Meaning::Tool,
                "tool_calls",
            ),
            (r#"{"finish_reason":"tired"}"#, Meaning::Other, "tired"),
            (
                r#"{"finish_reason":"content_filter: PROHIBITED_CONTENT"}"#,
                Meaning::Filter,
                "content_filter",
            ),
            (
                r#"{"finish_reason":"stop","native_finish_reason":"SAFETY"}"#,
                Meaning::Filter,
                "content_filter",
            ),
            (
                r#"{"finish_reason":"stop","native_finish_reason":"STOP"}"#,
                Meaning::Stop,
                "stop",
            ),
        ] {
            let reason = Reason::of(json).expect(json);
            assert_eq!((reason.meaning, &*reason.word), (meaning, word), "{json}");
        }
        for word in [
            "overloaded",
            "engine_overloaded",
            "out_of_memory",
            "exception",
            "unexpected_eof",
            "incomplete",
            "rate_limit",
            "budget_exceeded",
            "time_limit",
            "OTHER",
        ] {
            let json = format!(r#"{{"finish_reason":"{word}"}}"#);
            let reason = Reason::of(&json).expect(word);
            assert_eq!(reason.meaning, Meaning::Failure, "{word}");
        }
        for json in [
            r#"{"finish_reason":"null"}"#,
            r#"{"finish_reason":""}"#,
            r#"{"finish_reason":"None"}"#,
            r#"{"finish_reason":false}"#,
            r#"{"stop_reason":128009}"#,
            "{}",
        ] {
            assert_eq!(Reason::of(json), None, "{json}");
        }
    }
}
