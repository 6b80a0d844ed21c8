//! What all paged lists have in common.

use super::operation::Parameter;
use super::schema::Schema;
use crate::MAX_ID_CHARS;

/// The largest number of items on a page.
pub const MAX_LIMIT: i64 = 200;

/// The user of a request, which only open mode needs.
pub(super) const USER: Parameter = Parameter::optional("user_id", Schema::ShortText(MAX_ID_CHARS))
    .about("Open mode: the user that it must belong to.");

/// How many items a page may have.
pub(super) const LIMIT: Parameter =
    Parameter::optional("limit", Schema::Range(1, MAX_LIMIT as u32))
        .about("The largest number of items on a page; 50 by default.");

/// Where a page begins.
pub(super) const AFTER: Parameter = Parameter::optional("after", Schema::Pattern("^[0-9a-f]{32}$"))
    .about("The `next` of the previous page.");

/// The parameters of a paged list.
pub(super) const PAGE: &[Parameter] = &[USER, LIMIT, AFTER];
