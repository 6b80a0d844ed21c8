//! Servers that play the part of other people's, for tests and first steps: `kafka fake-model` is a model that needs no
//! account, `kafka fake-mail` a mail provider that prints mails instead of sending them.
#![forbid(unsafe_code)]

mod mail;
mod model;
mod server;

pub use mail::FakeMail;
pub use model::{DemoModel, FakeModel};
