//! What a model's name asks for: `fake`, then any of the table's words, joined with `-`.

use http::StatusCode;
use std::time::Duration;

/// The table of the command's help.
pub const TABLE: &str = "\
The model's name sets its behaviour: fake, followed by any of these, as in fake-words-200-rate-50.
`demo` is the model that the page offers to newcomers. Any other name is a model that does not exist (404).

  The text of the reply (by default the prompt and a few sentences):
    words-N             w1 w2 … wN
    clock-N             N words, each the time it was sent at, in microseconds since 1970
    say                 the text after the last `say:` line of the prompt, or else the prompt
    parts               what messages of people have beside their texts, one in a line: `image/png` of so many bytes
    unicode             letters, accents, ideographs and emoji
    compose             a file, as a fenced block with file=<name>: the first word of the prompt with a dot in it
    compose-two         two files
    compose-fences      a file whose text has fences
    diff                a diff that applies to compose's file
    bad-diff            a diff that does not apply; the whole file when it is asked again
    worse-diff          a diff that does not apply, always
    empty               no text
    length              ends with finish_reason length
    filter              ends with finish_reason content_filter
    tool-call           no text, but the call of a tool
    finish-error        ends with finish_reason error
    finish-tool         ends with finish_reason tool_calls, after the text
    always-stop         finish_reason stop in every piece, and no [DONE]
  Before the text:
    think               a draft of compose's file, between <think> and </think>
    think-bare          the same without <think>
    reasoning           the same as reasoning_content
    only-reasoning      the same, and no text
  Speed:
    rate-N              N words a second; 0 means without a pause
    first-MS            the first word after MS milliseconds
    slow-first          the first word after 3 s
  Failures instead of a reply:
    400 401 403 404 429 500 502 503 …   that status; 429 with Retry-After: 7
    400-stream-options  400 if the request has stream_options, else a reply
    no-system           400 if the request has a system message, else a reply
    no-images           400 if a message has an image, else a reply
    no-images-mute      the same without naming the images
    no-temperature      400 if the request has a temperature, else a reply
    no-title            500 if the request asks for the title of a conversation, else a reply
    context-N           400 if the messages have more than N characters, else a reply; it names the numbers of tokens
    context-N-mute      the same without numbers
    error-in-200        an error with the status 200
    choice-error        the error is in the choice of an event
    only-done           nothing but [DONE]
    echo-key            401, with the key in the message
    html, html-502      an HTML page
    redirect            307
    redirect-PORT       307 to that port of this machine
    hang                no answer at all
    silent              the head of an answer, but no word
    no-stream           one JSON object instead of a stream
  Failures within a reply:
    stall-N             no word after the Nth
    cut, cut-N          the connection breaks after the Nth word (3)
    error-N             an error event after the Nth word
    no-done             no [DONE]
    no-end              neither finish_reason nor [DONE]
    garbage             an event that is not JSON after the third word
    10mb-line           a line of 10 MB after the third word
    split-utf8          every byte in a write of its own
    crlf                lines end with CRLF, with comments between them
    html-type           the stream is labelled text/html
    gzip, deflate       the stream is compressed
    zstd                the stream is labelled as compressed with zstd

GET /seen answers the number of requests, and for each of the last 100 its model, its body, its query, its headers
(without the key), the number of words sent, and `closed_after_ms` if the client closed the connection before the reply
had ended. The key is taken as Authorization: Bearer, and as api-key.";

/// How to behave.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// What kind of answer.
    pub answer: Answer,
    /// The text of the reply.
    pub text: Text,
    /// Words a second, if the name contains it.
    pub rate: Option<u32>,
    /// How long the first word takes.
    pub first: Duration,
    /// Where the trouble begins.
    pub after: usize,
    /// The last event's reason, if it is not `stop`.
    pub ending: Option<&'static str>,
    /// Every event has the reason `stop`, and there is no `[DONE]`.
    pub always_stop: bool,
    /// What comes before the text.
    pub thinks: Option<Thinks>,
    /// Requests with a system message are refused.
    pub no_system: bool,
    /// Requests with images are refused.
    pub no_images: bool,
    /// Requests with a temperature are refused.
    pub no_temperature: bool,
    /// Requests for titles fail.
    pub no_title: bool,
    /// Requests with more characters are refused.
    pub context: Option<usize>,
    /// Such a refusal names no numbers, and that of images no images.
    pub mute: bool,
    /// The coding in the answer's head.
    pub coding: Option<Coding>,
    /// The stream is labelled `text/html`.
    pub html_type: bool,
}

/// How a model shows what it thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinks {
    Tags,
    EndTag,
    Field,
}

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Deflate,
    /// Only its name.
    Zstd,
}

/// What kind of answer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    #[default]
    Reply,
    Status(StatusCode),
    NoStreamOptions,
    ErrorIn200,
    ChoiceError,
    OnlyDone,
    ToolCall,
    EchoKey,
    Html(StatusCode),
    /// To this port; 0: to another path of the same server.
    Redirect(u16),
    Hang,
    Silent,
    NoStream,
    Stall,
    Cut,
    Error,
    NoDone,
    NoEnd,
    Garbage,
    LongLine,
    SplitUtf8,
    Crlf,
}

/// The text of a reply.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    #[default]
    Sense,
    Words(usize),
    Clock(usize),
    Prompt,
    Parts,
    /// For people who try the page.
    Demo,
    Unicode,
    File,
    TwoFiles,
    FileWithFences,
    Diff,
    BadDiff,
    WorseDiff,
    Nothing,
}

/// Words of a reply.
const MAX_WORDS: usize = 1_000_000;

/// What a word of a model's name changes.
type Change = fn(&mut Behaviour);

impl Behaviour {
    /// What `name` asks for; `None` for a model that does not exist.
    pub fn of(name: &str) -> Option<Self> {
        let mut behaviour = Self {
            after: 3,
            ..Self::default()
        };
        if name == "demo" {
            behaviour.text = Text::Demo;
            return Some(behaviour);
        }
        let mut rest = name.strip_prefix("fake")?;
        while !rest.is_empty() {
            rest = behaviour.take(rest.strip_prefix('-')?)?;
        }
        Some(behaviour)
    }

    /// Takes the first of the words in `text`; what is left.
    fn take<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        // Longer ones before those they begin with.
        let plain: &[(&str, Change)] = &[
            ("400-stream-options", |it| {
                it.answer = Answer::NoStreamOptions
            }),
            ("html-502", |it| {
                it.answer = Answer::Html(StatusCode::BAD_GATEWAY)
            }),
            ("html-type", |it| it.html_type = true),
            ("html", |it| it.answer = Answer::Html(StatusCode::OK)),
            ("echo-key", |it| it.answer = Answer::EchoKey),
            ("hang", |it| it.answer = Answer::Hang),
            ("silent", |it| it.answer = Answer::Silent),
            ("no-stream", |it| it.answer = Answer::NoStream),
            ("no-done", |it| it.answer = Answer::NoDone),
            ("no-end", |it| it.answer = Answer::NoEnd),
            ("garbage", |it| it.answer = Answer::Garbage),
            ("10mb-line", |it| it.answer = Answer::LongLine),
            ("split-utf8", |it| {
                it.answer = Answer::SplitUtf8;
                it.text = Text::Unicode;
            }),
            ("crlf", |it| it.answer = Answer::Crlf),
            ("parts", |it| it.text = Text::Parts),
            ("say", |it| it.text = Text::Prompt),
            ("unicode", |it| it.text = Text::Unicode),
            ("compose-two", |it| it.text = Text::TwoFiles),
            ("compose-fences", |it| it.text = Text::FileWithFences),
            ("compose", |it| it.text = Text::File),
            ("diff", |it| it.text = Text::Diff),
            ("bad-diff", |it| it.text = Text::BadDiff),
            ("worse-diff", |it| it.text = Text::WorseDiff),
            ("empty", |it| it.text = Text::Nothing),
            ("length", |it| it.ending = Some("length")),
            ("filter", |it| it.ending = Some("content_filter")),
            ("finish-error", |it| it.ending = Some("error")),
            ("finish-tool", |it| it.ending = Some("tool_calls")),
            ("tool-call", |it| it.answer = Answer::ToolCall),
            ("always-stop", |it| it.always_stop = true),
            ("think-bare", |it| it.thinks = Some(Thinks::EndTag)),
            ("think", |it| it.thinks = Some(Thinks::Tags)),
            ("reasoning", |it| it.thinks = Some(Thinks::Field)),
            ("only-reasoning", |it| {
                it.thinks = Some(Thinks::Field);
                it.text = Text::Nothing;
            }),
            ("no-system", |it| it.no_system = true),
            ("no-images", |it| it.no_images = true),
            ("no-title", |it| it.no_title = true),
            ("no-temperature", |it| it.no_temperature = true),
            ("mute", |it| it.mute = true),
            ("error-in-200", |it| it.answer = Answer::ErrorIn200),
            ("choice-error", |it| it.answer = Answer::ChoiceError),
            ("only-done", |it| it.answer = Answer::OnlyDone),
            ("gzip", |it| it.coding = Some(Coding::Gzip)),
            ("deflate", |it| it.coding = Some(Coding::Deflate)),
            ("zstd", |it| it.coding = Some(Coding::Zstd)),
            ("slow-first", |it| it.first = Duration::from_secs(3)),
        ];
        for (word, apply) in plain {
            if let Some(rest) = text.strip_prefix(word).filter(|rest| ends_word(rest)) {
                apply(self);
                return Some(rest);
            }
        }
        let (word, rest) = text.split_at(text.find('-').unwrap_or(text.len()));
        if let Some(status) = status(word) {
            self.answer = Answer::Status(status);
            return Some(rest);
        }
        let number = rest
            .strip_prefix('-')
            .map(|rest| rest.split_at(rest.find('-').unwrap_or(rest.len())))
            .and_then(|(digits, rest)| Some((digits.parse::<u32>().ok()?, rest)));
        let (number, rest) = match (word, number) {
            ("cut", None) => (3, rest),
            ("redirect", None) => (0, rest),
            (_, number) => number?,
        };
        let count = usize::try_from(number).ok()?;
        if matches!(word, "words" | "clock") && count > MAX_WORDS {
            return None;
        }
        match word {
            "words" => self.text = Text::Words(count),
            "clock" => self.text = Text::Clock(count),
            "context" => self.context = Some(count),
            "rate" => self.rate = Some(number),
            "first" => self.first = Duration::from_millis(number.into()),
            "stall" => (self.answer, self.after) = (Answer::Stall, count),
            "cut" => (self.answer, self.after) = (Answer::Cut, count),
            "error" => (self.answer, self.after) = (Answer::Error, count),
            "redirect" => self.answer = Answer::Redirect(u16::try_from(number).ok()?),
            _ => return None,
        }
        Some(rest)
    }
}

fn ends_word(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('-')
}

fn status(word: &str) -> Option<StatusCode> {
    let number = word.parse::<u16>().ok()?;
    StatusCode::from_u16(number)
        .ok()
        .filter(|status| status.as_u16() >= 400)
}

#[cfg(test)]
mod tests {
    use super::{Answer, Behaviour, Text, Thinks};
    use http::StatusCode;
    use std::time::Duration;

    #[test]
    fn a_name_is_read_word_by_word() {
        let behaviour = Behaviour::of("fake-words-200-rate-50-first-30").expect("a fake model");
        assert_eq!(behaviour.text, Text::Words(200));
        assert_eq!(behaviour.rate, Some(50));
        assert_eq!(behaviour.first, Duration::from_millis(30));
        assert_eq!(behaviour.answer, Answer::Reply);
        let behaviour = Behaviour::of("fake-bad-diff").expect("a fake model");
        assert_eq!(behaviour.text, Text::BadDiff);
        let behaviour = Behaviour::of("fake-cut").expect("a fake model");
        assert_eq!((behaviour.answer, behaviour.after), (Answer::Cut, 3));
        let behaviour = Behaviour::of("fake-cut-0-words-9").expect("a fake model");
        assert_eq!((behaviour.answer, behaviour.after), (Answer::Cut, 0));
        assert_eq!(behaviour.text, Text::Words(9));
        let behaviour =
            Behaviour::of("fake-context-900-mute-no-system-think-compose").expect("a fake model");
        assert_eq!((behaviour.context, behaviour.mute), (Some(900), true));
        assert!(behaviour.no_system);
        assert_eq!(
            (behaviour.thinks, behaviour.text),
            (Some(Thinks::Tags), Text::File)
        );
        for (name, answer) in [
            ("fake", Answer::Reply),
            ("demo", Answer::Reply),
            ("fake-error-in-200", Answer::ErrorIn200),
            ("fake-429", Answer::Status(StatusCode::TOO_MANY_REQUESTS)),
            ("fake-400", Answer::Status(StatusCode::BAD_REQUEST)),
            ("fake-400-stream-options", Answer::NoStreamOptions),
            ("fake-html-502", Answer::Html(StatusCode::BAD_GATEWAY)),
            ("fake-redirect", Answer::Redirect(0)),
            ("fake-redirect-8001", Answer::Redirect(8001)),
        ] {
            assert_eq!(
                Behaviour::of(name).map(|it| it.answer),
                Some(answer),
                "{name}"
            );
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "",
            "gpt-4",
            "faker",
            "fake-",
            "fake-nothing",
            "fake-words",
            "fake-words-x",
            "fake-redirect-65536",
        ] {
            assert_eq!(Behaviour::of(name), None, "{name}");
        }
    }
}
