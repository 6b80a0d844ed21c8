//! How a reply goes out: one server-sent event a word, at a set rate, and the trouble that was asked for.

use super::{
    behaviour::{Answer, Behaviour},
    reply::Reply,
    seen::Exchange,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{future, io, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// Bytes of the line that is too long.
const LONG_LINE: usize = 10 * 1024 * 1024;

/// Sends `reply` event by event; the pieces of the body arrive in the channel.
pub fn send(
    reply: Reply,
    behaviour: Behaviour,
    rate: u32,
    exchange: Exchange,
) -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let stream = Stream {
            sender: sender.clone(),
            behaviour,
        };
        tokio::select! {
            sent = stream.send(&reply, rate, &exchange) => if sent.is_some() {
                exchange.end();
            },
            // The client does not read any more.
            () = sender.closed() => {}
        }
    });
    receiver
}

struct Stream {
    sender: mpsc::Sender<io::Result<Bytes>>,
    behaviour: Behaviour,
}

impl Stream {
    /// `None` if the client has hung up.
    async fn send(&self, reply: &Reply, rate: u32, exchange: &Exchange) -> Option<()> {
        let answer = self.behaviour.answer;
        if answer == Answer::Silent {
            // An empty piece makes the status line go out.
            self.bytes(b": waiting\n\n").await?;
            future::pending::<()>().await;
        }
        if answer == Answer::OnlyDone {
            return self.line("[DONE]").await;
        }
        let marked = self.behaviour.always_stop.then_some("stop");
        self.event(&reply.chunk(&json!({"role": "assistant", "content": ""}), marked))
            .await?;
        if !reply.reasoning.is_empty() {
            let delta = json!({"content": null, "reasoning_content": reply.reasoning});
            self.event(&reply.chunk(&delta, marked)).await?;
        }
        if answer == Answer::ToolCall {
            return self.tool_call(reply).await;
        }
        let began = Instant::now() + self.behaviour.first;
        for (index, word) in (0u32..).zip(&reply.words) {
            if index as usize == self.behaviour.after && self.trouble(reply).await? {
                return Some(());
            }
            let due = match rate {
                0 => began,
                rate => began + Duration::from_secs(1) * index / rate,
            };
            // Without a rate, the timer would yield for nothing.
            if index == 0 || rate > 0 {
                sleep_until(due).await;
            }
            self.event(&reply.chunk(&json!({"content": reply.text_of(word)}), marked))
                .await?;
            exchange.word();
        }
        if reply.words.len() <= self.behaviour.after && self.trouble(reply).await? {
            return Some(());
        }
        if answer != Answer::NoEnd {
            self.event(&reply.chunk(&json!({}), Some(reply.finish_reason)))
                .await?;
        }
        if reply.wants_usage && answer != Answer::NoEnd {
            let mut usage = reply.chunk(&json!({}), None);
            usage["choices"] = json!([]);
            usage["usage"] = reply.usage();
            self.event(&usage).await?;
        }
        if !matches!(answer, Answer::NoEnd | Answer::NoDone) && marked.is_none() {
            self.line("[DONE]").await?;
        }
        Some(())
    }

    /// The call of a tool that no request offers.
    async fn tool_call(&self, reply: &Reply) -> Option<()> {
        let function = json!({"name": "web_search", "arguments": "{}"});
        let call = json!({"index": 0, "id": "call-1", "type": "function", "function": function});
        let delta = json!({"content": null, "tool_calls": [call]});
        self.event(&reply.chunk(&delta, None)).await?;
        self.event(&reply.chunk(&json!({}), Some("tool_calls")))
            .await?;
        self.line("[DONE]").await
    }

    /// Makes the trouble that belongs here; whether it ends the reply.
    async fn trouble(&self, reply: &Reply) -> Option<bool> {
        match self.behaviour.answer {
            Answer::Stall => future::pending().await,
            Answer::Cut => {
                let broken = io::Error::other("asked to break the connection");
                self.sender.send(Err(broken)).await.ok()?;
                Some(true)
            }
            Answer::Error => {
                self.event(&json!({"error": {"message": "The fake model was asked to fail here.", "code": 500}}))
                    .await?;
                Some(true)
            }
            Answer::ChoiceError => {
                let mut event = reply.chunk(&json!({"content": ""}), Some("error"));
                event["choices"][0]["error"] =
                    json!({"message": "The fake model was asked to fail here.", "code": 500});
                self.event(&event).await?;
                self.line("[DONE]").await?;
                Some(true)
            }
            Answer::Garbage => {
                self.line("{\"choices\": [{\"delta\": not JSON").await?;
                Some(false)
            }
            Answer::LongLine => {
                let content = "x".repeat(LONG_LINE);
                self.event(&reply.chunk(&json!({"content": content}), None))
                    .await?;
                Some(false)
            }
            _ => Some(false),
        }
    }

    async fn event(&self, event: &Value) -> Option<()> {
        self.line(&event.to_string()).await
    }

    async fn line(&self, data: &str) -> Option<()> {
        match self.behaviour.answer {
            Answer::Crlf => {
                self.bytes(format!(": comment\r\n\r\ndata:{data}\r\n\r\n").as_bytes())
                    .await
            }
            Answer::SplitUtf8 => {
                for byte in format!("data: {data}\n\n").into_bytes() {
                    self.bytes(&[byte]).await?;
                }
                Some(())
            }
            _ => self.bytes(format!("data: {data}\n\n").as_bytes()).await,
        }
    }

    async fn bytes(&self, bytes: &[u8]) -> Option<()> {
        self.sender
            .send(Ok(Bytes::copy_from_slice(bytes)))
            .await
            .ok()
    }
}
