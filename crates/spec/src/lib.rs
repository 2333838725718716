//! The nouns of a deployment as parsed types, and the reader of `pilotage.yaml`.
//!
//! A value of one of these types is known to be well formed: the rules hold at this border and nowhere else. This crate
//! touches no clock, no random source, no file and no network; the text of the file comes in as a string.

mod digest;
mod model;
mod name;
mod release;
mod time;
mod version;

pub use digest::{Digest, DigestError};
pub use model::{
    Environment, Metric, MetricLimit, Policy, Project, Prometheus, Resources, RollBackWhen, RollingUnit,
    Service, ServiceOverride, Strategy, StrategyKind, TargetKind,
};
pub use name::{
    EnvironmentName, HttpPath, NameError, ProjectName, RelativePath, ServiceName, StrategyName, VariableName,
};
pub use release::{Health, InstanceSpec, Release, ReleaseId, SecretSource, Value, Workload};
pub use time::{Timestamp, duration_ms};
pub use version::{Version, VersionError};
