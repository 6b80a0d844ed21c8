//! What of a request an endpoint does not take: the refusals after which it can be asked in another way.

use super::EndpointError;

/// Why a request was refused, where another one would not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// The model takes no message with the role `system`.
    SystemRole,
    /// The messages are too long for the model.
    Context(Size),
    /// The field `stream_options` is unknown.
    StreamOptions,
    /// The model may not be streamed.
    Streaming,
}

/// How long messages may be, in the endpoint's unit, which is mostly tokens.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The most that fits, if the endpoint names it.
    pub limit: Option<u64>,
    /// What the request had, if the endpoint names it.
    pub asked: Option<u64>,
}

impl Objection {
    /// Reads it from an endpoint's error. `status`: `None` for an error in an answer with the status 200.
    pub(super) fn of(status: Option<u16>, said: &EndpointError) -> Option<Self> {
        if let Some(401..=404 | 405 | 408 | 410) = status {
            return None;
        }
        let words = said.text.to_lowercase();
        if is_about_length(status, &words, &said.code.to_lowercase()) {
            let named = Size {
                limit: said.limit,
                asked: said.asked,
            };
            let size = if named.limit.is_some() {
                named
            } else {
                Size::in_words(&words)
            };
            return Some(Self::Context(size));
        }
        if status == Some(429) {
            return None;
        }
        if is_about_system(&words) {
            return Some(Self::SystemRole);
        }
        if contains(
            &words,
            &["stream_options", "include_usage", "stream options"],
        ) {
            return Some(Self::StreamOptions);
        }
        let is_refusal = status.is_none_or(|status| status < 500);
        (is_refusal && is_about_streaming(&words)).then_some(Self::Streaming)
    }
}

fn contains(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

fn is_about_length(status: Option<u16>, words: &str, code: &str) -> bool {
    const TOO_LARGE: &[&str] = &[
        "request too large",
        "request is too large",
        "request body too large",
        "entity too large",
        "payload too large",
        "content too large",
    ];
    const CODES: &[&str] = &[
        "context_length",
        "context_size",
        "context_window",
        "context_too_long",
        "request_too_large",
        "prompt_too_long",
        "input_too_long",
        "string_above_max_length",
        "tokens_limit_reached",
    ];
    const WORDS: &[&str] = &[
        "context length",
        "context_length",
        "context window",
        "context size",
        "context limit",
        "maximum context",
        "max context",
        "exceed context",
        "exceeds context",
        "exceeds the context",
        "exceed the context",
        "when context the overflows",
        "max_seq_len",
        "max_model_len",
        "n_ctx",
        "maximum sequence length",
        "maximum model length",
        "maximum prompt length",
        "model token limit",
        "maximum number of tokens",
        "maximum number of input tokens",
        "input token",
        "too many tokens",
        "tokens exceed",
        "tokens) exceed",
        "`inputs` tokens",
        "inputs tokens",
        "range of input length",
        "input length",
        "prompt length",
        "prompt is too long",
        "prompt too long",
        "prompt too large",
        "prompt is too large",
        "input is too long",
        "input too long",
        "input is too large",
        "messages are too long",
        "messages too long",
        "message is too long",
        "conversation is too long",
        "conversation too long",
        "prompt exceeds",
        "input exceeds",
        "reduce the length",
        "reduce your prompt",
        "reduce your message",
        "shorten your",
        "tokens to keep from the initial prompt",
        "expected a string with maximum length",
        "超长",
        "上下文长度",
        "超过最大长度",
        "输入长度",
        "超出最大",
    ];
    if status == Some(413) || contains(code, CODES) || contains(words, TOO_LARGE) {
        return true;
    }
    // Those of a rate limit speak of tokens, too.
    status != Some(429) && contains(words, WORDS)
}

fn is_about_system(words: &str) -> bool {
    const NOT: &[&str] = &[
        "not support",
        "n't support",
        "unsupported",
        "not enabled",
        "not allowed",
        "not permitted",
        "not accept",
        "not available",
        "not one of",
        "unexpected",
        "invalid",
        "unknown",
        "unrecognized",
        "only ",
        "must be",
        "should be",
        "不支持",
        "无效",
    ];
    let names_role = contains(
        words,
        &[
            "system role",
            "role system",
            "role: system",
            "role \"system\"",
            "role 'system'",
            "role `system`",
            "'system'",
            "\"system\"",
            "`system`",
            "system message",
            "system prompt",
            "system instruction",
            "developer instruction",
            "developer message",
            "developer role",
            "system角色",
            "system 角色",
            "system消息",
        ],
    );
    let names_others = words.contains("user")
        && words.contains("assistant")
        && contains(words, &["role", "'user'", "\"user\"", "`user`"]);
    let is_first = contains(
        words,
        &[
            "first message must",
            "first message should",
            "first message is",
            "first message role",
            "role of first message",
            "start with a user",
            "start with user",
            "begin with a user",
            "starts with a user",
        ],
    ) && words.contains("user");
    let alternates =
        contains(words, &["must alternate", "should alternate"]) && words.contains("role");
    alternates || is_first || (names_role || names_others) && contains(words, NOT)
}

fn is_about_streaming(words: &str) -> bool {
    const NOT: &[&str] = &[
        "not support",
        "n't support",
        "unsupported",
        "not allowed",
        "not available",
        "verified",
        "must be false",
    ];
    contains(words, &["stream"]) && contains(words, NOT)
}

impl Size {
    /// Finds the numbers in words, which are in lower case.
    fn in_words(words: &str) -> Self {
        let numbers = numbers(words);
        let limit = limit_in(words, &numbers);
        let asked = numbers.iter().map(|number| number.value);
        let asked = asked
            .filter(|asked| limit.is_some_and(|limit| *asked > limit))
            .max();
        Self { limit, asked }
    }
}

/// Which number is the most that fits.
fn limit_in(words: &str, numbers: &[Number]) -> Option<u64> {
    const BEFORE: &[&str] = &[
        "context length",
        "context_length",
        "context window",
        "context size",
        "context limit",
        "limit",
        "maximum",
        "max",
        "cannot exceed",
        "can't exceed",
        "<=",
        "allowed",
        "up to",
        "input length should be",
        "at most",
        "less than",
        "longer than",
        "greater than",
        "larger than",
        "exceeds",
        "exceed",
    ];
    let before = |index: usize| {
        let start = index.checked_sub(1).map_or(0, |index| numbers[index].end);
        let text = &words[start..numbers[index].start];
        let text = text.rsplit(['.', ';']).next().unwrap_or_default();
        &text[text.ceil_char_boundary(text.len().saturating_sub(60))..]
    };
    let all = || numbers.iter().enumerate();
    let found = all()
        .find(|(index, _)| before(*index).trim_end().ends_with('>'))
        .or_else(|| {
            all().find(|(_, number)| {
                let behind = words[number.end..].trim_start();
                behind.starts_with("maximum") || behind.starts_with("max ")
            })
        })
        .or_else(|| {
            all().find(|(index, _)| {
                let before = before(*index);
                // An excess is no limit.
                !before.trim_end().ends_with(" by") && contains(before, BEFORE)
            })
        })
        .map(|(_, number)| number.value);
    match numbers {
        [one, other] if found.is_none() => Some(one.value.min(other.value)),
        _ => found,
    }
}

#[derive(Debug)]
struct Number {
    start: usize,
    end: usize,
    value: u64,
}

/// The numbers that may be sizes: not those in names, nor small ones.
fn numbers(words: &str) -> Vec<Number> {
    const SMALLEST: u64 = 100;
    let mut numbers = Vec::new();
    let bytes = words.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let mut value = 0_u64;
        while let Some(byte) = bytes.get(at) {
            let is_group = matches!(byte, b',' | b'_')
                && bytes[at + 1..]
                    .iter()
                    .take(4)
                    .filter(|byte| byte.is_ascii_digit())
                    .count()
                    == 3
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            if byte.is_ascii_digit() {
                value = value
                    .saturating_mul(10)
                    .saturating_add(u64::from(byte - b'0'));
            } else if !is_group {
                break;
            }
            at += 1;
        }
        let is_in_name = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphabetic() || b"-_/".contains(byte))
        };
        let before = start.checked_sub(1).and_then(|before| bytes.get(before));
        if !is_in_name(before) && !is_in_name(bytes.get(at)) && value >= SMALLEST {
            numbers.push(Number {
                start,
                end: at,
                value,
            });
        }
        // The rest of a name.
        while is_in_name(bytes.get(at)) {
            at += 1;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::{Objection, Size};
    use crate::failure::EndpointError;

    fn of(status: u16, words: &str) -> Option<Objection> {
        let said = EndpointError::parse(words).unwrap_or_else(|| EndpointError::of(words));
        Objection::of(Some(status), &said)
    }

    #[test]
    fn messages_that_are_too_long() {
        for (words, limit, asked) in [
            (
                "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens (4000 in the \
                 messages, 1000 in the completion). Please reduce the length of the messages or completion.",
                Some(4097),
                Some(5000),
            ),
            (
                "prompt is too long: 208310 tokens > 200000 maximum",
                Some(200_000),
                Some(208_310),
            ),
            (
                "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
                Some(4096),
                Some(5000),
            ),
            (
                "the request exceeds the available context size. try increasing the context size or enable context shift",
                None,
                None,
            ),
            (
                r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":
                   "exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#,
                Some(4096),
                Some(5000),
            ),
            (
                "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that \
                 `max_model_len` is no smaller than the number of text tokens.",
                Some(4096),
                Some(5000),
            ),
            ("input length exceeds maximum context length", None, None),
            (
                "prompt too long; exceeded max context length by 120 tokens",
                None,
                None,
            ),
            (
                "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with \
                 context length of only 4096 tokens, which is not enough. Try to load the model with a larger context \
                 length, or provide a shorter input",
                Some(4096),
                Some(5000),
            ),
            (
                "The number of tokens to keep from the initial prompt is greater than the context length.",
                None,
                None,
            ),
            (
                "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
                Some(32_768),
                Some(40_000),
            ),
            (
                "Request too large for model `llama-3.1-8b-instant` in organization `org_01hx99` service tier \
                 `on_demand` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size \
                 and try again.",
                Some(6000),
                Some(7000),
            ),
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                Some(1_048_576),
                Some(1_200_000),
            ),
            (
                "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
                Some(131_072),
                Some(537_812),
            ),
            (
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` \
                 tokens and 512 `max_new_tokens`",
                Some(4097),
                Some(5000),
            ),
            (
                "The prompt is too long: 200002, model maximum context length: 131071",
                Some(131_071),
                Some(200_002),
            ),
            ("Input is too long for requested model.", None, None),
            (
                "Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)",
                Some(8192),
                Some(9000),
            ),
            (
                "Request body too large for gpt-4o model. Max size: 8000 tokens.",
                Some(8000),
                None,
            ),
            (
                "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
                Some(8192),
                Some(9000),
            ),
            (
                "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
                Some(4096),
                Some(5000),
            ),
            (
                "Requested tokens (5000) exceed context window of 4096",
                Some(4096),
                Some(5000),
            ),
            (
                "Range of input length should be [1, 30720]",
                Some(30_720),
                None,
            ),
            (
                "too many tokens: total number of tokens (prompt and prediction) cannot exceed 4081 - received 5000. \
                 Try using a shorter prompt",
                Some(4081),
                Some(5000),
            ),
            (
                "This endpoint's maximum context length is 1,048,576 tokens. However, you requested about 1,200,000",
                Some(1_048_576),
                Some(1_200_000),
            ),
            (
                "Invalid 'messages[1].content': string too long. Expected a string with maximum length 1048576, but \
                 got a string with length 2000000 instead.",
                Some(1_048_576),
                Some(2_000_000),
            ),
        ] {
            let size = Size { limit, asked };
            assert_eq!(of(400, words), Some(Objection::Context(size)), "{words}");
        }
        let code = r#"{"error":{"message":"No.","code":"context_length_exceeded"}}"#;
        assert_eq!(of(400, code), Some(Objection::Context(Size::default())));
        assert_eq!(of(413, ""), Some(Objection::Context(Size::default())));
        assert!(matches!(
            of(
                429,
                "Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 12000."
            ),
            Some(Objection::Context(_))
        ));
    }

    #[test]
    fn models_without_a_system_role() {
        for words in [
            "System role not supported",
            "Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...",
            "Developer instruction is not enabled for models/gemma-3-27b-it",
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \
             \"system\" as an input message role.",
            "Only user and assistant roles are supported!",
            "This model does not support system messages.",
            r#"{"detail":[{"loc":["body","messages",0,"role"],"msg":"Input should be 'user' or 'assistant'"}]}"#,
            "A conversation must start with a user message. Try again with a conversation that starts with a user \
             message.",
            "Invalid role: system",
            "the role of first message must be user",
        ] {
            assert_eq!(of(400, words), Some(Objection::SystemRole), "{words}");
        }
    }

    #[test]
    fn other_refusals() {
        let options = [
            "Unrecognized request argument supplied: stream_options",
            r#"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
        ];
        for words in options {
            assert_eq!(of(400, words), Some(Objection::StreamOptions), "{words}");
        }
        let streaming = "Your organization must be verified to stream this model.";
        assert_eq!(of(400, streaming), Some(Objection::Streaming));
        for (status, words) in [
            (400, "The fake model was asked for 400 Bad Request."),
            (400, "Invalid model."),
            (
                429,
                "Rate limit reached: 6000 input tokens per minute, used 5990.",
            ),
            (401, "System role not supported"),
            (500, "The system is overloaded, try again."),
            (400, "You exceeded your current quota."),
        ] {
            assert_eq!(of(status, words), None, "{words}");
        }
    }
}
