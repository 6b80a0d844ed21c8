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
            "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
            Some(4096),
            Some(5000),
        ),
        (
            "the length of messages content must be less than 2000 characters",
            Some(2000),
            None,
        ),
        (
            "prompt is 5000 tokens long but limit is 4096",
            Some(4096),
            Some(5000),
        ),
        ("Token limit exceeded", None, None),
        ("context overflow", None, None),
        ("输入内容过长", None, None),
        ("Too long", None, None),
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
    let renamed = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    assert_eq!(of(400, renamed), Some(Objection::MaxTokens));
    let too_many = "max_completion_tokens is too large: 99999. This model supports at most 16384 completion tokens.";
    assert_eq!(of(400, too_many), None);
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
