//! Images: found by their digest, pulled if they are not there, and removed when nothing needs them.

mod collect;
mod login;
mod pull;
mod store;

pub(crate) use collect::{surplus, unneeded};
pub(crate) use login::Login;
pub(crate) use store::{Images, no_image};
