use super::{After, Stream};
use crate::{Error, Value};
use http::StatusCode;

const OK: StatusCode = StatusCode::OK;

/// An answer to a statement, with the next baton and the end of the results.
fn answer(baton: &str, executed: &str, is_autocommit: bool) -> String {
    format!(
        r#"{{"baton":{baton},"base_url":null,"results":[{executed},
        {{"type":"ok","response":{{"type":"get_autocommit","is_autocommit":{is_autocommit}}}}}]}}"#
    )
}

const DONE: &str = r#"{"type":"ok","response":{"type":"execute","result":
    {"cols":[],"rows":[],"affected_row_count":1,"last_insert_rowid":"7"}}}"#;
const REFUSED: &str = r#"{"type":"error","error":{"message":"no","code":"SQLITE_BUSY"}}"#;

fn begun() -> Stream {
    let mut stream = Stream::default();
    let sent = stream.execute("BEGIN", vec![], After::Open).expect("JSON");
    let done = stream.answered(sent, OK, answer("\"one\"", DONE, false).as_bytes());
    done.expect("it begins");
    stream
}

#[test]
fn values_are_what_they_were() {
    let values = vec![
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Real(0.1 + 0.2),
        Value::Text("a \"quoted\" text".to_owned()),
        Value::Blob(vec![0, 255, 62, 63]),
    ];
    let mut stream = Stream::default();
    let sent = stream.execute("SELECT ?1", values.clone(), After::Closed);
    let sent = sent.expect("JSON");
    let body: serde_json::Value = serde_json::from_slice(&sent.body).expect("JSON");
    let arguments = &body["requests"][0]["stmt"]["args"];
    assert_eq!(body["requests"][2]["type"], "close");
    assert_eq!(arguments[1]["value"], "-9223372036854775808");
    let executed = format!(
        r#"{{"type":"ok","response":{{"type":"execute","result":{{"cols":[{{"name":"a"}}],
        "rows":[{arguments}],"affected_row_count":0,"last_insert_rowid":null}}}}}}"#
    );
    let done = stream.answered(sent, OK, answer("null", &executed, true).as_bytes());
    let done = done.expect("a result");
    assert_eq!(done.rows, [values]);
    assert_eq!(done.columns, ["a"]);
    assert!(stream.close().is_none() && stream.is_usable());
}

#[test]
fn a_baton_leads_through_a_transaction() {
    let mut stream = begun();
    assert!(stream.is_in_transaction());
    let sent = stream.execute("INSERT", vec![], After::Open).expect("JSON");
    let body: serde_json::Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(body["baton"], "one");
    assert_eq!(
        sent.url("https://db.example/"),
        "https://db.example/v3/pipeline"
    );
    let done = stream.answered(sent, OK, answer("\"two\"", DONE, false).as_bytes());
    let done = done.expect("it is done");
    assert_eq!((done.changes, done.last_insert_rowid), (1, Some(7)));
    let sent = stream.close().expect("it is open");
    let body: serde_json::Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(
        body,
        serde_json::json!({"baton":"two","requests":[{"type":"close"}]})
    );
    assert!(stream.close().is_none());
}

#[test]
fn a_lost_transaction_is_not_gone_on_with() {
    for (status, body) in [
        (StatusCode::SERVICE_UNAVAILABLE, "try later"),
        (StatusCode::BAD_REQUEST, r#"{"code":"STREAM_EXPIRED"}"#),
        (OK, "<html>"),
        (OK, r#"{"baton":null,"base_url":null,"results":[]}"#),
    ] {
        let mut stream = begun();
        let sent = stream.execute("INSERT", vec![], After::Open).expect("JSON");
        let error = stream.answered(sent, status, body.as_bytes());
        let error = error.expect_err(body).to_string();
        assert!(
            error.starts_with("api error: `status=") || error.starts_with("unexpected response: `"),
            "{error}"
        );
        assert!(!stream.is_usable(), "{body}");
        let _ = stream.close();
        assert!(!stream.is_usable(), "{body}");
    }
    let mut stream = begun();
    let sent = stream.execute("INSERT", vec![], After::Open).expect("JSON");
    stream.failed(sent);
    assert!(stream.close().is_some(), "its baton may be good");
    assert!(!stream.is_usable());
}

#[test]
fn a_refused_statement_leaves_the_stream_as_it_is() {
    let mut stream = begun();
    let sent = stream.execute("INSERT", vec![], After::Open).expect("JSON");
    let refused = stream.answered(sent, OK, answer("\"two\"", REFUSED, false).as_bytes());
    assert!(matches!(refused, Err(Error::Statement { .. })));
    assert!(stream.is_usable() && stream.is_in_transaction());
    // One that would have ended it has closed its stream, which rolls back.
    let sent = stream.execute("COMMIT", vec![], After::Closed);
    let sent = sent.expect("JSON");
    let refused = stream.answered(sent, OK, answer("null", REFUSED, false).as_bytes());
    assert!(refused.is_err() && !stream.is_usable());
}

#[test]
fn a_transaction_on_a_closed_stream_is_an_error() {
    let mut stream = Stream::default();
    let sent = stream.execute("WITH a …", vec![], After::Closed);
    let sent = sent.expect("JSON");
    let done = stream.answered(sent, OK, answer("null", DONE, false).as_bytes());
    assert!(matches!(done, Err(Error::Unexpected(_))));
    assert!(!stream.is_usable());
}
