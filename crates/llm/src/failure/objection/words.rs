//! What the words of a refusal are about; all are in lower case.

/// Whether one of the parts is in the text.
pub(super) fn contains(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

/// Whether the messages are too long.
pub(super) fn is_about_length(status: Option<u16>, words: &str, code: &str) -> bool {
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
        "context overflow",
        "token limit exceeded",
        "过长",
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
    let says_no_more = words.trim_end_matches(['.', '!']) == "too long";
    status != Some(429)
        && (contains(words, WORDS) || says_no_more || is_too_much_text(status, words))
}

/// Whether something about the text is said to be more than it may be, in words that are not known.
fn is_too_much_text(status: Option<u16>, words: &str) -> bool {
    const TEXT: &[&str] = &[
        "token",
        "prompt",
        "input",
        "context",
        "message",
        "conversation",
        "输入",
        "内容",
        "上下文",
    ];
    const TOO_MUCH: &[&str] = &[
        "exceed",
        "too long",
        "too large",
        "too big",
        "overflow",
        "must be less than",
        "must have less than",
        "must be at most",
        "but limit is",
        "but the limit is",
        "longer than",
        "larger than the maximum",
        "超过",
        "超出",
    ];
    // What else may be too much.
    const OTHERS: &[&str] = &[
        "rate limit",
        "rate_limit",
        "took too long",
        "taking too long",
        "quota",
        "credit",
        "balance",
        "billing",
        "budget",
        "per minute",
        "per day",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "timeout",
        "timed out",
        "concurren",
    ];
    matches!(status, None | Some(400 | 422 | 500))
        && contains(words, TEXT)
        && contains(words, TOO_MUCH)
        && !contains(words, OTHERS)
}

/// Whether the role `system` is not taken.
pub(super) fn is_about_system(words: &str) -> bool {
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
    // ERNIE's, whose messages are counted from zero.
    let is_first = is_first || words.contains("role of message with even index");
    alternates || is_first || (names_role || names_others) && contains(words, NOT)
}

/// Whether the model may not be streamed.
pub(super) fn is_about_streaming(words: &str) -> bool {
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

/// Whether `stream_options` is unknown.
pub(super) fn is_about_options(words: &str) -> bool {
    contains(
        words,
        &["stream_options", "include_usage", "stream options"],
    )
}

/// Whether `max_tokens` is refused for its newer name.
pub(super) fn is_about_max_tokens(words: &str) -> bool {
    const NOT: &[&str] = &["not support", "n't support", "unsupported", "instead"];
    words.contains("max_completion_tokens") && words.contains("max_tokens") && contains(words, NOT)
}

/// What images are called.
const IMAGES: &[&str] = &[
    "image",
    "vision",
    "visual",
    "multimodal",
    "multi-modal",
    "picture",
    "图片",
    "图像",
    "多模态",
];

/// Whether the model takes no images at all.
pub(super) fn is_about_images(words: &str) -> bool {
    const NOT: &[&str] = &[
        "not support",
        "n't support",
        "unsupported",
        "not a multimodal",
        "not multimodal",
        "not a vision",
        "not have vision",
        "no vision",
        "only supported by",
        "only support text",
        "only supports text",
        "only text",
        "text-only",
        "text only",
        "no endpoints found",
        "unknown variant",
        "not accept",
        "n't accept",
        "not enabled",
        "not allowed",
        "not available",
        "not capable",
        "not permitted",
        "cannot process image",
        "can't process image",
        "cannot read image",
        "cannot handle image",
        "at most 0 image",
        "mmproj",
        "missing data required for image",
        "unexpected",
        "unrecognized",
        "不支持",
    ];
    // Those that take only a text where a list of parts is.
    const TEXT_ONLY: &[&str] = &[
        "valid string",
        "must be a string",
        "should be a string",
        "str type expected",
        "sequence, expected a string",
        "expected a string, got",
        "expected a string, but got",
        "expected string, received array",
        "not of type 'string'",
        "must be of type string",
    ];
    let is_content =
        words.contains("content") && contains(words, TEXT_ONLY) && !words.contains("length");
    is_content || contains(words, IMAGES) && contains(words, NOT) && !is_about_these_images(words)
}

/// Whether the model takes images, but not one of these, or fewer.
pub(super) fn is_about_these_images(words: &str) -> bool {
    const WRONG: &[&str] = &[
        "image format",
        "format of the image",
        "format of image",
        "image type",
        "media type",
        "mime",
        "invalid image",
        "image is invalid",
        "not a valid image",
        "could not process image",
        "unable to process image",
        "unable to process input image",
        "failed to process image",
        "decode",
        "corrupt",
        "download",
        "too many images",
        "number of images",
        "following formats",
        "supported formats",
        "image is too",
        "image too",
        "images are too",
        "image size",
        "image exceeds",
        "image dimensions",
        "pixels",
        "resolution",
    ];
    let at_most = words.split("at most ").skip(1).any(|rest| {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.starts_with(|c: char| ('1'..='9').contains(&c)) && number.starts_with(" image")
    });
    // What is too long may count them.
    let is_length = contains(words, &["context length", "context window", "token"]);
    contains(words, IMAGES) && (at_most || contains(words, WRONG)) && !is_length
}
