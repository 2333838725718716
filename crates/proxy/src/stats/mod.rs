//! Counters and latency histograms per version, as they are read from outside.

mod histogram;
mod mirror;
mod sum;
mod version;

pub use histogram::Histogram;
pub(crate) use histogram::{BUCKETS, bucket_of};
pub(crate) use mirror::shown;
pub use mirror::{MirrorDifference, MirrorStats};
pub use version::VersionStats;
