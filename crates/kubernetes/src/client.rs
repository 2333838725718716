//! How a cluster is reached: as the pod that we are, or by a kubeconfig. Nothing is connected before something is asked, so
//! that a cluster out of reach holds nobody up.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use pilotage_spec::{ClusterReach, KubernetesSettings};
use pilotage_targets::TargetError;
use tokio::sync::Mutex;

use crate::cluster::Cluster;
use crate::config::KubernetesConfig;
use crate::identity::{ClusterIdentity, Identities, name_of};
use crate::names::Owner;

/// A server that is there answers sooner.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Under which name we own fields of objects.
const FIELD_MANAGER: &str = "pilotage";
/// The environment variable that names the usual kubeconfig.
const KUBECONFIG: &str = "KUBECONFIG";

/// The way to the cluster of one environment.
pub(crate) struct Connection {
    settings: KubernetesSettings,
    way: Way,
    owner: Owner,
    identities: Identities,
    opened: Mutex<Option<Opened>>,
}

struct Opened {
    cluster: Cluster,
    identity: ClusterIdentity,
    /// When the kubeconfig was written: people log in again while we run.
    written: Option<SystemTime>,
}

impl Connection {
    /// The cluster of an environment.
    pub fn new(config: &KubernetesConfig) -> Self {
        Self {
            settings: config.settings.clone(),
            way: Way {
                engine: engine(&config.settings),
                reach: config.settings.reach.clone(),
                project_folder: config.project_folder.clone(),
            },
            identities: Identities::at(&config.state_folder),
            owner: Owner { project: config.project.clone(), environment: config.environment.clone() },
            opened: Mutex::default(),
        }
    }

    /// What the cluster is called in messages.
    pub fn engine(&self) -> String {
        self.way.engine.clone()
    }

    /// The cluster, by the credentials of this moment.
    pub async fn cluster(&self) -> Result<Cluster, TargetError> {
        Ok(self.identified().await?.0)
    }

    /// The same with who it is.
    pub async fn identified(&self) -> Result<(Cluster, ClusterIdentity), TargetError> {
        let mut opened = self.opened.lock().await;
        let written = self.way.kubeconfig().and_then(|path| written(&path));
        if let Some(opened) = opened.as_ref().filter(|opened| opened.written == written) {
            return Ok((opened.cluster.clone(), opened.identity.clone()));
        }
        let (client, authorities) = self.way.client().await?;
        // Before anything else is asked of it: the way may lead elsewhere by now.
        let name = name_of(&self.settings);
        let identity = self.identities.verify(&name, &client, authorities.as_deref()).await?;
        let namespace = self.settings.namespace.to_string();
        let cluster =
            Cluster::new(self.engine(), client, namespace, FIELD_MANAGER.to_owned(), self.owner.clone());
        *opened = Some(Opened { cluster: cluster.clone(), identity: identity.clone(), written });
        Ok((cluster, identity))
    }
}

/// What the cluster of a target is called in messages.
fn engine(settings: &KubernetesSettings) -> String {
    match (&settings.cluster, &settings.reach) {
        (Some(name), _) => format!("cluster {name}"),
        (None, ClusterReach::Kubeconfig { context: Some(context), .. }) => format!("cluster {context}"),
        _ => "the cluster".to_owned(),
    }
}

/// The way to a cluster, whoever goes it.
pub(crate) struct Way {
    /// What the cluster is called in messages.
    pub engine: String,
    /// How it is reached.
    pub reach: ClusterReach,
    /// Where relative paths begin.
    pub project_folder: PathBuf,
}

/// A client, and the certificates in DER by which the server is trusted; without any, those of the machine are.
pub(crate) type Reached = (Client, Option<Vec<Vec<u8>>>);

impl Way {
    /// The file that credentials are read from, if it is one.
    fn kubeconfig(&self) -> Option<PathBuf> {
        match &self.reach {
            ClusterReach::InCluster => None,
            ClusterReach::Kubeconfig { file: Some(file), .. } => Some(self.project_folder.join(file)),
            ClusterReach::Kubeconfig { file: None, .. } | ClusterReach::Usual => usual_kubeconfig(),
        }
    }

    /// A client by the credentials of this moment. Nothing is connected yet.
    pub async fn client(&self) -> Result<Reached, TargetError> {
        let mut config = match &self.reach {
            ClusterReach::InCluster => in_cluster(&self.engine)?,
            ClusterReach::Usual if runs_in_cluster() => in_cluster(&self.engine)?,
            ClusterReach::Usual => self.by_kubeconfig(None).await?,
            ClusterReach::Kubeconfig { context, .. } => self.by_kubeconfig(context.clone()).await?,
        };
        config.connect_timeout = Some(CONNECT_LIMIT);
        if config.accept_invalid_certs {
            tracing::warn!(
                engine = self.engine,
                "its kubeconfig accepts any certificate (`insecure-skip-tls-verify`)"
            );
        }
        let authorities = config.root_cert.clone();
        let client = Client::try_from(config).map_err(|error| self.unusable(&error.to_string()))?;
        Ok((client, authorities))
    }

    async fn by_kubeconfig(&self, context: Option<String>) -> Result<Config, TargetError> {
        let path = self.kubeconfig().ok_or_else(|| {
            self.unusable("there is no kubeconfig: set `kubeconfig`, or the variable KUBECONFIG")
        })?;
        let read = Kubeconfig::read_from(&path).map_err(|error| self.unreadable(&path, &error))?;
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(read, &options).await;
        config.map_err(|error| self.unreadable(&path, &error))
    }

    fn unreadable(&self, path: &Path, error: &KubeconfigError) -> TargetError {
        self.unusable(&format!("{}: {error}", path.display()))
    }

    fn unusable(&self, reason: &str) -> TargetError {
        TargetError::Failed { doing: format!("find the way to {}", self.engine), reason: reason.to_owned() }
    }
}

fn in_cluster(engine: &str) -> Result<Config, TargetError> {
    Config::incluster().map_err(|error| TargetError::Failed {
        doing: format!("find the way to {engine} from inside"),
        reason: format!("{error}; is there a service account with a token?"),
    })
}

/// Whether we are a pod: the kubelet sets this variable in every container.
fn runs_in_cluster() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// The first file of the variable, else the one in the home folder; as `kubectl` looks for it.
fn usual_kubeconfig() -> Option<PathBuf> {
    let told = std::env::var_os(KUBECONFIG).filter(|paths| !paths.is_empty());
    match told {
        Some(paths) => std::env::split_paths(&paths).find(|path| !path.as_os_str().is_empty()),
        None => std::env::home_dir().map(|home| home.join(".kube/config")),
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}
