//! What is said of certificates to who looks after them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One certificate of the table in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// The file of its chain.
    pub chain: PathBuf,
    /// The names that it is served for.
    pub names: Vec<String>,
    /// The last second at which what is served is valid, since the epoch; `None` if nothing can be served.
    pub not_after_secs: Option<u64>,
    /// What is wrong with the files as they are now. The certificate before them stays in use meanwhile.
    pub problem: Option<String>,
}
