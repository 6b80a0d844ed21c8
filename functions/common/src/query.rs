//! Parameters of a request's query, with FastAPI's errors for them (docs/http-compatibility.md#validation-errors).
//!
//! ```ignore
//! let mut query = Query::of(&request);
//! let user_id = query.optional_id("user_id");
//! let page = query.page();
//! query.check()?;
//! ```

use std::num::IntErrorKind;

use axum::extract::Request;
use axum::http::Uri;
use serde_json::{Value, json};

use crate::access::{Access, Caller};
use crate::error::{Error, FieldError, Result};
use crate::form::{parse_boolean, query_value};
use crate::owner::MAX_ID_CHARS;
use crate::page::{Cursor, DEFAULT_LIMIT, MAX_LIMIT, Page};

/// How many characters of a wrong value its sender is shown.
const MAX_SHOWN_CHARS: usize = 255;

/// The parameters of a query, taken out one by one. A wrong one is taken for one that was not sent until
/// [`Self::check`] tells of all that are wrong, in the order in which they were asked for.
#[derive(Debug)]
pub struct Query {
    uri: Uri,
    errors: Vec<FieldError>,
}

impl Query {
    /// The query of `request`.
    pub fn of(request: &Request) -> Self {
        Self {
            uri: request.uri().clone(),
            errors: Vec::new(),
        }
    }

    /// The caller of a request whose query may name them as `user_id`, and has nothing else.
    pub fn caller(request: &Request, access: &Access) -> Result<Caller> {
        let mut query = Self::of(request);
        let user = query.optional_id("user_id");
        query.check()?;
        access.caller(user.as_deref())
    }

    /// The id `name`, if it was sent. One of more than 255 characters is wrong.
    pub fn optional_id(&mut self, name: &str) -> Option<String> {
        let id = query_value(&self.uri, name)?;
        if id.len() > MAX_ID_CHARS && id.chars().count() > MAX_ID_CHARS {
            let error = FieldError::too_long(name, MAX_ID_CHARS, shown(&id));
            self.errors.push(error.in_query());
            return None;
        }
        Some(id)
    }

    /// The text `name` of at most so many characters, which must be sent.
    pub fn text(&mut self, name: &str, max_chars: usize) -> String {
        let text = query_value(&self.uri, name);
        let error = match &text {
            None => FieldError::missing(name, Value::Null),
            Some(text) if text.len() > max_chars && text.chars().count() > max_chars => {
                FieldError::too_long(name, max_chars, shown(text))
            }
            Some(_) => return text.unwrap_or_default(),
        };
        self.errors.push(error.in_query());
        String::new()
    }

    /// The text `name` of at most so many characters, if it was sent.
    pub fn optional_text(&mut self, name: &str, max_chars: usize) -> Option<String> {
        query_value(&self.uri, name)?;
        Some(self.text(name, max_chars))
    }

    /// The words of the list `name`, which are separated by commas, if it was sent and is not empty. Another word than
    /// those of `known` is wrong.
    pub fn optional_words(&mut self, name: &str, known: &[&'static str]) -> Vec<&'static str> {
        let list = query_value(&self.uri, name).filter(|list| !list.is_empty());
        let Some(list) = list else {
            return Vec::new();
        };
        let word = |word| known.iter().copied().find(|known| *known == word);
        let words: Option<Vec<_>> = list.split(',').map(word).collect();
        words.unwrap_or_else(|| {
            let expected = known.join(", ");
            let msg = format!("Value error, these are words with commas between them: {expected}");
            let error = FieldError::new("value_error", name, msg, shown(&list));
            let error = error.with_ctx(json!({ "error": {} }));
            self.errors.push(error.in_query());
            Vec::new()
        })
    }

    /// The id `name`, which must be sent.
    pub fn id(&mut self, name: &str) -> String {
        let errors = self.errors.len();
        let id = self.optional_id(name);
        if id.is_none() && self.errors.len() == errors {
            let error = FieldError::missing(name, Value::Null);
            self.errors.push(error.in_query());
        }
        id.unwrap_or_default()
    }

    /// The boolean `name`, if it was sent.
    pub fn optional_boolean(&mut self, name: &str) -> Option<bool> {
        let text = query_value(&self.uri, name)?;
        let boolean = parse_boolean(&text);
        if boolean.is_none() {
            let msg = "Input should be a valid boolean, unable to interpret input";
            let error = FieldError::new("bool_parsing", name, msg, shown(&text));
            self.errors.push(error.in_query());
        }
        boolean
    }

    /// The word `name`, if it was sent: one of these.
    pub fn optional_word(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let text = query_value(&self.uri, name)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let expected = words.iter().map(|word| format!("'{word}'"));
        let expected = expected.collect::<Vec<_>>().join(", ");
        let msg = format!("Input should be one of {expected}");
        let error = FieldError::new("literal_error", name, msg, shown(&text));
        let error = error.with_ctx(json!({ "expected": expected }));
        self.errors.push(error.in_query());
        None
    }

    /// The day `name`, if it was sent: `2026-11-29`.
    pub fn optional_day(&mut self, name: &str) -> Option<String> {
        let text = query_value(&self.uri, name)?;
        if is_day(&text) {
            return Some(text);
        }
        let msg = "Input should be a valid date in the format YYYY-MM-DD";
        let error = FieldError::new("date_parsing", name, msg, shown(&text));
        self.errors.push(error.in_query());
        None
    }

    /// Which part of a list is asked for: `limit` (1 to 200) and `after`, a cursor that an earlier page named.
    pub fn page(&mut self) -> Page {
        let limit = self.limit();
        let after = query_value(&self.uri, "after").map_or(Some(Cursor::START), |text| {
            let cursor = Cursor::parse(&text);
            if cursor.is_none() {
                let msg = "Value error, this is no cursor of a list";
                let error = FieldError::new("value_error", "after", msg, shown(&text));
                let error = error.with_ctx(json!({ "error": {} }));
                self.errors.push(error.in_query());
            }
            cursor
        });
        Page::new(limit, after.unwrap_or(Cursor::START))
    }

    /// The number of things that a page may have.
    pub fn limit(&mut self) -> i64 {
        let Some(text) = query_value(&self.uri, "limit") else {
            return DEFAULT_LIMIT;
        };
        match limit(&text) {
            Ok(limit) => limit,
            Err(error) => {
                self.errors.push(error.in_query());
                DEFAULT_LIMIT
            }
        }
    }

    /// 422 with all that is wrong.
    pub fn check(self) -> Result<()> {
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(self.errors)),
        }
    }
}

/// Whether a text has the form of a day. That of a month that is shorter is taken for one, since days are only compared.
fn is_day(text: &str) -> bool {
    let has_form = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    text.len() == 10
        && has_form
        && ("01"..="12").contains(&&text[5..7])
        && ("01"..="31").contains(&&text[8..])
}

/// The number, or what is wrong with it; boxed, because most are right.
fn limit(text: &str) -> Result<i64, Box<FieldError>> {
    let error = |kind, msg: String| FieldError::new(kind, "limit", msg, shown(text));
    let number: Result<i64, _> = text.trim().parse();
    let error = match number.map_err(|error| *error.kind()) {
        Ok(limit @ 1..=MAX_LIMIT) => return Ok(limit),
        Ok(..=0) | Err(IntErrorKind::NegOverflow) => {
            let msg = "Input should be greater than or equal to 1".to_owned();
            error("greater_than_equal", msg).with_ctx(json!({ "ge": 1 }))
        }
        Ok(_) | Err(IntErrorKind::PosOverflow) => {
            let msg = format!("Input should be less than or equal to {MAX_LIMIT}");
            error("less_than_equal", msg).with_ctx(json!({ "le": MAX_LIMIT }))
        }
        Err(_) => {
            let msg = "Input should be a valid integer, unable to parse string as an integer";
            error("int_parsing", msg.to_owned())
        }
    };
    Err(error.into())
}

fn shown(text: &str) -> Value {
    text.chars()
        .take(MAX_SHOWN_CHARS)
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use serde_json::{Value, json};

    use super::Query;
    use crate::error::Error;

    fn request(query: &str) -> Request {
        let request = Request::get(format!("http://localhost/list?{query}"));
        request.body(Body::empty()).unwrap()
    }

    fn errors(query: &str) -> Vec<Value> {
        let request = request(query);
        let mut query = Query::of(&request);
        query.id("user_id");
        query.page();
        match query.check() {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(errors)) => errors.iter().map(|error| json!(error)).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_right_is_taken() {
        for (query, limit, after) in [
            ("user_id=1", 50, 0),
            ("user_id=&limit=1", 1, 0),
            ("user_id=1&limit=5&limit=200", 200, 0),
            ("user_id=1&limit=%2B07", 7, 0),
            ("user_id=1&after=00000000000000ff0000000000000000", 50, 255),
            (
                "user_id=1&after=ffffffffffffffff0000000000000000",
                50,
                i64::MAX,
            ),
        ] {
            assert_eq!(errors(query), [] as [Value; 0], "{query}");
            let request = request(query);
            let page = Query::of(&request).page();
            assert_eq!((page.limit(), page.after()), (limit + 1, after), "{query}");
        }
    }

    #[test]
    fn days_and_words() {
        for (text, is_right) in [
            ("2026-11-29", true),
            ("2026-02-31", true),
            ("2026-13-01", false),
            ("2026-00-01", false),
            ("2026-01-32", false),
            ("26-01-01", false),
            ("2026-1-1", false),
            ("2026/01/01", false),
            ("2026-01-01T00", false),
            ("%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4", false),
            ("", false),
        ] {
            let request = request(&format!("day={text}"));
            let mut query = Query::of(&request);
            assert_eq!(query.optional_day("day").is_some(), is_right, "{text}");
            assert_eq!(query.check().is_ok(), is_right, "{text}");
        }
        let request = request("by=chat");
        let mut query = Query::of(&request);
        assert_eq!(
            query.optional_word("by", &["day", "chat"]).as_deref(),
            Some("chat")
        );
        assert_eq!(query.optional_word("by", &["day"]), None);
        assert!(query.check().is_err());
    }

    #[test]
    fn what_is_wrong_is_told_in_order() {
        let missing =
            json!({"type":"missing","loc":["query","user_id"],"msg":"Field required","input":null});
        let parsing = json!({"type":"int_parsing","loc":["query","limit"],
            "msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"});
        let cursor = json!({"type":"value_error","loc":["query","after"],
            "msg":"Value error, this is no cursor of a list","input":"","ctx":{"error":{}}});
        assert_eq!(errors("limit=x&after="), [missing, parsing, cursor]);
        for (limit, kind, key, bound) in [
            ("0", "greater_than_equal", "ge", 1),
            ("-99999999999999999999", "greater_than_equal", "ge", 1),
            ("201", "less_than_equal", "le", 200),
            ("99999999999999999999", "less_than_equal", "le", 200),
        ] {
            let errors = errors(&format!("user_id=1&limit={limit}"));
            assert_eq!(errors[0]["type"], kind);
            assert_eq!(errors[0]["ctx"], json!({ key: bound }));
            assert_eq!(errors[0]["input"], limit);
        }
        for limit in ["", "1.5", "1e2", "0x10", "--1", "%00"] {
            let errors = errors(&format!("user_id=1&limit={limit}"));
            assert_eq!(errors[0]["type"], "int_parsing", "{limit}");
        }
        for after in [
            "0",
            "00000000000000ff00000000000000000",
            "00000000000000FF0000000000000000",
            "+0000000000000ff+000000000000000",
            "%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4",
        ] {
            assert_eq!(
                errors(&format!("user_id=1&after={after}")).len(),
                1,
                "{after}"
            );
        }
        assert_eq!(errors(&format!("user_id={}", "x".repeat(256))).len(), 1);
    }
}
