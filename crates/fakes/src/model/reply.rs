//! The words of a reply: they follow from the request alone.

use super::behaviour::{Behaviour, Text, Thinks};
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

/// A line of `BadDiff` that no file has; a request that quotes it has had the diff before.
const NOWHERE: &str = "a line that is nowhere";

/// A whole reply.
pub struct Reply {
    /// The model's name.
    pub model: String,
    /// The text in the pieces in which it is streamed.
    pub words: Vec<String>,
    /// What comes before, in a field of its own.
    pub reasoning: String,
    /// Why it ended.
    pub finish_reason: &'static str,
    /// Whether the request asks for the usage at the end.
    pub wants_usage: bool,
    prompt_words: usize,
    clock: bool,
}

impl Reply {
    /// The reply to the request `body`.
    pub fn to(body: &Value, behaviour: &Behaviour) -> Self {
        let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let prompt = last_prompt(messages);
        let draft = draft(&prompt);
        let text = title(messages);
        let text = text.unwrap_or_else(|| compose(behaviour.text, &prompt, messages));
        let (reasoning, text) = match behaviour.thinks {
            None => (String::new(), text),
            Some(Thinks::Field) => (draft, text),
            Some(Thinks::Tags) => (String::new(), format!("<think>\n{draft}</think>\n\n{text}")),
            Some(Thinks::EndTag) => (String::new(), format!("{draft}</think>\n\n{text}")),
        };
        let mut words = split(&text);
        let mut finish_reason = behaviour.ending.unwrap_or("stop");
        let most = body["max_tokens"]
            .as_u64()
            .and_then(|most| usize::try_from(most).ok());
        if let Some(most) = most.filter(|most| *most < words.len()) {
            words.truncate(most);
            finish_reason = "length";
        }
        Self {
            clock: matches!(behaviour.text, Text::Clock(_)),
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            words,
            reasoning,
            finish_reason,
            wants_usage: body["stream_options"]["include_usage"] == true,
            prompt_words: messages
                .iter()
                .map(|message| split(&content(message)).len())
                .sum(),
        }
    }

    /// The text to send for `word` now.
    pub fn text_of<'a>(&self, word: &'a str) -> Cow<'a, str> {
        if !self.clock {
            return Cow::Borrowed(word);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Cow::Owned(format!("{} ", now.unwrap_or_default().as_micros()))
    }

    /// The reply as one object.
    pub fn whole(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.words.concat()});
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = self.reasoning.as_str().into();
        }
        json!({
            "id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
            "usage": self.usage(),
        })
    }

    /// One event of a stream.
    pub fn chunk(&self, delta: &Value, finish_reason: Option<&str>) -> Value {
        json!({
            "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        })
    }

    /// How much was read and written, in words.
    pub fn usage(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt_words,
            "completion_tokens": self.words.len(),
            "total_tokens": self.prompt_words + self.words.len(),
        })
    }
}

/// What `GET /v1/models` answers: some of the names.
pub fn models() -> Value {
    let names = [
        "fake",
        "fake-compose",
        "fake-diff",
        "fake-say",
        "fake-slow-first",
    ];
    let models: Vec<_> = names
        .iter()
        .map(|name| json!({"id": name, "object": "model", "created": 0, "owned_by": "kafka"}))
        .collect();
    json!({"object": "list", "data": models})
}

/// The title for a conversation, if one is asked for: the first words of its prompt.
pub fn title(messages: &[Value]) -> Option<String> {
    let text = messages
        .iter()
        .map(content)
        .collect::<Vec<_>>()
        .join("\n\n");
    let (_, asked) = text.split_once("You name conversations.")?;
    let (_, prompt) = asked.split_once("wrote:\n\n")?;
    let words: Vec<_> = first_line(prompt).split_whitespace().take(6).collect();
    Some(words.join(" ").trim_end_matches(['.', '?', '!']).to_owned())
}

fn compose(kind: Text, prompt: &str, messages: &[Value]) -> String {
    match kind {
        Text::Sense => format!(
            "You asked: {prompt}\n\nThis is the fake model of the Kafka backend. It understands nothing, but its reply \
             comes word by word, as that of a real model would. There are {} messages in this conversation so far. \
             Someone must have been telling lies about it.",
            messages.len()
        ),
        Text::Clock(count) => "now ".repeat(count),
        Text::Words(count) => {
            let words: Vec<_> = (1..=count).map(|number| format!("w{number}")).collect();
            words.join(" ")
        }
        Text::Prompt => prompt
            .rsplit_once("say:\n")
            .map_or(prompt, |(_, text)| text)
            .to_owned(),
        Text::Parts => parts(messages),
        Text::Demo => demo(prompt),
        Text::Unicode => {
            "Größe naïve Ελλάδα Привет 日本語 한국어 🦀 👩‍👩‍👧 e\u{301} \u{1d11e} end".to_owned()
        }
        Text::File => format!(
            "Here it is:\n\n{}\nThat is all.",
            file(&file_name(prompt), prompt)
        ),
        Text::TwoFiles => format!(
            "Two of them:\n\n{}\nand\n\n{}",
            file(&file_name(prompt), prompt),
            file("second.based", prompt)
        ),
        Text::FileWithFences => format!(
            "````based file={}\n# {}\n```sh\ncargo run\n```\nend\n````\n",
            file_name(prompt),
            first_line(prompt)
        ),
        Text::Diff => format!(
            "A small change:\n\n```diff file={}\n@@ -2,3 +2,3 @@\n line one\n-line two\n+line two, changed\n line three\n```\n",
            file_name(prompt)
        ),
        Text::BadDiff if asked_again(messages) => file(&file_name(&all_prompts(messages)), "whole"),
        Text::BadDiff | Text::WorseDiff => format!(
            "```diff file={}\n@@ -2,2 +2,2 @@\n {NOWHERE}\n-and another\n+and a third\n```\n",
            file_name(prompt)
        ),
        Text::Nothing => String::new(),
    }
}

/// The images of messages, oldest first: the type of each, and how many bytes it has.
fn parts(messages: &[Value]) -> String {
    let parts = messages
        .iter()
        .filter_map(|message| message["content"].as_array());
    let urls = parts
        .flatten()
        .filter_map(|part| part["image_url"]["url"].as_str());
    let lines: Vec<String> = urls
        .map(|url| {
            match url
                .strip_prefix("data:")
                .and_then(|url| url.split_once(";base64,"))
            {
                Some((media_type, data)) => {
                    let padding = data.len() - data.trim_end_matches('=').len();
                    format!("{media_type} of {} bytes", data.len() / 4 * 3 - padding)
                }
                None => url.to_owned(),
            }
        })
        .collect();
    match lines.is_empty() {
        true => "no images".to_owned(),
        false => lines.join("\n"),
    }
}

/// Whether a message has an image.
pub fn has_image(message: &Value) -> bool {
    let parts = message["content"].as_array();
    parts.is_some_and(|parts| parts.iter().any(|part| part["type"] == "image_url"))
}

/// Markdown of each kind, for a person who has no model yet.
fn demo(prompt: &str) -> String {
    let quoted: String = prompt.lines().map(|line| format!("> {line}\n")).collect();
    format!(
        "You wrote:\n\n{quoted}\nThis is the **demo model**. It understands nothing, and answers every prompt with this \
         text, word by word, as a real model would.\n\nMeanwhile you can\n\n- stop it, or ask for another reply,\n- edit your \
         prompt, and go back to the first one with the arrows,\n- drop a file into the conversation.\n\nCode looks like \
         this:\n\n```rust\n// Someone must have been telling lies about it.\nfn main() {{\n    let name = \"Josef K.\";\n    \
         println!(\"{{name}} was arrested one fine morning.\");\n}}\n```\n\nWhen you have seen enough, add a real model \
         under **Models**: any endpoint that is compatible with OpenAI's API will do.\n"
    )
}

/// What a model may think before it writes the file of this prompt: another file of the same name.
fn draft(prompt: &str) -> String {
    format!(
        "First a draft.\n```based file={}\nonly a draft\n```\n",
        file_name(prompt)
    )
}

/// Four lines, of which the first comes from the prompt.
fn file(name: &str, prompt: &str) -> String {
    format!(
        "```based file={name}\n# {}\nline one\nline two\nline three\n```\n",
        first_line(prompt)
    )
}

fn asked_again(messages: &[Value]) -> bool {
    let last = messages.last().map(content).unwrap_or_default();
    last.contains("whole file")
        || messages
            .iter()
            .any(|message| content(message).contains(NOWHERE))
}

/// The first word of the prompt that looks like a file's name.
fn file_name(prompt: &str) -> String {
    prompt
        .split(|character: char| character.is_whitespace() || "\"'`,;:()".contains(character))
        .map(|word| word.trim_end_matches(['.', '!', '?']))
        .find(|word| word.contains('.'))
        .unwrap_or("agent.based")
        .to_owned()
}

fn first_line(prompt: &str) -> &str {
    prompt.lines().next().unwrap_or_default()
}

/// The last prompt, without the notes in brackets that a backend may put before it.
fn last_prompt(messages: &[Value]) -> String {
    let prompt = messages
        .iter()
        .rev()
        .find(|message| message["role"] == "user");
    let text = prompt.map(content).unwrap_or_default();
    let paragraphs: Vec<_> = text
        .split("\n\n")
        .skip_while(|paragraph| paragraph.starts_with('[') && paragraph.ends_with(']'))
        .collect();
    paragraphs.join("\n\n")
}

fn all_prompts(messages: &[Value]) -> String {
    let prompts: Vec<_> = messages
        .iter()
        .filter(|message| message["role"] == "user")
        .map(content)
        .collect();
    prompts.join("\n")
}

/// A message's text: a string, or the texts of a list of parts.
pub fn content(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

/// The words with the white space behind each.
fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        match words.last_mut() {
            Some(last) if piece.trim().is_empty() => last.push_str(piece),
            _ => words.push(piece.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Reply, split};
    use crate::model::behaviour::Behaviour;
    use serde_json::json;

    fn reply(model: &str, prompt: &str) -> String {
        let behaviour = Behaviour::of(model).expect("a fake model");
        let body = json!({"model": model, "messages": [{"role": "user", "content": prompt}]});
        Reply::to(&body, &behaviour).words.concat()
    }

    #[test]
    fn nothing_is_lost_between_words() {
        let text = "\n a  b\n\nc d ";
        assert_eq!(split(text).concat(), text);
        assert_eq!(split("a b"), ["a ", "b"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn a_reply_follows_from_the_request() {
        assert!(reply("fake", "what is a trial?").contains("what is a trial?"));
        assert!(reply("demo", "a\nb").starts_with("You wrote:\n\n> a\n> b\n"));
        assert_eq!(reply("fake-words-3", "x"), "w1 w2 w3");
        assert_eq!(reply("fake-say", "please\nsay:\n a\nb"), " a\nb");
        assert!(
            reply("fake-compose", "make plan.md please")
                .contains("```based file=plan.md\n# make plan.md please\n")
        );
        assert!(reply("fake-diff", "x").contains("```diff file=agent.based\n"));
        assert_eq!(reply("fake-empty", "x"), "");
        let asked =
            "You name conversations. …\n\nThe person wrote:\n\nWho accuses Josef K.?\nAnd why?";
        assert_eq!(reply("fake-words-3", asked), "Who accuses Josef K");
    }
}
