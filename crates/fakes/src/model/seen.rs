//! A record of requests and of clients that hung up, by which tests check that a stop also reaches the model.

use http::{HeaderName, HeaderValue, request::Parts};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Requests that are remembered.
const KEPT: usize = 100;

/// All requests so far.
#[derive(Default, Clone)]
pub struct Seen(Arc<Mutex<Requests>>);

impl Seen {
    /// A record that only counts.
    pub fn forgetful() -> Self {
        let requests = Requests {
            forgets: true,
            ..Requests::default()
        };
        Self(Arc::new(Mutex::new(requests)))
    }
}

#[derive(Default)]
struct Requests {
    count: usize,
    open: usize,
    /// Those whose client hung up.
    hung_up: usize,
    /// Whether it keeps nothing of a request.
    forgets: bool,
    last: VecDeque<Record>,
}

struct Record {
    number: usize,
    body: Value,
    query: Option<String>,
    headers: BTreeMap<String, String>,
    began: SystemTime,
    words: usize,
    ended: bool,
    closed_after: Option<u128>,
}

impl Seen {
    /// Remembers a request.
    pub fn begin(&self, body: &Value, head: &Parts) -> Exchange {
        let mut requests = self.requests();
        requests.count += 1;
        requests.open += 1;
        let number = requests.count;
        if requests.forgets {
            return Exchange::new(self, number);
        }
        if requests.last.len() == KEPT {
            requests.last.pop_front();
        }
        requests.last.push_back(Record {
            number,
            body: body.clone(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.iter().map(header).collect(),
            began: SystemTime::now(),
            words: 0,
            ended: false,
            closed_after: None,
        });
        Exchange::new(self, number)
    }

    /// All of it as JSON.
    pub fn report(&self) -> Value {
        let requests = self.requests();
        let last: Vec<_> = requests.last.iter().map(Record::report).collect();
        json!({"requests": requests.count, "open": requests.open, "hung_up": requests.hung_up, "last": last})
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn report(&self) -> Value {
        let began = self.began.duration_since(UNIX_EPOCH).unwrap_or_default();
        json!({
            "number": self.number,
            "model": self.body["model"],
            "began_at_ms": began.as_millis(),
            "words": self.words,
            "ended": self.ended,
            "closed_after_ms": self.closed_after,
            "query": self.query,
            "headers": self.headers,
            "body": self.body,
        })
    }
}

/// A header, without the key.
fn header((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    let value = match name.as_str() {
        "authorization" | "api-key" => "(the key)".to_owned(),
        _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    (name.to_string(), value)
}

/// A request being answered. Dropped before its end, the client has hung up.
pub struct Exchange {
    seen: Seen,
    number: usize,
    began: Instant,
}

impl Exchange {
    fn new(seen: &Seen, number: usize) -> Self {
        Self {
            seen: seen.clone(),
            number,
            began: Instant::now(),
        }
    }

    /// A word went out.
    pub fn word(&self) {
        self.change(|record| record.words += 1);
    }

    /// The answer is whole, or as broken as it was meant to be.
    pub fn end(&self) {
        self.change(|record| record.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        let mut requests = self.seen.requests();
        if let Some(record) = requests.find(self.number) {
            change(record);
        }
    }
}

impl Requests {
    fn find(&mut self, number: usize) -> Option<&mut Record> {
        self.last
            .iter_mut()
            .rev()
            .find(|record| record.number == number)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let after = self.began.elapsed().as_millis();
        let mut requests = self.seen.requests();
        requests.open -= 1;
        let hung_up = requests.find(self.number).is_some_and(|record| {
            if !record.ended {
                record.closed_after = Some(after);
            }
            !record.ended
        });
        requests.hung_up += usize::from(hung_up);
    }
}
