//! `pilotage.yaml` after it has been read and checked, with every default filled in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    AbTrial, Access, AllowedUrls, Baseline, Cluster, ClusterName, ConditionName, Copies, Digest,
    EdgeSettings, EnvironmentName, Exposure, Health, Hook, HookName, ImageTemplate, InstanceSpec,
    KubernetesWorkload, ListenOn, Metric, Policy, PolicyCondition, ProjectName, Protocol, RelativePath,
    ReloadSignal, Score, SecretSettings, ServiceName, Stage, StrategyName, TargetSettings, TicketSystem,
    TicketSystemName, Value, VariableName, WavesName, WindowName, Windows, duration_ms,
};

/// A whole project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: ProjectName,
    /// Its services, by name.
    pub services: BTreeMap<ServiceName, Service>,
    /// The inventory of clusters, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clusters: BTreeMap<ClusterName, Cluster>,
    /// Where they run, by name.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// Environments that a release goes to one wave after the other, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waves: BTreeMap<WavesName, Vec<Vec<EnvironmentName>>>,
    /// Other names of environments, each with the environment it stands for.
    #[serde(default)]
    pub aliases: BTreeMap<EnvironmentName, EnvironmentName>,
    /// Strategies by name: those of the file and the built-in `rolling`, `blue-green`, `canary` and `recreate`.
    pub strategies: BTreeMap<StrategyName, Strategy>,
    /// Who may do what. Without it, whoever runs the server may do everything, and nobody else anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// A team's own conditions, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<ConditionName, PolicyCondition>,
    /// When deployments are allowed, and when they are frozen, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<WindowName, Windows>,
    /// The systems in which changes have tickets, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tickets: BTreeMap<TicketSystemName, TicketSystem>,
    /// Sources of alerts that call us, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hooks: BTreeMap<HookName, Hook>,
    /// The servers that may be asked beside those of this machine.
    #[serde(default, skip_serializing_if = "AllowedUrls::is_empty")]
    pub allowed_urls: AllowedUrls,
    /// Scripts that somebody has looked at, by their path or by what they are called, with their digests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approved_scripts: BTreeMap<String, Digest>,
    /// How the sources of secrets are reached.
    #[serde(default, skip_serializing_if = "SecretSettings::is_default")]
    pub secrets: SecretSettings,
}

/// A service as every environment shares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Program and arguments; none if its image says what is run.
    pub run: Vec<String>,
    /// The file, folder or archive (`.tar`, `.tar.gz`, `.tgz`) that is deployed as processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<RelativePath>,
    /// The image that is deployed as containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageTemplate>,
    /// The port at which a container listens.
    #[serde(default = "container_port")]
    pub container_port: u16,
    /// How it is a workload of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesWorkload>,
    /// The port at which the edge serves it. Without one, a free port is chosen at the first deployment and kept.
    pub port: Option<u16>,
    /// Where an instance listens.
    #[serde(default)]
    pub listen: ListenOn,
    /// What an instance speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// What is probed.
    pub health: Health,
    /// Commands that must succeed against a new version before it takes traffic.
    pub smoke: Vec<Vec<String>>,
    /// How many instances run.
    pub replicas: u32,
    /// What one instance may use.
    pub resources: Resources,
    /// Environment variables.
    pub env: BTreeMap<VariableName, Value>,
    /// Services that must have been deployed to the same environment before this one.
    pub needs: Vec<ServiceName>,
    /// From SIGTERM to SIGKILL.
    #[serde(with = "duration_ms", rename = "stop_grace_ms")]
    pub stop_grace: Duration,
    /// From start to ready.
    #[serde(with = "duration_ms", rename = "start_timeout_ms")]
    pub start_timeout: Duration,
    /// What an instance is sent when a secret that it has as a file has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<ReloadSignal>,
}

/// What one instance may use; readings are compared with it. A limit that is not given is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Thousandths of a processor core.
    pub cpu_millis: Option<u32>,
    /// Bytes.
    pub memory_bytes: Option<u64>,
}

/// One place where services run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// What runs the instances.
    pub target: TargetSettings,
    /// The address at which services are served that have a port of their own.
    pub listen: IpAddr,
    /// The address that the other services share, if there are any.
    #[serde(default)]
    pub edge: Option<EdgeSettings>,
    /// How services are reached here, where that is not all defaults.
    #[serde(default)]
    pub exposures: BTreeMap<ServiceName, Exposure>,
    /// The strategy used unless a deployment names another.
    pub strategy: StrategyName,
    /// What a deployment to it needs.
    pub policy: Policy,
    /// What differs from the service's own settings.
    pub services: BTreeMap<ServiceName, ServiceOverride>,
    /// Where metrics are asked for.
    pub prometheus: Option<Prometheus>,
}

/// What one environment changes of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOverride {
    /// The port at which the edge serves it here.
    pub port: Option<u16>,
    /// How many instances run here.
    pub replicas: Option<u32>,
    /// Variables added or replaced here.
    pub env: BTreeMap<VariableName, Value>,
}

/// A Prometheus server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prometheus {
    /// Its base URL, `http://…` or `https://…`.
    pub url: String,
    /// A bearer token, if it wants one.
    pub token: Option<crate::SecretSource>,
}

/// How a release replaces another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// The kind with its own settings.
    pub kind: StrategyKind,
    /// How long each stage takes traffic before the next; the judge looks all the while.
    #[serde(with = "duration_ms", rename = "watch_ms")]
    pub watch: Duration,
    /// How long the old version stays warm after the last stage; the judge goes on looking.
    #[serde(with = "duration_ms", rename = "soak_ms")]
    pub soak: Duration,
    /// What takes a release back.
    pub roll_back_when: RollBackWhen,
    /// A watch ends early once it is certain that the new version does not fail so many times as often as the stable one, in
    /// thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_promotion: Option<u32>,
    /// The port of the environment's address at which the new version is reached before a switch of all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<u16>,
    /// Whether a switch of all at once waits for a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
    /// What the new version is compared with.
    #[serde(default, skip_serializing_if = "Baseline::is_stable")]
    pub baseline: Baseline,
}

impl Strategy {
    /// A kind with its times, and defaults for all else.
    pub fn new(kind: StrategyKind, watch: Duration, soak: Duration) -> Self {
        Self {
            kind,
            watch,
            soak,
            roll_back_when: RollBackWhen::default(),
            early_promotion: None,
            preview: None,
            hold: false,
            baseline: Baseline::Stable,
        }
    }
}

/// The kinds of strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyKind {
    /// A few instances at a time.
    Rolling {
        /// Instances above the wanted number.
        max_surge: RollingUnit,
        /// Instances below the wanted number.
        max_unavailable: RollingUnit,
    },
    /// All new instances beside the old, then one switch.
    BlueGreen,
    /// A growing share of the clients.
    Canary {
        /// Shares of the clients in hundredths of a percent, rising, the last one 10,000.
        steps: Vec<u32>,
    },
    /// Stop the old, start the new; requests wait meanwhile.
    Recreate,
    /// Stages that the team has listed itself.
    Steps {
        /// In order; the last one gives the new version everything.
        stages: Vec<Stage>,
    },
    /// One cohort of the clients after the other, then everybody.
    Cohorts {
        /// In order; the last one gives the new version everything.
        stages: Vec<Stage>,
    },
    /// Copies of requests, and then the end of the trial: the stable version goes on serving.
    Shadow {
        /// Which copies.
        copies: Copies,
    },
    /// Both versions side by side until one of them is known to be better; then the end of the trial, unless the new one has
    /// won and is to have everything.
    Ab {
        /// What is tried out.
        trial: AbTrial,
    },
}

impl StrategyKind {
    /// The name as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rolling { .. } => "rolling",
            Self::BlueGreen => "blue-green",
            Self::Canary { .. } => "canary",
            Self::Recreate => "recreate",
            Self::Steps { .. } => "steps",
            Self::Cohorts { .. } => "cohorts",
            Self::Shadow { .. } => "shadow",
            Self::Ab { .. } => "ab",
        }
    }
}

/// A number of instances, as such or as a share of the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollingUnit {
    /// So many instances.
    Count(u32),
    /// So many percent of the replicas.
    Percent(u32),
}

/// What takes a release back. `None` switches a trigger off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollBackWhen {
    /// Share of failed requests of the new version, in hundredths of a percent, that is too much. Default 5 %.
    pub error_rate: Option<u32>,
    /// Error rate as a multiple of the stable version's, in thousandths. Default 2×.
    pub errors_vs_stable: Option<u32>,
    /// p99 latency as a multiple of the stable version's, in thousandths. Default 1.5×.
    pub p99_vs_stable: Option<u32>,
    /// p95 latency as a multiple of the stable version's, in thousandths. Default 1.5×.
    pub p95_vs_stable: Option<u32>,
    /// So many failed probes of one instance in a row. Default 3.
    pub probe_failures: Option<u32>,
    /// Share of its processor limit that a new instance uses, in hundredths of a percent. Default 90 %.
    pub cpu: Option<u32>,
    /// Share of its memory limit that a new instance uses, in hundredths of a percent. Default 90 %.
    pub memory: Option<u32>,
    /// A critical alert fires in Prometheus. On by default where the environment has a Prometheus.
    pub critical_alerts: bool,
    /// Metrics of the team's own.
    pub metrics: Vec<Metric>,
    /// How those of them that are not critical are drawn together.
    #[serde(default, skip_serializing_if = "Score::is_default")]
    pub score: Score,
    /// Fewer requests than this to the new version prove nothing about its errors or latency. Default 50.
    pub min_requests: u64,
    /// How often a release may be taken back though it is no worse than allowed, in hundredths of a percent: shared among all
    /// tests of errors and latency that are on. Default 1 %.
    #[serde(default = "alpha", skip_serializing_if = "is_alpha")]
    pub alpha: u32,
    /// Triggers that only report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<Trigger>,
    /// Kayenta's judge beside the others, for teams that move over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kayenta: Option<Kayenta>,
    /// Share of the answers to copies that have another status than the user's, in hundredths of a percent, that is too much.
    /// Default 1 %.
    #[serde(default = "differing", skip_serializing_if = "is_differing")]
    pub shadow_status: Option<u32>,
    /// The same of answers with another body.
    #[serde(default = "differing", skip_serializing_if = "is_differing")]
    pub shadow_body: Option<u32>,
}

/// A trigger that Pilotage itself brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// See [`RollBackWhen::error_rate`].
    ErrorRate,
    /// See [`RollBackWhen::errors_vs_stable`].
    ErrorsVsStable,
    /// See [`RollBackWhen::p99_vs_stable`].
    P99VsStable,
    /// See [`RollBackWhen::p95_vs_stable`].
    P95VsStable,
    /// See [`RollBackWhen::probe_failures`].
    ProbeFailures,
    /// See [`RollBackWhen::cpu`].
    Cpu,
    /// See [`RollBackWhen::memory`].
    Memory,
    /// See [`RollBackWhen::critical_alerts`].
    Alerts,
    /// See [`RollBackWhen::kayenta`].
    Kayenta,
    /// See [`RollBackWhen::shadow_status`].
    ShadowStatus,
    /// See [`RollBackWhen::shadow_body`].
    ShadowBody,
}

impl Trigger {
    /// The words of the file.
    pub const WORDS: [(&'static str, Self); 11] = [
        ("error_rate", Self::ErrorRate),
        ("errors_vs_stable", Self::ErrorsVsStable),
        ("p99_vs_stable", Self::P99VsStable),
        ("p95_vs_stable", Self::P95VsStable),
        ("probe_failures", Self::ProbeFailures),
        ("cpu", Self::Cpu),
        ("memory", Self::Memory),
        ("alerts", Self::Alerts),
        ("kayenta", Self::Kayenta),
        ("shadow_status", Self::ShadowStatus),
        ("shadow_body", Self::ShadowBody),
    ];

    /// The trigger as written in the file.
    pub fn name(self) -> &'static str {
        Self::WORDS.into_iter().find(|(_, trigger)| *trigger == self).map_or("", |(name, _)| name)
    }
}

/// Kayenta's judge: scores of the edge's own figures over points in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kayenta {
    /// A score of this or more passes, from 0 to 100.
    pub pass: u32,
    /// A score below this takes the release back; between the two nothing is known.
    pub marginal: u32,
    /// The time between two points.
    #[serde(with = "duration_ms", rename = "every_ms")]
    pub every: Duration,
}

/// What containers listen at unless they are told otherwise.
const fn container_port() -> u16 {
    8080
}

const fn differing() -> Option<u32> {
    Some(100)
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn is_differing(share: &Option<u32>) -> bool {
    *share == differing()
}

const fn alpha() -> u32 {
    100
}

fn is_alpha(share: &u32) -> bool {
    *share == alpha()
}

impl Default for RollBackWhen {
    fn default() -> Self {
        Self {
            error_rate: Some(500),
            errors_vs_stable: Some(2_000),
            p99_vs_stable: Some(1_500),
            p95_vs_stable: Some(1_500),
            probe_failures: Some(3),
            cpu: Some(9_000),
            memory: Some(9_000),
            critical_alerts: true,
            metrics: Vec::new(),
            score: Score::default(),
            min_requests: 50,
            alpha: alpha(),
            dry_run: Vec::new(),
            kayenta: None,
            shadow_status: differing(),
            shadow_body: differing(),
        }
    }
}

impl Project {
    /// How one instance of a service is run in an environment, or `None` if either is not there. Which image it is depends on the
    /// version, and which objects on the target, so neither is said here.
    pub fn instance(&self, environment: &EnvironmentName, service: &ServiceName) -> Option<InstanceSpec> {
        let environment = self.environments.get(environment)?;
        let service_spec = self.services.get(service)?;
        // What means nothing to a target is no part of what is deployed there.
        let runs_images = environment.target.runs_images() != Some(false);
        let in_kubernetes = matches!(environment.target, TargetSettings::Kubernetes(_));
        let mut env = service_spec.env.clone();
        if let Some(overrides) = environment.services.get(service) {
            env.extend(overrides.env.clone());
        }
        Some(InstanceSpec {
            run: service_spec.run.clone(),
            env,
            health: service_spec.health.clone(),
            resources: service_spec.resources.clone(),
            stop_grace: service_spec.stop_grace,
            start_timeout: service_spec.start_timeout,
            smoke: service_spec.smoke.clone(),
            listen: service_spec.listen,
            protocol: service_spec.protocol,
            reload: service_spec.reload,
            image: None,
            container_port: runs_images.then_some(service_spec.container_port),
            kubernetes: in_kubernetes.then(|| service_spec.kubernetes.clone()).flatten(),
            objects: None,
        })
    }

    /// How a service is reached in an environment, or `None` if the environment is not there.
    pub fn exposure(&self, environment: &EnvironmentName, service: &ServiceName) -> Option<Exposure> {
        Some(self.environments.get(environment)?.exposures.get(service).cloned().unwrap_or_default())
    }

    /// How many instances of a service run in an environment, or `None` if either is not there.
    pub fn replicas(&self, environment: &EnvironmentName, service: &ServiceName) -> Option<u32> {
        let overrides = self.environments.get(environment)?.services.get(service);
        let own = self.services.get(service)?.replicas;
        Some(overrides.and_then(|o| o.replicas).unwrap_or(own))
    }

    /// The port at which the edge serves a service in an environment, if the file names one.
    pub fn port(&self, environment: &EnvironmentName, service: &ServiceName) -> Option<u16> {
        let overrides = self.environments.get(environment)?.services.get(service);
        overrides.and_then(|o| o.port).or(self.services.get(service)?.port)
    }
}
