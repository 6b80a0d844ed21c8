//! The endpoints that list what something has, in pages ([`crate::page`]).

use axum::extract::Request;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::db::Db;
use crate::error::{Error, Result, answer};
use crate::links::Links;
#[cfg(doc)]
use crate::page::Page;
use crate::query::Query;
use crate::{owner, params, texts};

/// What a user's workspace or chat has, in pages: `GET …/{id}/<things>?user_id=&after=&limit=`. `R` is a row, `T` what is shown of
/// it and `A` the answer.
#[derive(Debug)]
pub struct List<R, T, A> {
    /// Reads rows for [`Page::of`]: of the thing ?1 if it is the user ?2's or ?2 is NULL, after the rowid ?3, at
    /// most ?4.
    pub sql: &'static str,
    /// Shows one of them, as [`Page::of`] has it shown.
    pub show: fn(R, i64) -> T,
    /// Of a file whose text is to be read: the id of its content. Showing it has that begun, if nothing is at it.
    pub unread: fn(&R) -> Option<&String>,
    /// Puts the addresses of files into one, if it has any.
    pub link: Option<fn(&mut T, &Links)>,
    /// The answer, from the things of a page and the cursor of the next one.
    pub answer: fn(Vec<T>, Option<String>) -> A,
    /// What is said where there is no such thing, or it is another's.
    pub missing: fn() -> Error,
}

impl<R: DeserializeOwned, T, A: Serialize> List<R, T, A> {
    /// The page that `request` asks for, of the thing with this id.
    pub async fn of(&self, id: String, access: Access, request: Request) -> Result<Response> {
        let mut query = Query::of(&request);
        let user = query.optional_id("user_id");
        let page = query.page();
        query.check()?;
        let caller = access.caller(user.as_deref())?;
        let mut db = Db::open().await?;
        let asked = params![id, caller.user_id(), page.after(), page.limit()];
        let rows = db.query(self.sql, asked).await?;
        let mut unread = Vec::new();
        let show = |row: R, number| {
            unread.extend((self.unread)(&row).cloned());
            (self.show)(row, number)
        };
        match page
            .of(rows, show)
            .map_err(|error| error.in_statement(self.sql))?
        {
            Some((mut things, next)) => {
                texts::begin_if_idle(unread).await;
                if let Some(link) = self.link {
                    let links = Links::of(access.called()).await?;
                    things.iter_mut().for_each(|thing| link(thing, &links));
                }
                Ok(answer(&(self.answer)(things, next)))
            }
            None => Err(owner::not_found(&mut db, &caller, (self.missing)()).await),
        }
    }
}
