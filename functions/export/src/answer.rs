//! The answer to an export, which is counted and recorded.

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::future::ready;
use futures::{Stream, TryStreamExt};
use http::{HeaderValue, header};
use kafka_common::access::Caller;
use kafka_common::content::disposition;
use kafka_common::db::{self, Db};
use kafka_common::error::Result;
use kafka_common::long_work::{Kind, Lease, held};
use kafka_common::params;

/// Why an export breaks off in the middle: a failure of the database, or of the archive.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Records that the user took `object` along: a chat, or the user itself.
const NOTE: &str = include_str!("note.sql");

/// An export that begins.
pub struct Export {
    lease: Option<Lease>,
}

impl Export {
    /// Counts it as a download, and notes it in the table `audit`.
    ///
    /// # Errors
    /// 429 or 503 where too many go on.
    pub async fn begin(db: &mut Db, caller: &Caller, user: &str, object: &str) -> Result<Self> {
        let lease = Lease::take(caller, Kind::Download).await?;
        let noted: db::Result<()> = db
            .execute(NOTE, params![user, object, caller.address()])
            .await;
        if let Err(error) = noted {
            if let Some(lease) = lease {
                lease.end().await;
            }
            return Err(error.into());
        }
        Ok(Self { lease })
    }

    /// Sends what `pieces` makes, as a file of this name and type. A failure breaks the answer off, which the client
    /// notices.
    pub fn answer(
        self,
        pieces: impl Stream<Item = Result<Bytes, Failure>> + Send + 'static,
        filename: &str,
        media_type: &'static str,
    ) -> Response {
        let pieces = pieces
            .try_filter(|piece| ready(!piece.is_empty()))
            .inspect_err(|error| tracing::warn!("an export breaks off: {error}"));
        let mut response = Response::new(Body::from_stream(held(pieces, self.lease)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        // It is printable ASCII, whatever the name.
        if let Ok(value) = HeaderValue::from_str(&disposition::header(false, filename)) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}
