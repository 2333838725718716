//! Who may do what: principals, tokens, roles, sign-in by OpenID Connect.
//!
//! A request comes with a credential: the user at the other end of a socket, a token, or an id token of a platform. The
//! [`Directory`] says whose it is and what that principal may do, and gives a [`Caller`]; whatever is not said there is
//! refused. Start reading at [`Directory`]; `permissions` is the answer to every *may I*, `token` are the API tokens, `oidc`
//! is whom to believe about people and jobs, and `limiter` slows down those who ask too often.

mod caller;
mod directory;
mod limiter;
pub mod oidc;
mod permissions;
mod random;
mod token;

pub use caller::{Caller, Credential};
pub use directory::Directory;
pub use limiter::Limiter;
pub use permissions::{Permissions, Scope};
pub use random::RandomError;
pub use token::{
    LONGEST_LIFE, SESSION_LIFE, TokenError, TokenFault, TokenId, TokenKind, TokenRecord, TokenRequest,
    TokenText, TokenTextError, Tokens, USUAL_LIFE,
};
