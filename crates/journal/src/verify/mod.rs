//! Verification: everything is worked out again from the rows, and compared with what was stored.
//!
//! Finds what was edited, removed, added, exchanged or damaged, as long as whoever did it has not also worked out every
//! hash anew. Against that only a head that is kept elsewhere helps.

mod audit;
mod finding;

pub(crate) use audit::{check_tail, verify};
pub use finding::{Finding, Verified, VerifyError};
