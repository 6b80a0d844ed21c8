//! ID tokens of an OpenID Connect provider (OpenID Connect Core 1.0, section 3.1.3.7): `POST /auth/login {id_token}`.

mod discovery;
mod keys;
mod nonce;
mod once;
mod signature;
mod token;

use kafka_common::{
    clock,
    config::variable,
    email::Email,
    error::{Error, Result},
    seal,
};

use keys::Keys;
pub use nonce::start;
pub use once::{Login, Word};
use token::Token;

/// The identity provider, as the variables `oidc_issuer` and `oidc_audience` name it.
struct Provider {
    issuer: String,
    audience: String,
}

impl Provider {
    /// 404 if there is none.
    async fn get() -> Result<Self> {
        let provider = Self {
            issuer: variable("oidc_issuer").await?.trim().to_owned(),
            audience: variable("oidc_audience").await?.trim().to_owned(),
        };
        match provider.issuer.is_empty() || provider.audience.is_empty() {
            true => Err(Error::not_found("This server knows no identity provider.")),
            false => Ok(provider),
        }
    }
}

/// Checks an ID token. 401 unless the token is the provider's, for this application, valid now, and its e-mail address
/// is verified; whether it was used before is checked later ([`Word::use_up`]). 404 if there is no
/// provider (variable `oidc_issuer`).
pub async fn verify(token: &str) -> Result<Word> {
    let Provider { issuer, audience } = Provider::get().await?;
    let token = Token::parse(token).map_err(refused)?;
    token
        .check(&issuer, &audience, clock::unix_millis() / 1000)
        .map_err(refused)?;
    let key = Keys::of(&issuer)
        .find(token.header.key_id.as_deref(), token.header.algorithm)
        .await?
        .ok_or_else(|| refused("the provider has no such key"))?;
    if !key.signed(token.signed.as_bytes(), &token.signature) {
        return Err(refused("its signature is wrong"));
    }
    if !token.email_is_verified() {
        return Err(Error::Unauthorized(
            "The identity provider has not verified this e-mail address.".into(),
        ));
    }
    let email = token.claims.email.as_deref().unwrap_or_default();
    let email = Email::bare(email).map_err(|_| refused("it has no e-mail address"))?;
    Ok(Word {
        email,
        keys: seal::Keys::get().await?,
        signed: token.signed.to_owned(),
        id: token.id(),
        expires_at: token.expires_at(),
        nonce: token.claims.nonce,
    })
}

/// 401 without the reason, which the log has, without the token.
fn refused(why: &str) -> Error {
    tracing::warn!("an ID token was refused: {why}");
    Error::Unauthorized("The ID token is not valid. Please log in again.".into())
}
