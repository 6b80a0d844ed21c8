//! Failures amid a reply, in the shapes of many endpoints: none is a success.

use serde_json::{Value, json};

use super::{STOP, error_of, events, piece};

/// Objects of endpoints that report a failure.
fn failures() -> Vec<Value> {
    let words = "quota used up";
    vec![
        json!({"error": {"message": words}}),
        json!({"error": words}),
        json!({"error": "Bad Request", "statusCode": 400, "message": words}),
        json!({"error": "invalid_request", "error_description": words}),
        json!({"error": {"details": words}}),
        json!({"errors": {"model": [words]}}),
        json!({"choices": [{"delta": {"content": ""}}], "x_groq": {"id": "r", "error": words}}),
        json!({"message": words}),
        json!({"Message": words, "Code": "X"}),
        json!({"__type": "ThrottlingException", "message": words}),
        json!({"choices": [], "code": 500, "msg": words}),
        json!({"ok": false, "reason": words}),
        json!({"err": words}),
        json!({"exception": words}),
        json!({"errMessage": words, "errCode": 3}),
        json!({"fault": {"faultstring": words, "detail": {"errorcode": "x"}}}),
        json!({"Response": {"Error": {"Code": "X", "Message": words}, "RequestId": "x"}}),
        json!({"header": {"code": 10013, "message": words, "sid": "x", "status": 2}}),
        json!({"type": "response.failed", "response": {"error": {"code": "x", "message": words}}}),
        json!({"code": 401, "data": {"message": words}}),
        json!({"status": {"code": 429, "message": words}}),
        json!({"status": 429, "statusText": words}),
        json!({"status": "error", "result": words}),
    ]
}

#[test]
fn a_failure_ends_a_reply_that_has_begun() {
    for failure in failures() {
        let body = format!("{}data: {failure}\n\ndata: [DONE]\n\n", piece("Half "));
        let events = events(body);
        let (_, message) = error_of(&events);
        assert!(message.contains("quota used up"), "{failure}: {message}");
    }
}

#[test]
fn a_failure_is_all_of_an_answer() {
    for failure in failures() {
        for body in [
            failure.to_string(),
            format!("data: {failure}\n\n"),
            format!("data: {failure}\n\ndata: [DONE]\n\n"),
        ] {
            let events = events(&body);
            let (_, message) = error_of(&events);
            assert!(message.contains("quota used up"), "{body}: {message}");
        }
    }
}

#[test]
fn a_line_may_be_an_error() {
    let body = format!(
        "{}error: {{\"message\":\"overloaded\"}}\n\ndata: [DONE]\n\n",
        piece("Half ")
    );
    assert!(error_of(&events(body)).1.contains("overloaded"));
}

#[test]
fn what_is_about_a_reply_does_not_end_it() {
    for about in [
        json!({"id": "x", "conversation_id": "y"}),
        json!({"type": "ping"}),
        json!({"choices": [{"delta": {"content": ""}}], "x_groq": {"id": "r", "usage": {"total_tokens": 3}}}),
        json!({"choices": [], "code": 0, "msg": "ok", "usage": {"total_tokens": 3}}),
        json!({"choices": [{"delta": {"content": ""}}], "err": null, "exception": ""}),
        json!({"header": {"code": 0, "message": "Success"}, "choices": [{"delta": {"content": "?"}}]}),
    ] {
        for end in [STOP, ""] {
            let body = format!("{}data: {about}\n\n{end}data: [DONE]\n\n", piece("Whole."));
            let events = events(body);
            assert_eq!(events.last(), Some(&super::Event::Done), "{about}");
        }
    }
}

#[test]
fn an_error_in_a_choice_keeps_the_reason_to_end() {
    let choice = json!({"choices": [{"error": {"message": "boom"}, "finish_reason": "error"}]});
    let events = events(format!("data: {choice}\n\n"));
    assert!(events.contains(&super::Event::Finish("error".to_owned())));
}

#[test]
fn a_prompt_may_be_blocked() {
    for block in [
        json!({"promptFeedback": {"blockReason": "SAFETY"}}),
        json!({"choices": [], "prompt_feedback": {"block_reason": "OTHER"}}),
    ] {
        let events = events(format!("data: {block}\n\ndata: [DONE]\n\n"));
        let (_, message) = error_of(&events);
        assert!(message.contains("filter"), "{block}: {message}");
    }
}

#[test]
fn no_number_is_no_reason_to_fail() {
    let body = "data: {\"choices\":[{\"delta\":{\"content\":\"Yes\"},\"logprobs\":NaN}]}\n\n";
    let events = events(format!("{body}{STOP}data: [DONE]\n\n"));
    assert_eq!(events.last(), Some(&super::Event::Done));
}
