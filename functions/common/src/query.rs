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

    /// The word `name` of those of `known`, if it was sent.
    pub fn optional_word(&mut self, name: &str, known: &[&'static str]) -> Option<&'static str> {
        let text = query_value(&self.uri, name)?;
        let word = known.iter().copied().find(|known| *known == text);
        if word.is_none() {
            let quoted: Vec<String> = known.iter().map(|word| format!("'{word}'")).collect();
            let expected = quoted.join(" or ");
            let msg = format!("Input should be {expected}");
            let error = FieldError::new("literal_error", name, msg, shown(&text));
            let error = error.with_ctx(json!({ "expected": expected }));
            self.errors.push(error.in_query());
        }
        word
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
