//! What lists in pages have in common, and who reads them.

use super::operation::Parameter;
use super::schema::Schema;
use crate::MAX_ID_CHARS;

/// How many things a page has at most.
pub const MAX_LIMIT: i64 = 200;

/// Whom a request is from, where that is not known anyhow.
pub(super) const USER: Parameter = Parameter::optional("user_id", Schema::ShortText(MAX_ID_CHARS))
    .about("Open mode: whose it must be.");

/// How many things a page may have.
pub(super) const LIMIT: Parameter =
    Parameter::optional("limit", Schema::Range(1, MAX_LIMIT as u32))
        .about("How many there are on a page at most; 50 unless it is said.");

/// Where a page begins.
pub(super) const AFTER: Parameter = Parameter::optional("after", Schema::Pattern("^[0-9a-f]{32}$"))
    .about("The `next` of the page before.");

/// The parameters of a list whose things belong to somebody.
pub(super) const PAGE: &[Parameter] = &[USER, LIMIT, AFTER];
