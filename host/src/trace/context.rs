//! The place of a span in its trace, as the headers `traceparent` and `tracestate` have it (W3C Trace Context).

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header with the ids.
const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header with what other programs keep in a trace.
const STATE: HeaderName = HeaderName::from_static("tracestate");
/// Bytes of `tracestate` that are passed on.
const MAX_STATE: usize = 512;
/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// A span's place in its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The trace.
    pub trace: [u8; 16],
    /// The span.
    pub span: [u8; 8],
    /// Whether the trace is recorded, as the first program in it has decided.
    pub is_sampled: bool,
    /// Passed on unchanged.
    state: Option<HeaderValue>,
}

impl Context {
    /// The beginning of a new trace.
    pub fn first() -> Self {
        Self {
            trace: Uuid::now_v7().into_bytes(),
            span: new_span(),
            is_sampled: true,
            state: None,
        }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span: new_span(),
            ..self.clone()
        }
    }

    /// That of the span that sent a request; `None` if the headers name none.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(PARENT).iter();
        let (parent, None) = (values.next()?, values.next()) else {
            return None;
        };
        let mut context = Self::parse(parent.to_str().ok()?)?;
        let mut states = headers.get_all(STATE).iter();
        if let (Some(state), None) = (states.next(), states.next())
            && state.len() <= MAX_STATE
        {
            context.state = Some(state.clone());
        }
        Some(context)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let version: [u8; 1] = bytes(fields.next()?)?;
        let trace: [u8; 16] = bytes(fields.next()?)?;
        let span: [u8; 8] = bytes(fields.next()?)?;
        let [flags] = bytes(fields.next()?)?;
        // Later versions may have more fields.
        let is_known = match version {
            [0] => fields.next().is_none(),
            [0xff] => false,
            _ => true,
        };
        let is_valid = is_known && trace != [0; 16] && span != [0; 8];
        is_valid.then_some(Self {
            trace,
            span,
            is_sampled: flags & SAMPLED != 0,
            state: None,
        })
    }

    /// Lets the receiver of a request know this span.
    pub fn put_into(&self, headers: &mut HeaderMap) {
        let flags = u8::from(self.is_sampled);
        let parent = format!("00-{}-{}-{flags:02x}", hex(&self.trace), hex(&self.span));
        headers.remove(STATE);
        if let Ok(parent) = HeaderValue::try_from(parent) {
            headers.insert(PARENT, parent);
            headers.extend(self.state.clone().map(|state| (STATE, state)));
        }
    }
}

/// The id of a new span: the random end of a UUID, which is never zero.
fn new_span() -> [u8; 8] {
    let [.., a, b, c, d, e, f, g, h] = Uuid::now_v7().into_bytes();
    [a, b, c, d, e, f, g, h]
}

/// Bytes in lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same read; `None` unless there are exactly so many.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.as_bytes().iter().all(is_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::Context;
    use http::HeaderMap;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(parents: &[&str]) -> Option<Context> {
        let mut headers = HeaderMap::new();
        for parent in parents {
            headers.append("traceparent", parent.parse().expect("a header"));
        }
        headers.append("tracestate", "a=b".parse().expect("a header"));
        Context::of(&headers)
    }

    #[test]
    fn what_is_read_is_passed_on() {
        let context = of(&[PARENT]).expect("it is valid");
        let child = context.child();
        assert_eq!((child.trace, child.is_sampled), (context.trace, true));
        assert_ne!(child.span, context.span);
        let mut headers = HeaderMap::new();
        context.put_into(&mut headers);
        assert_eq!(headers["traceparent"], PARENT);
        assert_eq!(headers["tracestate"], "a=b");
        let unsampled = PARENT.replace("-01", "-00");
        assert!(!of(&[&unsampled]).expect("it is valid").is_sampled);
        // A later version may have more.
        let later = PARENT.replace("00-4b", "01-4b") + "-more";
        assert!(of(&[&later]).is_some());
    }

    #[test]
    fn what_is_not_valid_begins_another_trace() {
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            let mut headers = HeaderMap::new();
            let value = http::HeaderValue::from_bytes(wrong.as_bytes()).expect("a header");
            headers.insert("traceparent", value);
            assert_eq!(Context::of(&headers), None, "{wrong}");
        }
        assert_eq!(of(&[PARENT, PARENT]), None);
    }
}
