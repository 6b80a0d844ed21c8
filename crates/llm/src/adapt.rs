//! Models that are smaller or stricter than others: how to ask again after a refusal, and what is learnt from that.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureKind, Objection, Size};
use crate::{Role, Turn};

/// One question is asked so often at most.
const MAX_ATTEMPTS: u8 = 12;

/// So many images a question has at most.
const MAX_IMAGES: usize = 20;

/// What a model has taught: facts that hold for its next question, too. The caller stores them with the model, and forgets
/// them when its name or address changes.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    /// It takes no message with the role `system`: the instructions are at the head of the first message.
    #[serde(skip_serializing_if = "is_false")]
    pub no_system_role: bool,
    /// It does not know `stream_options`.
    #[serde(skip_serializing_if = "is_false")]
    pub no_stream_options: bool,
    /// It does not stream.
    #[serde(skip_serializing_if = "is_false")]
    pub no_streaming: bool,
    /// It knows the most tokens of a reply by their newer name, `max_completion_tokens`, only.
    #[serde(skip_serializing_if = "is_false")]
    pub max_completion_tokens: bool,
    /// So many characters were not too many for it, and more were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_chars: Option<usize>,
    /// Whether it takes images; `None`: that is not known. The model's owner may have set it, so it is stored by itself.
    #[serde(skip)]
    pub images: Option<bool>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Learnt {
    /// These messages as the model takes them.
    pub fn adapt<'a>(&self, messages: &'a [Turn]) -> Cow<'a, [Turn]> {
        match self.no_system_role {
            true => Cow::Owned(without_system_role(messages)),
            false => Cow::Borrowed(messages),
        }
    }
}

/// Instructions at the head of the first message.
fn without_system_role(messages: &[Turn]) -> Vec<Turn> {
    let is_system = |turn: &&Turn| turn.role == Role::System;
    let instructions = messages.iter().filter(is_system);
    let instructions: Vec<&str> = instructions.map(|turn| &*turn.content).collect();
    let instructions = instructions.join("\n\n");
    let others = messages.iter().filter(|turn| !is_system(turn));
    let mut turns: Vec<Turn> = others.cloned().collect();
    match turns.first_mut() {
        _ if instructions.is_empty() => {}
        Some(first) if first.role == Role::User => {
            first.content = format!("{instructions}\n\n{}", first.content);
        }
        _ => turns.insert(0, Turn::new(Role::User, instructions)),
    }
    turns
}

/// What is left out of a question that the model refuses without saying why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    Nothing,
    Images,
    Options,
    OptionsAndSystemRole,
}

/// How one question is asked: changed by each refusal, until the model takes it.
#[derive(Debug, Clone)]
pub struct Adaptation {
    learnt: Learnt,
    /// What was known before.
    known: Learnt,
    attempts: u8,
    /// What is left out to see whether that helps.
    tries: Trial,
    /// So many characters were too many.
    refused_chars: Option<usize>,
    /// So many images may be in this question.
    most_images: usize,
}

/// How many images are in messages.
fn num_images(messages: &[Turn]) -> usize {
    messages.iter().map(|turn| turn.images.len()).sum()
}

impl Adaptation {
    /// For a model of which this is known.
    pub fn new(known: Learnt) -> Self {
        Self {
            learnt: known.clone(),
            known,
            attempts: 1,
            tries: Trial::Nothing,
            refused_chars: None,
            most_images: MAX_IMAGES,
        }
    }

    /// How to ask now.
    pub fn way(&self) -> Learnt {
        Learnt {
            no_stream_options: self.learnt.no_stream_options
                || matches!(self.tries, Trial::Options | Trial::OptionsAndSystemRole),
            no_system_role: self.learnt.no_system_role || self.tries == Trial::OptionsAndSystemRole,
            images: match self.tries {
                Trial::Images => Some(false),
                _ => self.learnt.images,
            },
            ..self.learnt.clone()
        }
    }

    /// How many characters the messages may have, `most` being the limit of the settings.
    pub fn context_chars(&self, most: usize) -> usize {
        self.learnt
            .context_chars
            .map_or(most, |chars| chars.min(most))
    }

    /// How many images the messages may have.
    pub fn most_images(&self) -> usize {
        match self.way().images {
            Some(false) => 0,
            _ => self.most_images,
        }
    }

    /// The model has answered these messages.
    pub fn answered(&mut self, messages: &[Turn]) {
        if num_images(messages) > 0 {
            self.learnt.images = Some(true);
        }
    }

    /// Whether the model has refused messages for their length. Then history is left out before files.
    pub fn is_too_long(&self) -> bool {
        self.refused_chars.is_some()
    }

    /// The model refused these messages. Whether to ask again, in the way that this is now.
    pub fn refused(&mut self, failure: &Failure, messages: &[Turn]) -> bool {
        if self.attempts == MAX_ATTEMPTS {
            return false;
        }
        self.attempts += 1;
        let images = num_images(messages);
        let learnt = &mut self.learnt;
        match failure.objection {
            Some(Objection::Images) if images > 0 => {
                learnt.images = Some(false);
                return true;
            }
            Some(Objection::TheseImages) if images > 0 => {
                self.most_images = usize::from(images > 1);
                return true;
            }
            Some(Objection::Context(size)) => return self.shorten(size, messages),
            Some(Objection::SystemRole)
                if !learnt.no_system_role
                    && messages.iter().any(|turn| turn.role == Role::System) =>
            {
                learnt.no_system_role = true;
                return true;
            }
            Some(Objection::StreamOptions) if !learnt.no_stream_options => {
                learnt.no_stream_options = true;
                return true;
            }
            Some(Objection::MaxTokens) if !learnt.max_completion_tokens => {
                learnt.max_completion_tokens = true;
                return true;
            }
            Some(Objection::Streaming) if !learnt.no_streaming => {
                learnt.no_streaming = true;
                return true;
            }
            _ => {}
        }
        // Not every server says what it does not take.
        if !matches!(failure.kind, FailureKind::Refused { status: 400 | 422 }) {
            return false;
        }
        if images > 0 && self.tries == Trial::Nothing {
            self.tries = Trial::Images;
            return true;
        }
        let way = self.way();
        let has_system = messages.iter().any(|turn| turn.role == Role::System);
        if !way.no_stream_options && !way.no_streaming {
            self.tries = Trial::Options;
        } else if !way.no_system_role && has_system {
            self.tries = Trial::OptionsAndSystemRole;
        } else {
            return false;
        }
        true
    }

    /// What was learnt, if anything: for the caller to store, once the model has answered.
    pub fn lesson(&self) -> Option<Learnt> {
        let lesson = Learnt {
            // It has answered without; with, it did not. Whether the options mattered is not known.
            no_system_role: self.way().no_system_role,
            images: self.way().images,
            ..self.learnt.clone()
        };
        (lesson != self.known).then_some(lesson)
    }

    fn shorten(&mut self, size: Size, messages: &[Turn]) -> bool {
        let sent = messages.iter().map(Turn::chars).sum();
        // As short as they can be, and still too long.
        if self.refused_chars.is_some_and(|refused| refused <= sent) {
            let has_images = num_images(messages) > 0;
            if has_images {
                // It was these, which an endpoint may count as texts.
                self.most_images = 0;
                self.refused_chars = None;
                self.learnt.context_chars = self.known.context_chars;
            }
            return has_images;
        }
        self.refused_chars = Some(sent);
        let shorter = shorter(sent, size);
        self.learnt.context_chars = Some(self.context_chars(shorter));
        true
    }
}

/// How many characters to try after so many were too many.
fn shorter(sent: usize, size: Size) -> usize {
    // With room for the reply, which counts as well.
    let room = |chars: u128| usize::try_from(chars * 3 / 4).unwrap_or(usize::MAX);
    let half = sent / 2;
    match size {
        Size {
            limit: Some(limit),
            asked: Some(asked),
        } if asked > limit => room(sent as u128 * u128::from(limit) / u128::from(asked)),
        // Tokens have three or four characters in most languages.
        Size {
            limit: Some(limit), ..
        } => match room(u128::from(limit) * 3) {
            chars if chars < sent => chars,
            _ => half,
        },
        Size { limit: None, .. } => half,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{Adaptation, Learnt, shorter};
    use crate::failure::Size;
    use crate::{Failure, Image, Role, Turn};

    fn refusal(status: u16, words: &str) -> Failure {
        Failure::of_answer(status, &HeaderMap::new(), words.as_bytes(), "")
    }

    fn refusal_in(words: &str) -> Failure {
        refusal(400, words)
    }

    fn turns(chars: usize) -> Vec<Turn> {
        vec![
            Turn::new(Role::System, "Be brief."),
            Turn::new(Role::User, "x".repeat(chars)),
        ]
    }

    #[test]
    fn no_system_role() {
        let mut adaptation = Adaptation::new(Learnt::default());
        let refusal = refusal(
            400,
            r#"{"object":"error","message":"System role not supported","code":400}"#,
        );
        let turns = turns(3);
        assert!(adaptation.refused(&refusal, &turns));
        let way = adaptation.way();
        assert_eq!(
            *way.adapt(&turns),
            [Turn::new(Role::User, "Be brief.\n\nxxx")]
        );
        assert_eq!(adaptation.lesson(), Some(way.clone()));
        assert_eq!(
            serde_json::to_string(&way).unwrap(),
            r#"{"no_system_role":true}"#
        );
        // It was not that; and maybe the options are.
        assert!(adaptation.refused(&refusal, &turns));
        assert!(!adaptation.refused(&refusal, &turns));

        let known = Adaptation::new(way.clone());
        assert_eq!(known.lesson(), None);
        let assistant = [turns[0].clone(), Turn::new(Role::Assistant, "a")];
        let roles: Vec<Role> = way.adapt(&assistant).iter().map(|turn| turn.role).collect();
        assert_eq!(roles, [Role::User, Role::Assistant]);
    }

    #[test]
    fn messages_become_shorter_until_they_fit() {
        for (words, limit) in [
            ("context length exceeded", 1000),
            (
                "This model's maximum context length is 1000 tokens. However, you requested 5000 tokens.",
                20_000,
            ),
        ] {
            let mut adaptation = Adaptation::new(Learnt::default());
            let mut sent = 100_000;
            let mut questions = 1;
            while sent > limit {
                assert!(!adaptation.is_too_long() || questions > 1);
                assert!(
                    adaptation.refused(&refusal(400, words), &turns(sent)),
                    "{sent}"
                );
                let next = adaptation.context_chars(100_000);
                assert!(next < sent);
                sent = next;
                questions += 1;
            }
            assert!(questions < 10);
            let learnt = adaptation.lesson().and_then(|learnt| learnt.context_chars);
            assert_eq!(learnt, Some(sent));
        }
        let mut adaptation = Adaptation::new(Learnt::default());
        let refusal = refusal(400, "prompt is too long");
        assert!(adaptation.refused(&refusal, &turns(10)));
        assert!(
            !adaptation.refused(&refusal, &turns(10)),
            "it can't be shorter"
        );
    }

    #[test]
    fn how_much_shorter() {
        let size = |limit, asked| Size { limit, asked };
        assert_eq!(shorter(10_000, size(Some(1000), Some(2000))), 3750);
        assert_eq!(shorter(10_000, size(Some(1000), None)), 2250);
        assert_eq!(shorter(2000, size(Some(1000), None)), 1000);
        assert_eq!(shorter(10_000, size(None, None)), 5000);
    }

    #[test]
    fn options_are_left_out() {
        let mut named = Adaptation::new(Learnt::default());
        let refusal_of_options = refusal(
            400,
            "Unrecognized request argument supplied: stream_options",
        );
        assert!(named.refused(&refusal_of_options, &turns(1)));
        assert!(
            named
                .lesson()
                .is_some_and(|learnt| learnt.no_stream_options)
        );
        let mut guessed = Adaptation::new(Learnt::default());
        let refusal = refusal(422, "No.");
        assert!(guessed.refused(&refusal, &turns(1)));
        assert!(guessed.way().no_stream_options);
        assert_eq!(guessed.lesson(), None);
        // Nor the role.
        assert!(guessed.refused(&refusal, &turns(1)));
        assert!(guessed.way().no_system_role);
        assert!(guessed.lesson().is_some_and(|learnt| learnt.no_system_role));
        assert!(!guessed.refused(&refusal, &turns(1)));
        let mut newer = Adaptation::new(Learnt::default());
        let renamed = refusal_in(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        );
        assert!(newer.refused(&renamed, &turns(1)));
        assert!(
            newer
                .lesson()
                .is_some_and(|learnt| learnt.max_completion_tokens)
        );
        let mut streaming = Adaptation::new(Learnt::default());
        let verified = refusal_in("Your organization must be verified to stream this model.");
        assert!(streaming.refused(&verified, &turns(1)));
        assert!(streaming.way().no_streaming);
    }

    /// A question with so many images.
    fn with_images(count: usize) -> Vec<Turn> {
        let mut turns = turns(3);
        turns[1].images = (0..count)
            .map(|number| Image {
                name: format!("{number}.png"),
                url: "data:image/png;base64,".into(),
            })
            .collect();
        turns
    }

    #[test]
    fn images_are_left_out() {
        for (status, words) in [
            (400, "This model does not support image input."),
            (
                400,
                "Invalid content type. image_url is only supported by certain models.",
            ),
            (404, "No endpoints found that support image input"),
            (
                422,
                "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant `image_url`, expected `text` at line 1 column 90",
            ),
            (
                500,
                "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
            ),
            (400, "m is not a multimodal model"),
            (400, "At most 0 image(s) may be provided in one request."),
            (
                422,
                r#"{"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "Input should be a valid string"}]}"#,
            ),
            (500, "multimodal input not supported"),
        ] {
            let mut adaptation = Adaptation::new(Learnt::default());
            assert_eq!(adaptation.most_images(), 20);
            assert!(
                adaptation.refused(&refusal(status, words), &with_images(2)),
                "{words}"
            );
            assert_eq!(adaptation.most_images(), 0, "{words}");
            let lesson = adaptation.lesson().expect("it is learnt");
            assert_eq!(lesson.images, Some(false), "{words}");
            assert_eq!(serde_json::to_string(&lesson).unwrap(), "{}");
        }
        let mut told_nothing = Adaptation::new(Learnt::default());
        assert!(told_nothing.refused(&refusal_in("No."), &with_images(1)));
        assert_eq!(
            told_nothing.lesson().and_then(|lesson| lesson.images),
            Some(false)
        );
        // It was not that.
        assert!(told_nothing.refused(&refusal_in("No."), &turns(3)));
        assert_eq!(told_nothing.most_images(), 20);
        assert!(told_nothing.way().no_stream_options);
    }

    #[test]
    fn what_is_wrong_with_some_images_is_not_learnt() {
        for words in [
            "Could not process image",
            "At most 1 image(s) may be provided in one request.",
            "You uploaded an unsupported image. Please make sure your image has of one the following formats",
            "messages.1.content.0.image.source.base64: image exceeds 5 MB maximum",
        ] {
            let mut adaptation = Adaptation::new(Learnt::default());
            let refusal = refusal_in(words);
            assert!(adaptation.refused(&refusal, &with_images(3)), "{words}");
            assert_eq!(adaptation.most_images(), 1, "{words}");
            assert!(adaptation.refused(&refusal, &with_images(1)), "{words}");
            assert_eq!(adaptation.most_images(), 0, "{words}");
            assert_eq!(adaptation.lesson(), None, "{words}");
        }
        let mut counted = Adaptation::new(Learnt::default());
        let refusal =
            refusal_in("maximum context length is 1000 tokens, you requested 90000 tokens");
        assert!(counted.refused(&refusal, &with_images(1)));
        assert!(counted.refused(&refusal, &with_images(1)));
        assert_eq!((counted.most_images(), counted.lesson()), (0, None));
    }

    #[test]
    fn that_images_are_taken_is_learnt() {
        let mut adaptation = Adaptation::new(Learnt::default());
        adaptation.answered(&turns(3));
        assert_eq!(adaptation.lesson(), None);
        adaptation.answered(&with_images(1));
        assert_eq!(
            adaptation.lesson().and_then(|lesson| lesson.images),
            Some(true)
        );
    }

    #[test]
    fn other_failures_are_final() {
        let mut adaptation = Adaptation::new(Learnt::default());
        for (status, words) in [
            (401, "System role not supported"),
            (500, "No."),
            (429, "Later."),
            (404, ""),
        ] {
            assert!(
                !adaptation.refused(&refusal(status, words), &turns(1)),
                "{status}"
            );
        }
    }
}
