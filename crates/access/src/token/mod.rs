//! Tokens for the API: what they look like, what is known of each, and the log of them.

mod base62;
mod checksum;
mod record;
mod register;
mod text;
mod tokens;

pub use record::{TokenKind, TokenRecord, TokenRequest};
pub use register::TokenFault;
pub use text::{TokenId, TokenText, TokenTextError};
pub use tokens::{TokenError, Tokens};

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a token is good for unless somebody says otherwise.
pub const USUAL_LIFE: Duration = Duration::from_secs(90 * DAY.as_secs());
/// The longest that a token may be good for.
pub const LONGEST_LIFE: Duration = Duration::from_secs(366 * DAY.as_secs());
/// How long somebody stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
