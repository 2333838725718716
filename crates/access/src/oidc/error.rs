//! Why an id token counts for nothing.

use thiserror::Error;

/// Why an id token counts for nothing. The token itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OidcError {
    /// It is not a signed token at all.
    #[error("the id token cannot be read: {0}")]
    Malformed(&'static str),
    /// Nobody said that this issuer is to be believed.
    #[error("the id token comes from an issuer that the file does not name")]
    Issuer,
    /// The signature is made by a way that is not accepted.
    #[error("the id token is not signed by RS256, PS256, ES256, EdDSA or a longer form of these")]
    Algorithm,
    /// The issuer has no such key.
    #[error("the id token is signed with a key that its issuer does not publish")]
    Key,
    /// The signature does not fit.
    #[error("the signature of the id token is wrong")]
    Signature,
    /// It is too early or too late.
    #[error("the id token is not valid now: {0}")]
    Time(&'static str),
    /// It is meant for somebody else.
    #[error("the id token is not meant for Pilotage: its `{0}` is another")]
    Audience(&'static str),
    /// It does not say what it must say.
    #[error("the id token stands for nobody who is in the file: {0}")]
    Nobody(String),
    /// The issuer cannot be asked.
    #[error("the issuer {issuer} cannot be asked: {reason}")]
    Unreachable {
        /// Who.
        issuer: String,
        /// Why.
        reason: String,
    },
}
