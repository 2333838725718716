//! The nouns of a deployment as parsed types, and the reader of `pilotage.yaml`.
//!
//! A value of one of these types is known to be well formed: the rules hold at this border and nowhere else. This crate
//! touches no clock, no random source, no file and no network; the text of the file comes in as a string.

mod ab;
mod access;
mod allowed_url;
mod condition;
mod diagnostic;
mod digest;
mod duration;
mod hook;
mod identity;
mod image;
mod lookup;
mod metric;
mod model;
mod name;
mod policy;
mod quote;
mod read;
mod release;
mod route;
mod schema;
mod secret;
mod secret_settings;
mod source;
mod stage;
mod suggest;
mod target;
mod template;
mod ticket;
mod time;
mod version;
mod window;

pub use ab::{AbTrial, Arm, Goal, GoalQueries};
pub use access::{
    Access, Audience, ClaimName, ClaimValue, Grant, Issuer, Login, LoginError, Principal, SignIn, SignInName,
    Verb, WorkloadIdentity,
};
pub use allowed_url::{AllowedUrl, AllowedUrlError, AllowedUrls};
pub use condition::{ExpressionFault, PolicyCondition};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use digest::{Digest, DigestError};
pub use duration::{DURATION_PATTERN, DurationError, LONGEST_DURATION, format_duration, parse_duration};
pub use hook::{Alert, AlertCause, Hook, HookKind};
pub use identity::{Identity, PrincipalKind, PrincipalName};
pub use image::{ImageError, ImageReference, ImageTemplate};
pub use lookup::LookupError;
pub use metric::{Comparison, JsonSource, Metric, MetricLimit, MetricSource, Score, WEIGHT_ONE};
pub use model::{
    Environment, Kayenta, Project, Prometheus, Resources, RollBackWhen, RollingUnit, Service,
    ServiceOverride, Strategy, StrategyKind, Trigger,
};
pub use name::{
    ClusterName, ConditionName, EnvironmentName, HookName, HttpPath, NameError, Namespace, ProjectName,
    RelativePath, RoleName, SecretCommandName, ServiceName, StrategyName, TicketSystemName, VariableName,
    WavesName, WindowName,
};
pub use policy::{
    Approvals, BlindWatch, BreakGlass, BreakableGate, ErrorBudget, Inconclusive, Policy, PolicyLevel,
    TicketFrom,
};
pub use read::{
    AmountError, Checked, ExpressionCheck, check, check_with, parse_multiple, parse_percentage, read,
    read_document,
};
pub use release::{
    Health, InstanceSpec, ListenOn, Protocol, Release, ReleaseId, ReloadSignal, Value, Workload,
};
pub use route::{
    CertificateFiles, ClientKey, Cohort, Condition, EdgeSettings, Ejection, Exposure, HeaderName, Host,
    Limits, Mirror, MirrorComparison, Network, PathPrefix, Preview, Retries, RouteSettings, Source, Test,
    Timeouts,
};
pub use schema::json_schema;
pub use secret::{
    AgeFile, KubernetesName, KubernetesSecret, SecretKey, SecretSource, SecretSourceError, VaultPath,
    VaultSecret,
};
pub use secret_settings::{KubernetesSecretSettings, SecretSettings, VaultLogin, VaultSettings};
pub use stage::{Baseline, Copies, Ring, Stage};
pub use suggest::nearest;
pub use target::{
    Capabilities, Cluster, ClusterReach, CommandSettings, ControllerOrder, DockerSettings, EngineHost,
    EngineHostError, KubernetesSettings, KubernetesTraffic, KubernetesWorkload, Manifests, RegistryLogin,
    RolloutController, TargetSettings, TlsFiles, Weights, WorkloadKind,
};
pub use template::{TemplateError, substitute, variables};
pub use ticket::{TicketKey, TicketKind, TicketScheme, TicketSignIn, TicketSystem};
pub use time::{Timestamp, duration_ms};
pub use version::{Version, VersionError};
pub use window::{
    ClockTime, CronText, LocalTime, LocalTimeError, Range, WEEKLY_PATTERN, Weekday, WeeklyError, Windows,
    ZoneName,
};
