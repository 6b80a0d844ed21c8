//! The protocol between a WebSocket gateway and the components: WebSocket-over-HTTP with GRIP, as Pushpin and Fastly
//! Fanout speak it. Both sides use this crate: the gateway of our own host, and the components behind any gateway.
//!
//! * [`event`]: the events of a socket, in the bodies of requests and answers.
//! * [`publish`]: messages for all sockets of a channel.
//! * [`address`]: the variable `grip_url`, with each gateway's address and both keys.
//! * [`encoding`]: base64 as people paste it, here in `grip_url`, elsewhere in other settings and files.
//! * [`key`]: the tokens by which each side proves its identity.
//!
//! Values in, values out: nothing here sends or receives.
#![forbid(unsafe_code)]

pub mod address;
pub mod encoding;
pub mod event;
pub mod key;
pub mod publish;

pub use address::{Address, ORIGINS};
pub use event::{Answer, CONTENT_TYPE, Control, Event, Malformed};
pub use key::{Key, Refusal};
pub use publish::{Item, Publish, WebSocketMessage};

use http::{HeaderName, header};

/// The header by which each side announces GRIP.
pub const EXTENSIONS: HeaderName = header::SEC_WEBSOCKET_EXTENSIONS;
/// The header with the id of the socket.
pub const CONNECTION_ID: HeaderName = HeaderName::from_static("connection-id");
/// The header with the gateway's token.
pub const GRIP_SIG: HeaderName = HeaderName::from_static("grip-sig");
/// The header that asks for an empty request when a socket has been quiet for so many seconds.
pub const KEEP_ALIVE_INTERVAL: HeaderName = HeaderName::from_static("keep-alive-interval");
/// The header with the number of bytes of content that the component accepted.
pub const BYTES_ACCEPTED: HeaderName = HeaderName::from_static("content-bytes-accepted");
/// The beginning of the names of headers that ask the gateway to remember a value.
pub const SET_META: &str = "set-meta-";
/// The beginning of the names of headers with which the gateway repeats such a value.
pub const META: &str = "meta-";
