//! Searching texts: what the words of a text are, what a query asks for, and where in a text that is.
//!
//! Texts and queries are read by the same rules ([`words`]), so that what an index finds by words can be marked in the
//! text. Here is no index: [`Query::expression`] and [`indexed`] write what FTS5's tokenizer `ascii` takes with `_` as a
//! character of words. Each word begins with `_`, before which the index puts what tells users apart.

#![forbid(unsafe_code)]

mod fold;
mod pieces;
mod query;
mod snippet;
mod words;

pub use pieces::{OVERLAP, PIECE, Piece, STRIDE, indexed, pieces};
pub use query::Query;
pub use snippet::{Mark, Snippet};
pub use words::{Word, words};
