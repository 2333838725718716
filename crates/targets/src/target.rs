//! What every target can do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use async_trait::async_trait;
use pilotage_proxy::{Address, EdgeStats};
use pilotage_spec::{
    Capabilities, Cohort, ControllerOrder, Digest, EdgeSettings, EnvironmentName, ImageReference, Manifests,
    Mirror, Preview, Release, ReleaseId, RouteSettings, Timestamp, Version, Workload,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;

use crate::{ControllerRollout, Inspection};

/// The right to act on a workload: rises whenever another holder takes over, so that a late effect of an old holder is
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// Secrets that an instance was given anew while it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshedSecrets {
    /// The instance.
    pub instance: String,
    /// The references, as written in the file.
    pub references: Vec<String>,
}

/// What is to be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The files or the image.
    pub artifact: Artifact,
    /// The version that is made of it.
    pub version: Version,
    /// What its objects are made of, where Kubernetes runs it and they are not generated.
    pub manifests: Option<Manifests>,
}

impl Source {
    /// A version of an artifact, without manifests.
    pub fn new(artifact: Artifact, version: Version) -> Self {
        Self { artifact, version, manifests: None }
    }
}

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// A file, folder or archive of this machine.
    Path(PathBuf),
    /// An image.
    Image(ImageReference),
}

impl From<PathBuf> for Artifact {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The digest of the artifact, or of the image's manifest.
    pub digest: Digest,
    /// The digest of the objects that were rendered for it; the target keeps them.
    pub objects: Option<Digest>,
}

/// Something that runs instances and sends them traffic. Every method is idempotent: after a crash the conductor
/// observes and calls again.
#[async_trait]
pub trait Target: Send + Sync {
    /// What can be done with the traffic of a workload.
    async fn capabilities(&self, workload: &Workload) -> Result<Capabilities, TargetError>;

    /// Takes an artifact into the target's store, or finds the image that it names, and says its digest. Already there: nothing is
    /// copied.
    async fn stage(&self, workload: &Workload, source: &Source) -> Result<Staged, TargetError>;

    /// Says what is there. Never answered from memory alone: an instance that is listed has been asked.
    async fn observe(&self, workload: &Workload) -> Result<Observation, TargetError>;

    /// Starts instances until there are `replicas` of the release that are not failed, and keeps them up from then on.
    /// Does not wait until they are ready, and stops none.
    async fn ensure(
        &self,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError>;

    /// Says whether [`Target::route`] would be refused as things are, so that nothing is begun that cannot end: requests that
    /// another workload has, an address that another program listens at, a certificate that is not there. Changes nothing.
    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError>;

    /// Gives each version its share of the traffic in one atomic switch; returns when every worker of the data plane
    /// uses it. From then on the target keeps the endpoints behind the shares in step with what is ready.
    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError>;

    /// All that has been counted of requests since whoever counts began; `None` if nobody does.
    async fn stats(&self, workload: &Workload) -> Result<Option<EdgeStats>, TargetError>;

    /// Stops instances of the version gracefully until `keep` are left, first those that are not ready. Waits for
    /// requests in flight when the version has no share of the traffic any more.
    async fn retire(
        &self,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError>;

    /// Stops everything of the workload, and serves it no longer.
    async fn remove(&self, workload: &Workload, fence: Fence) -> Result<(), TargetError>;

    /// Reads the secrets that instances of the workload have as files anew, and gives those that have changed to the instances
    /// that have them, with the signal at which they read their files. What cannot be read stays as it was.
    async fn refresh_secrets(&self, workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError>;

    /// Looks whether an environment's engine can be reached and used, for whoever sets it up. Changes nothing. By default there is
    /// nothing that could be wrong.
    async fn inspect(&self, _environment: &EnvironmentName) -> Inspection {
        Inspection::default()
    }

    /// How the rollout of a workload is whose traffic a controller of somebody else's moves. By default there is no such controller.
    async fn controller_rollout(&self, _workload: &Workload) -> Result<ControllerRollout, TargetError> {
        Err(TargetError::without_controller())
    }

    /// Gives that controller an order, and says how its rollout is after it; the controller itself acts on it a little later.
    async fn order_rollout(
        &self,
        _workload: &Workload,
        _order: ControllerOrder,
    ) -> Result<ControllerRollout, TargetError> {
        Err(TargetError::without_controller())
    }

    /// Removes images of releases of an environment that nothing needs any more, and that can be had again; says of which releases.
    /// Those whose digest is in `keep` stay, and so does everything that is not provably ours. By default nothing is removed.
    async fn prune_images(
        &self,
        _environment: &EnvironmentName,
        _keep: &[Digest],
    ) -> Result<Vec<Digest>, TargetError> {
        Ok(Vec::new())
    }

    /// Changes whenever anything that `observe` would report may have changed, so that a crash is seen at once. Readings
    /// of processor and memory change all the time and are not news.
    fn changes(&self) -> watch::Receiver<u64>;

    /// The last lines that instances of the workload wrote, oldest first.
    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError>;
}

/// How the traffic of a workload is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Where users reach the workload; port 0 lets the target choose once and keep it.
    pub listen: SocketAddr,
    /// Shares in hundredths of a percent, the newest version first; they add up to 10,000. Empty: nobody is served.
    pub shares: Vec<(Version, u32)>,
    /// How long a request waits while no instance can take it, in milliseconds.
    pub hold_ms: u64,
    /// Which requests are its own, and what is done for them on the way.
    #[serde(default)]
    pub route: RouteSettings,
    /// How `listen` is served, if the workload shares it with others of its environment. Files are named by absolute paths.
    /// What one of them says last holds for all.
    #[serde(default)]
    pub edge: Option<EdgeSettings>,
    /// Clients that go to a version whatever the shares say.
    #[serde(default)]
    pub cohorts: Vec<Cohort>,
    /// Copies of requests to a version that is tried out.
    #[serde(default)]
    pub mirror: Option<Mirror>,
    /// A version that is also served at an address of its own.
    #[serde(default)]
    pub preview: Option<Preview>,
}

impl Traffic {
    /// No traffic yet, with defaults for all else.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            shares: Vec::new(),
            hold_ms: 0,
            route: RouteSettings::default(),
            edge: None,
            cohorts: Vec::new(),
            mirror: None,
            preview: None,
        }
    }

    /// Versions that get requests of users' address in another way than by a share; some of them may have a share too.
    pub fn by_cohort_or_copy(&self) -> impl Iterator<Item = &Version> {
        let cohorts = self.cohorts.iter().map(|cohort| &cohort.version);
        cohorts.chain(self.mirror.iter().map(|mirror| &mirror.version))
    }
}

/// The traffic as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// Where users reach the workload, with the port that was chosen.
    pub listen: SocketAddr,
    /// The epoch of the data plane's table.
    pub epoch: u64,
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When it was read.
    pub at: Timestamp,
    /// All instances of the workload that have not been stopped on purpose.
    pub instances: Vec<Instance>,
    /// The traffic as the data plane has it now, if the workload is served.
    pub traffic: Option<Traffic>,
}

impl Observation {
    /// The shares in use, in hundredths of a percent; empty if the workload is not served.
    pub fn shares(&self) -> BTreeMap<Version, u32> {
        self.traffic.iter().flat_map(|traffic| traffic.shares.iter().cloned()).collect()
    }

    /// Versions that get requests in another way than by a share: by cohort, as copies, or at an address of their own.
    pub fn beside(&self) -> BTreeSet<Version> {
        let preview = self.traffic.iter().filter_map(|traffic| traffic.preview.as_ref());
        let preview = preview.map(|preview| &preview.version);
        self.traffic.iter().flat_map(Traffic::by_cohort_or_copy).chain(preview).cloned().collect()
    }

    /// Where users reach the workload, if it is served.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.traffic.as_ref().map(|traffic| traffic.listen)
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name, unique in the target.
    pub name: String,
    /// What it runs.
    pub release: ReleaseId,
    /// How it is.
    pub state: InstanceState,
    /// Where it listens.
    pub address: Option<Address>,
    /// The process id, while one runs.
    pub pid: Option<u32>,
    /// When its process was started last.
    pub started_at: Option<Timestamp>,
    /// How often it was restarted after it had ended by itself.
    pub restarts: u32,
    /// Failed probes (readiness after it had been ready once, or liveness), in a row.
    pub probe_failures: u32,
    /// Processor use since the reading before, in thousandths of a core.
    pub cpu_millis: Option<u32>,
    /// Resident memory of its processes, in bytes.
    pub memory_bytes: Option<u64>,
}

/// How an instance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum InstanceState {
    /// Started, not ready yet.
    Starting,
    /// Takes traffic.
    Ready,
    /// Was ready, and fails its readiness probe.
    Unready,
    /// Ended by itself; it is started again after a pause.
    Waiting {
        /// How it ended, in words.
        reason: String,
    },
    /// Given up: it could not be started, or ended too often.
    Failed {
        /// Why, in words, with the last lines it wrote.
        reason: String,
    },
    /// Being stopped.
    Stopping,
    /// Its supervisor cannot be reached; whether it runs is unknown.
    Lost,
}

/// Which lines are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Only of this version.
    pub version: Option<Version>,
    /// At most so many of the last lines.
    pub lines: usize,
    /// Only lines written after this time.
    pub after: Option<Timestamp>,
}

/// One line that an instance wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// The instance's name.
    pub instance: String,
    /// The version of the instance.
    pub version: Version,
    /// Whether it came from standard error.
    pub stderr: bool,
    /// The text without its line break.
    pub text: String,
}

/// Why a target could not do what was asked.
#[derive(Debug, Error)]
pub enum TargetError {
    /// The artifact cannot be used as it is.
    #[error("artifact {path}: {reason}")]
    Artifact {
        /// The artifact's path.
        path: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The port at which users are to reach the workload is in use.
    #[error("port {} is in use by another program; free it, or choose another in {key}", .address.port())]
    PortInUse {
        /// The address.
        address: SocketAddr,
        /// Where the file says it.
        key: String,
    },
    /// The port of a preview is one at which users are served.
    #[error("port {} is served already; choose another in {key}", .address.port())]
    PortServed {
        /// The address.
        address: SocketAddr,
        /// Where the file says it.
        key: String,
    },
    /// Another workload has the requests already.
    #[error(
        "{workload} cannot have the requests for {host} and {path} at {listen}: {holder} has them; {mend}"
    )]
    Taken {
        /// The workload that asks for them.
        workload: String,
        /// The workload that has them.
        holder: String,
        /// The host, or `any host`.
        host: String,
        /// The beginning of their paths.
        path: String,
        /// The address.
        listen: SocketAddr,
        /// What to do.
        mend: String,
    },
    /// A file that encrypted connections need cannot be read.
    #[error("the file {path} of {key} cannot be read: {reason}; put it there, or correct its path")]
    CertificateFile {
        /// The file.
        path: String,
        /// Where the file of the project names it.
        key: String,
        /// Why.
        reason: String,
    },
    /// The engine does not answer. What runs there goes on; asking again is safe.
    #[error("{engine} cannot be reached: {reason}")]
    Unreachable {
        /// What was asked.
        engine: String,
        /// Why it does not answer, and what to look at.
        reason: String,
    },
    /// The engine says no, and will until somebody changes something.
    #[error("{engine}: {reason}")]
    Refused {
        /// What was asked.
        engine: String,
        /// What was wrong, and what to do.
        reason: String,
    },
    /// An image cannot be had.
    #[error("image {image}: {reason}")]
    Image {
        /// Its name.
        image: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The target cannot do what was asked, now or ever.
    #[error("{what} is not possible here; {mend}")]
    Unsupported {
        /// What was asked.
        what: String,
        /// What to do instead.
        mend: String,
    },
    /// Somebody else owns part of an object.
    #[error("{object}: {manager} owns {fields}; let it go there, or take it out of what {manager} applies")]
    Conflict {
        /// The object.
        object: String,
        /// Who owns it.
        manager: String,
        /// What of it.
        fields: String,
    },
    /// We may not do it.
    #[error("{what} is not allowed to us; add the rule {rule}")]
    Forbidden {
        /// What was to be done.
        what: String,
        /// What would allow it.
        rule: String,
    },
    /// A name leads to another engine or cluster than before.
    #[error(
        "`{name}` was {recorded} when it was used first, and is {found} now; if that is meant, `pilotage clusters forget {name}`"
    )]
    Identity {
        /// The name.
        name: String,
        /// Who answered at the first use.
        recorded: String,
        /// Who answers now.
        found: String,
    },
    /// Another holder has taken over the workload.
    #[error("another deployment has taken over {workload} (token {held}, ours is {ours})")]
    Fenced {
        /// The workload.
        workload: String,
        /// The highest token seen.
        held: u64,
        /// The token that was used.
        ours: u64,
    },
    /// There is no room left.
    #[error("the disk that holds {path} is full; free some space and try again")]
    DiskFull {
        /// What was being written.
        path: String,
    },
    /// A secret that an instance needs cannot be read.
    #[error("secret {reference}: {reason}")]
    Secret {
        /// The reference as written in the file.
        reference: String,
        /// Why.
        reason: String,
    },
    /// Anything else, with what was being done.
    #[error("{doing}: {reason}")]
    Failed {
        /// What was being done.
        doing: String,
        /// Why it failed.
        reason: String,
    },
}
