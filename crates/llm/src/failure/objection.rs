//! What of a request an endpoint does not take: the refusals after which it can be asked in another way.

mod size;
mod words;

use super::EndpointError;
pub use size::Size;
use words::{
    is_about_images, is_about_length, is_about_max_tokens, is_about_options, is_about_streaming,
    is_about_system, is_about_these_images,
};

/// Why a request was refused, where another one would not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// The model takes no message with the role `system`.
    SystemRole,
    /// The model takes no images.
    Images,
    /// The model takes images, but not these, or not as many.
    TheseImages,
    /// The messages are too long for the model.
    Context(Size),
    /// The field `stream_options` is unknown.
    StreamOptions,
    /// The field `max_tokens` has another name, `max_completion_tokens`.
    MaxTokens,
    /// The model may not be streamed.
    Streaming,
}

impl Objection {
    /// Reads it from an endpoint's error. `status`: `None` for an error in an answer with the status 200.
    pub(super) fn of(status: Option<u16>, said: &EndpointError) -> Option<Self> {
        let words = said.text.to_lowercase();
        // A gateway to many endpoints has none that takes images: 404.
        if !matches!(status, Some(401..=403 | 405 | 408 | 410 | 429)) {
            if is_about_images(&words) {
                return Some(Self::Images);
            }
            if status != Some(404) && is_about_these_images(&words) {
                return Some(Self::TheseImages);
            }
        }
        if let Some(401..=404 | 405 | 408 | 410) = status {
            return None;
        }
        if is_about_max_tokens(&words) {
            return Some(Self::MaxTokens);
        }
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
        if is_about_options(&words) {
            return Some(Self::StreamOptions);
        }
        let is_refusal = status.is_none_or(|status| status < 500);
        (is_refusal && is_about_streaming(&words)).then_some(Self::Streaming)
    }
}

#[cfg(test)]
mod tests;
