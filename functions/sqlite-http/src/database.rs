//! The server of the database.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderValue, StatusCode, Uri};
use kafka_hrana::{ANSWER_LIMIT, Error, Sent, bearer, is_origin};
use spin_sdk::time::sleep;
use spin_sdk::variables;

use super::send::post;

/// The variable with the server's address: scheme, host and port.
const URL: &str = "database_url";

/// The variable with what it knows its clients by; empty if it asks for nothing.
const TOKEN: &str = "database_token";

thread_local! {
    /// The one of this instance, once its variables were read.
    static DATABASE: OnceCell<Rc<Database>> = const { OnceCell::new() };
}

/// Where the server is, and who may use it.
pub struct Database {
    url: String,
    authorization: Option<HeaderValue>,
}

impl Database {
    /// The one that the variables name.
    ///
    /// # Errors
    /// Why they name none.
    pub async fn get() -> Result<Rc<Self>, String> {
        if let Some(database) = DATABASE.with(|database| database.get().cloned()) {
            return Ok(database);
        }
        let database = Rc::new(Self::new(variable(URL).await?, &variable(TOKEN).await?)?);
        // Another request may have been faster.
        Ok(DATABASE.with(|known| known.get_or_init(|| database).clone()))
    }

    fn new(url: String, token: &str) -> Result<Self, String> {
        if !is_origin(&url) {
            return Err(format!(
                "{URL} must be http://HOST or https://HOST, with a port if it is not the usual one"
            ));
        }
        let authorization = match token {
            "" => None,
            token => {
                let header = HeaderValue::try_from(bearer(token));
                Some(header.map_err(|_| format!("{TOKEN} has characters that no token has"))?)
            }
        };
        Ok(Self { url, authorization })
    }

    /// Sends a request and returns its answer. May be dropped half-way, which closes the connection to the server.
    pub async fn ask(&self, sent: &Sent) -> Result<(StatusCode, Bytes), Error> {
        let url = sent.url(&self.url);
        let uri: Uri = url
            .parse()
            .map_err(|_| Error::Unexpected(format!("the address {url:?}")))?;
        let answer = std::pin::pin!(post(&uri, self.authorization.as_ref(), sent.body.clone()));
        match select(answer, std::pin::pin!(sleep(ANSWER_LIMIT))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(Error::Http(format!("no answer for {ANSWER_LIMIT:?}"))),
        }
    }
}

async fn variable(name: &str) -> Result<String, String> {
    let value = variables::get(name).await;
    let value = value.map_err(|error| format!("the variable {name}: {error:?}"))?;
    Ok(value.trim().to_owned())
}
