//! The real programs that tests need, and how a test says that one is missing. Used by tests and by `cargo xtask test`
//! only; nothing of it is in the product.

mod part;
mod skip;

pub use part::Part;
pub use skip::{NO_SKIP_VARIABLE, SKIPPED_FILE_VARIABLE, need};
