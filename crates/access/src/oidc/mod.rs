//! Whom to believe about people and jobs: OpenID Connect Core 1.0 and Discovery 1.0.
//!
//! [`Verifier`] is the server's side: is this id token of one of the issuers that the file names, and whose is it? `provider`
//! asks an issuer, `keys` chooses one of its keys, `claims` says what a token must say. [`SigningIn`] is the side of a person
//! at a command line.

mod claims;
mod error;
mod keys;
mod provider;
mod sign_in;
mod verifier;

pub use error::OidcError;
pub use provider::{Endpoints, Provider};
pub use sign_in::SigningIn;
pub use verifier::Verifier;
