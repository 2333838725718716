//! What travels between server and client, as JSON.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pilotage_access::TokenRecord;
use pilotage_conductor::{Live, Rerouted};
use pilotage_engine::gate::GateResult;
use pilotage_engine::{Opinion, Statement};
use pilotage_spec::{
    Capabilities, ClusterName, Digest, EnvironmentName, Identity, ImageReference, ProjectName, SignIn,
    SignInName, Verb,
};
use pilotage_targets::Inspection;
use pilotage_views::{HistoryLine, MovingStatus, WorkloadStatus};
use serde::{Deserialize, Serialize};

use crate::Stopped;

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The version of the server's binary.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// The project's file.
    pub project_file: PathBuf,
    /// Where everything is kept.
    pub state_folder: PathBuf,
}

/// What is where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The project's name, unless its file cannot be read now.
    pub project: Option<String>,
    /// Why the project's file cannot be read now.
    pub file_error: Option<String>,
    /// Set if everything is stopped.
    #[serde(default)]
    pub stopped: Option<Stopped>,
    /// Every workload that was ever deployed or is in the file.
    pub workloads: Vec<WorkloadStatus>,
}

/// How the target of an environment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// The environment.
    pub environment: EnvironmentName,
    /// What runs its instances: `process`, `docker`, `swarm`, `kubernetes` or `command`.
    pub kind: String,
    /// What can be done with traffic there; `None` if that cannot be found out now.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// What was found.
    pub inspection: Inspection,
}

/// How a cluster of the inventory stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// Its name in the file.
    pub name: ClusterName,
    /// Where it stands.
    #[serde(default)]
    pub region: Option<String>,
    /// The namespaces that environments may use.
    pub namespaces: Vec<String>,
    /// What was found.
    pub inspection: Inspection,
}

/// Forget which cluster a name led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetBody {
    /// The name.
    pub name: String,
}

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Whether anything was recorded.
    pub was_known: bool,
}

/// Bring a release out, or plan to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployBody {
    /// The service's name.
    pub service: String,
    /// The version, as `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// The environment's name or alias.
    pub environment: String,
    /// Another strategy than the environment's.
    #[serde(default)]
    pub strategy: Option<String>,
    /// Another artifact than the file's: an absolute path.
    #[serde(default)]
    pub artifact: Option<PathBuf>,
    /// Another image than the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageReference>,
    /// The environment's name as typed for confirmation.
    #[serde(default)]
    pub confirmation: Option<String>,
    /// The name of the change ticket.
    #[serde(default)]
    pub ticket: Option<String>,
    /// Why gates are to be gone past, if it is an emergency.
    #[serde(default)]
    pub emergency: Option<String>,
    /// What was typed, for the journal.
    pub command: String,
}

/// Go back to a release that served before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackBody {
    /// The service's name.
    pub service: String,
    /// The environment's name or alias.
    pub environment: String,
    /// Which version; the one before the current one if not given.
    #[serde(default)]
    pub to: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// What was typed, for the journal.
    pub command: String,
}

/// Give an order to the controller that runs the rollouts of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutBody {
    /// The service's name.
    pub service: String,
    /// The environment's name or alias.
    pub environment: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// For `promote`: without what is left of steps, pauses and analyses.
    #[serde(default)]
    pub full: bool,
    /// What was typed, for the journal.
    pub command: String,
}

/// Ask something of a deployment that is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// For `promote`: skip every watch but the soak, and not only the one that runs now.
    #[serde(default)]
    pub full: bool,
}

/// Say what one thinks of a plan that waits. Who says it is known from the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpinionBody {
    /// Approve, reject or withdraw.
    pub opinion: Opinion,
    /// The hash of the plan that was looked at.
    pub plan_hash: Digest,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// One deployment, as it is now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeploymentDetail {
    /// In one line.
    pub summary: HistoryLine,
    /// Its steps, and where it stands.
    pub status: MovingStatus,
    /// The hash of its plan, which approvals are bound to.
    pub plan_hash: Digest,
    /// What the gates said last.
    pub gates: Vec<GateResult>,
    /// What people have said of the plan.
    pub statements: Vec<Statement>,
    /// What is being measured; `None` unless it is under way.
    pub live: Option<Live>,
}

/// Copy the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupBody {
    /// Where to: an absolute path at which nothing is.
    pub path: PathBuf,
}

/// A copy of the journal that was made and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupDone {
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// The number of its entries.
    pub entries: u64,
}

/// What verifying the journal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Whether everything is as it was written.
    pub verified: bool,
    /// The number of entries, if it is.
    pub entries: Option<u64>,
    /// The root of the Merkle tree over them, if it is.
    pub root: Option<Digest>,
    /// What is not as it was written.
    pub findings: Vec<String>,
}

/// Bring back what was stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpBody {
    /// What was typed, for the journal.
    pub command: String,
}

/// What was deployed is kept up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpDone {
    /// Whether it was stopped until then.
    pub brought_back: bool,
    /// Routes that the file says otherwise by now.
    #[serde(default)]
    pub rerouted: Vec<Rerouted>,
}

/// Stop everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownBody {
    /// What was typed, for the journal.
    pub command: String,
    /// Even while a deployment is under way, which is then never finished: for state folders that are thrown away.
    #[serde(default)]
    pub force: bool,
}

/// Everything was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownDone {
    /// The workloads that were served until then, as `environment/service`.
    pub stopped: Vec<String>,
    /// Set if everything was stopped already; then nothing was recorded.
    #[serde(default)]
    pub already: Option<Stopped>,
}

/// Who asks, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// The project; `None` while its file cannot be read.
    pub project: Option<ProjectName>,
    /// By what the caller was recognised: `socket`, `token`, `session` or `workload`.
    pub credential: String,
    /// Who it is, with the roles that hold everywhere.
    pub identity: Identity,
    /// What it may do at one place at least.
    pub verbs: BTreeSet<Verb>,
    /// What it may do everywhere.
    pub everywhere: BTreeSet<Verb>,
}

/// A place where people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInPlace {
    /// What it is called.
    pub name: SignInName,
    /// Where it is.
    pub sign_in: SignIn,
}

/// Begin a session with an id token.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionBody {
    /// The token, as the issuer gave it.
    pub id_token: String,
    /// What the token must repeat.
    pub nonce: String,
}

/// Issue a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// To whom; the caller if not given.
    #[serde(default)]
    pub principal: Option<String>,
    /// What it is called.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Only for these verbs.
    #[serde(default)]
    pub verbs: Option<BTreeSet<Verb>>,
    /// Only in these environments, by name or alias.
    #[serde(default)]
    pub environments: Option<Vec<String>>,
    /// Only for these services.
    #[serde(default)]
    pub services: Option<Vec<String>>,
    /// How long it is good for.
    #[serde(default)]
    pub expires_seconds: Option<u64>,
}

/// A token that was issued. It is given this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenDone {
    /// The token.
    pub token: String,
    /// What is known of it.
    pub record: TokenRecord,
}

/// Nothing more to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}
