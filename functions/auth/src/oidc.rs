//! ID tokens of an OpenID Connect provider (OpenID Connect Core 1.0, section 3.1.3.7): `POST /auth/login {id_token}`.

mod keys;
mod signature;
mod token;

use kafka_common::{
    clock,
    config::variable,
    email::Email,
    error::{Error, Result},
};

use keys::Keys;
use token::Token;

/// The e-mail that the provider says is this person's. 401 unless the token is the provider's, for this application,
/// good now, and says that the address has been verified. 404 if there is no provider (variable `oidc_issuer`).
pub async fn verify(token: &str) -> Result<Email> {
    let issuer = variable("oidc_issuer").await?.trim().to_owned();
    let audience = variable("oidc_audience").await?.trim().to_owned();
    if issuer.is_empty() || audience.is_empty() {
        return Err(Error::not_found("This server knows no identity provider."));
    }
    let token = Token::parse(token).map_err(refused)?;
    token
        .check(&issuer, &audience, clock::unix_millis() / 1000)
        .map_err(refused)?;
    let key = Keys::of(&issuer)
        .find(token.key_id.as_deref(), token.algorithm)
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
    Email::parse(token.email()).map_err(|_| refused("it has no e-mail address"))
}

/// 401 that says nothing of why; the log does, without the token.
fn refused(why: &str) -> Error {
    eprintln!("an ID token was refused: {why}");
    Error::Unauthorized("The ID token is not valid. Please log in again.".into())
}
