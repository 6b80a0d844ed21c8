//! The error of an endpoint, in any of the shapes that endpoints use.

use http::StatusCode;
use kafka_api::json::without_lone_surrogates;

use crate::json::{entries, fields, is_empty, is_json, members, value};

/// Bytes that are kept of its text, only the beginning of which users see.
const MAX_BYTES: usize = 16 * 1024;

/// How deep a text is looked for: `[{"error": {"message": {"detail": [{"msg": …}]}}}]` has six levels.
const MAX_DEPTH: usize = 8;

/// So many entries of a list are read.
const MAX_ENTRIES: usize = 5;

/// The words of an error, and what it names besides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct EndpointError {
    /// The message in it; empty if there is none.
    pub text: String,
    /// What it calls the error, for programs; empty if it doesn't.
    pub code: String,
    /// The status that an answer with this error should have had.
    pub status: Option<u16>,
    /// How many tokens the model reads, and how many the request had.
    pub limit: Option<u64>,
    pub asked: Option<u64>,
}

impl EndpointError {
    /// A text.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            text: text[..text.floor_char_boundary(MAX_BYTES)].to_owned(),
            ..Self::default()
        }
    }

    /// Reads a text that may be JSON; `None`: it is not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_json(text).then(|| Self::read(without_lone_surrogates(text).trim()))
    }

    /// Reads JSON.
    pub(crate) fn read(json: &str) -> Self {
        Self::within(json, MAX_DEPTH)
    }

    /// The error that an object of an answer reports. `is_reply`: it has a part of the reply as well, so that fields which
    /// are also used for other things are none.
    pub(crate) fn reported(json: &str, is_reply: bool) -> Option<Self> {
        let always = [
            "error",
            "errors",
            "error_message",
            "error_msg",
            "errorMessage",
            "error_type",
            "error_code",
            "err",
            "errMessage",
            "errMsg",
            "exception",
            "fault",
        ];
        if fields(json, always)?.iter().any(|field| !is_empty(field)) {
            return Some(Self::read(json));
        }
        let [base, object] = fields(json, ["base_resp", "object"])?;
        let base = fields(base, ["status_code"]).is_some_and(|[code]| !is_success(code));
        if base || value::<String>(object).is_some_and(|object| object == "error") {
            return Some(Self::read(json));
        }
        // Groq's, Tencent's and that of OpenAI's other interface: the error is in what is about the reply.
        for about in fields(json, ["x_groq", "Response", "response"])? {
            let errors = fields(about, ["error", "Error"]).unwrap_or(["null"; 2]);
            if let Some(error) = errors.iter().find(|error| !is_empty(error)) {
                return Some(Self::read(error));
            }
        }
        if is_reply {
            return None;
        }
        // Spark's and others': an object with the code and the words.
        for head in fields(json, ["header", "status"])? {
            let code =
                fields(head, ["code"]).is_some_and(|[code]| code != "null" && !is_success(code));
            if code {
                return Some(Self::read(head));
            }
        }
        let [detail] = fields(json, ["detail"])?;
        let says = [
            "message",
            "msg",
            "errmsg",
            "Message",
            "reason",
            "result",
            "statusText",
            "data",
        ];
        let says = fields(json, says)?;
        let is_refusal = !is_empty(detail)
            || says
                .iter()
                .any(|said| said.starts_with(['"', '{']) && !is_empty(said))
                && is_marked(json);
        is_refusal.then(|| Self::read(json))
    }

    fn within(json: &str, depth: usize) -> Self {
        if let Some(text) = value::<String>(json) {
            let text = text.trim();
            // Gateways put the answer of another endpoint into a text.
            let inner = text
                .starts_with(['{', '['])
                .then(|| depth.checked_sub(1))
                .flatten();
            let inner = inner
                .filter(|_| is_json(text))
                .map(|depth| Self::within(text, depth));
            return inner
                .filter(|inner| !inner.text.is_empty())
                .unwrap_or_else(|| Self::of(text));
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Self::default();
        };
        let mut list = Vec::new();
        let is_list = entries(json, |entry| {
            if list.len() < MAX_ENTRIES {
                list.push(entry);
            }
        });
        if is_list.is_some() {
            return Self::list(list.into_iter().map(|entry| Self::within(entry, depth)));
        }
        Self::object(json, depth)
    }

    fn list(list: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for said in list {
            if !said.text.is_empty() && !all.text.is_empty() {
                all.text.push_str("; ");
            }
            all.text.push_str(&said.text);
            all.merge(said);
        }
        all.text.truncate(all.text.floor_char_boundary(MAX_BYTES));
        all
    }

    fn object(json: &str, depth: usize) -> Self {
        let Some(words) = fields(json, WORDS) else {
            return Self::default();
        };
        let mut said = Self::default();
        for field in words {
            let found = Self::within(field, depth);
            // Some have only a title in the first field: `Bad Request`, `invalid_request_error`.
            if said.text.is_empty() || is_title(&said.text) && !is_title(&found.text) {
                let title = std::mem::replace(&mut said.text, found.text.clone());
                said.add_code_text(&title);
            }
            said.merge(found);
        }
        if said.text.is_empty() {
            let inner = fields(json, INNER).into_iter().flatten();
            let inner = inner.filter(|inner| inner.starts_with('{'));
            let inner = inner.map(|inner| Self::within(inner, depth));
            said.fill(inner.filter(|inner| !inner.text.is_empty()));
        }
        if said.text.is_empty() {
            // Rails': the fields that are wrong, each with what is wrong.
            let [errors] = fields(json, ["errors"]).unwrap_or(["null"]);
            let mut wrong = Vec::new();
            members(errors, |name, error| {
                let error = Self::within(error, depth).text;
                if wrong.len() < MAX_ENTRIES && !error.is_empty() {
                    wrong.push(format!("{name}: {error}"));
                }
            });
            said.text = wrong.join("; ");
        }
        let [place, metadata] = fields(json, ["loc", "metadata"]).unwrap_or(["null"; 2]);
        said.add_place(place);
        said.add_origin(metadata, depth);
        let codes = [
            "code",
            "status",
            "status_code",
            "statusCode",
            "error_code",
            "type",
            "error_type",
            "Code",
            "__type",
        ];
        for code in fields(json, codes).unwrap_or(["null"; 9]) {
            said.add_code(code);
        }
        let sizes = ["n_ctx", "n_prompt_tokens"];
        let [limit, asked] = fields(json, sizes).unwrap_or(["null"; 2]);
        said.limit = said.limit.or(value(limit));
        said.asked = said.asked.or(value(asked));
        said
    }

    /// Takes the words of the first, and what it knows.
    fn fill(&mut self, mut others: impl Iterator<Item = Self>) {
        if let Some(first) = others.next() {
            self.text.clone_from(&first.text);
            self.merge(first);
        }
    }

    /// Takes what only `other` knows, but its words.
    fn merge(&mut self, other: Self) {
        self.status = self.status.or(other.status);
        self.limit = self.limit.or(other.limit);
        self.asked = self.asked.or(other.asked);
        if !other.code.is_empty() {
            self.add_code_text(&other.code);
        }
    }

    /// FastAPI's: which field it is about.
    fn add_place(&mut self, place: &str) {
        let mut parts = Vec::new();
        entries(place, |part| {
            let text = value::<String>(part);
            parts.extend(text.or_else(|| value::<u64>(part).map(|number| number.to_string())));
        });
        if !parts.is_empty() && !self.text.is_empty() {
            self.text = format!("{}: {}", parts.join("."), self.text);
        }
    }

    /// OpenRouter's: the error of the endpoint behind it.
    fn add_origin(&mut self, metadata: &str, depth: usize) {
        let Some([raw]) = fields(metadata, ["raw"]) else {
            return;
        };
        let raw = Self::within(raw, depth);
        if !raw.text.is_empty() && !self.text.contains(&raw.text) {
            self.text = match self.text.is_empty() {
                true => raw.text.clone(),
                false => format!("{}: {}", self.text, raw.text),
            };
        }
        self.merge(raw);
    }

    fn add_code(&mut self, code: &str) {
        let text = value::<String>(code);
        let number = value::<u64>(code).or_else(|| text.as_deref()?.trim().parse().ok());
        let status = number.and_then(|number| u16::try_from(number).ok());
        self.status = self
            .status
            .or(status.filter(|status| (400..600).contains(status)));
        if let Some(text) = text {
            self.add_code_text(&text);
        }
    }

    fn add_code_text(&mut self, text: &str) {
        const MOST: usize = 200;
        if self.code.len() + text.len() < MOST && !self.code.contains(text) {
            self.code.push_str(text);
            self.code.push(' ');
        }
    }
}

/// The fields that the words of an error are in, those that say most first.
const WORDS: [&str; 24] = [
    "error",
    "errors",
    "message",
    "detail",
    "details",
    "msg",
    "error_message",
    "error_msg",
    "errorMessage",
    "errMessage",
    "errMsg",
    "errmsg",
    "status_msg",
    "base_resp",
    "error_description",
    "description",
    "reason",
    "Message",
    "err",
    "exception",
    "faultstring",
    "statusText",
    "title",
    "result",
];

/// The fields with an object in which an error may be, if there are no words beside it.
const INNER: [&str; 9] = [
    "fault", "Error", "Response", "response", "data", "header", "status", "result", "x_groq",
];

/// Whether a text only names the kind of an error, as `invalid_request_error` and `Bad Request` do.
fn is_title(text: &str) -> bool {
    let is_phrase = |status| {
        let phrase = StatusCode::from_u16(status).ok()?.canonical_reason()?;
        Some(phrase.eq_ignore_ascii_case(text))
    };
    !text.contains(' ') || (400..600).any(|status| is_phrase(status) == Some(true))
}

/// Whether another field of an object with a message marks that as an error.
fn is_marked(json: &str) -> bool {
    let codes = [
        "code",
        "status_code",
        "statusCode",
        "errcode",
        "errCode",
        "Code",
        "__type",
    ];
    let has_code = fields(json, codes).is_some_and(|codes| {
        codes
            .iter()
            .any(|code| *code != "null" && !is_success(code))
    });
    let Some([status, kind, success, ok]) = fields(json, ["status", "type", "success", "ok"])
    else {
        return false;
    };
    let is_error = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["error", "fail", "exception"]
            .iter()
            .any(|word| text.contains(word))
    };
    let status_says = value::<u64>(status).is_some_and(|status| status >= 400)
        || value::<String>(status).is_some_and(|status| is_error(&status));
    has_code
        || status_says
        || value::<String>(kind).is_some_and(|kind| is_error(&kind))
        || success == "false"
        || ok == "false"
}

/// Whether a code stands for success.
fn is_success(code: &str) -> bool {
    if let Some(number) = value::<i64>(code) {
        return number == 0 || (200..300).contains(&number);
    }
    let text = value::<String>(code)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let text = text.trim();
    ["", "0", "200", "ok", "success", "succeeded"].contains(&text)
}
