//! How many tokens an endpoint says that a reply took. The field is called the same everywhere; what is in it is not.

use kafka_api::usage::Tokens;
use serde_json::Value;

/// What an endpoint has counted. `None`: it has counted nothing that is known.
pub fn read(usage: &Value) -> Option<Tokens> {
    let first = |pointers: &[&str]| {
        let mut counts = pointers.iter().filter_map(|it| usage.pointer(it)?.as_u64());
        counts
            .next()
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    };
    let input = first(&["/prompt_tokens", "/input_tokens", "/prompt_eval_count"]);
    let output = first(&["/completion_tokens", "/output_tokens", "/eval_count"]);
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Tokens {
        input: input.unwrap_or(0),
        output: output.unwrap_or(0),
        cached: first(&[
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/prompt_cache_hit_tokens",
            "/cache_read_input_tokens",
            "/cached_tokens",
        ])
        .unwrap_or(0),
        reasoning: first(&[
            "/completion_tokens_details/reasoning_tokens",
            "/output_tokens_details/reasoning_tokens",
            "/reasoning_tokens",
        ])
        .unwrap_or(0),
        is_estimated: false,
    })
    // Some endpoints send the field with nothing counted.
    .filter(|tokens| tokens.input > 0 || tokens.output > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    #[test]
    fn what_endpoints_call_it() {
        let counts =
            |usage: &Value| read(usage).map(|it| (it.input, it.output, it.cached, it.reasoning));
        for (usage, expected) in [
            (
                json!({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17,
                    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 3}}),
                Some((12, 5, 8, 3)),
            ),
            (
                json!({"prompt_tokens": 12, "completion_tokens": 5, "prompt_cache_hit_tokens": 4}),
                Some((12, 5, 4, 0)),
            ),
            (
                json!({"input_tokens": 7, "output_tokens": 2, "cache_read_input_tokens": 1}),
                Some((7, 2, 1, 0)),
            ),
            (
                json!({"prompt_tokens": 7, "prompt_tokens_details": null}),
                Some((7, 0, 0, 0)),
            ),
            (json!({"prompt_tokens": 0, "completion_tokens": 0}), None),
            (json!({"prompt_tokens": "7"}), None),
            (json!(u64::MAX), None),
            (
                json!({"output_tokens": u64::MAX}),
                Some((0, u32::MAX, 0, 0)),
            ),
            (json!(null), None),
        ] {
            assert_eq!(counts(&usage), expected, "{usage}");
        }
    }
}
