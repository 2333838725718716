//! How requests reach a workload, and what is done for them on the way.
//!
//! All of it belongs to the environment, not to a release: it can be changed without a new version.

mod address;
mod edge;
mod settings;
mod shaping;
mod words;

pub use address::{HeaderName, Host, Network, PathPrefix};
pub use edge::{CertificateFiles, EdgeSettings};
pub use settings::{ClientKey, Ejection, Exposure, Limits, Retries, RouteSettings, Timeouts};
pub use shaping::{Cohort, Condition, Mirror, MirrorComparison, Preview, Source, Test};
