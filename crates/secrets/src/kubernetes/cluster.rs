//! Which cluster is asked, and as whom.

use std::path::{Path, PathBuf};

use pilotage_fetch::{ClientIdentity, Transport};
use pilotage_spec::KubernetesSecretSettings;

use super::KubernetesError;
use super::kubeconfig::{self, Access};
use crate::file::read_bytes;
use crate::{Known, Secret};

/// Where Kubernetes puts a pod's credentials; see "Accessing the Kubernetes API from a Pod".
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A cluster that can be asked.
pub(super) struct Cluster {
    /// The base URL of its API, without a slash at the end.
    pub(super) server: String,
    /// Who asks, unless a certificate says it.
    pub(super) token: Option<Secret>,
    pub(super) transport: Transport,
}

impl Cluster {
    /// What the settings name; or the cluster in which this process runs; or what `kubectl` would ask.
    pub(super) async fn find(
        folder: &Path,
        settings: &KubernetesSecretSettings,
        known: &Known,
    ) -> Result<Self, KubernetesError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let in_cluster = variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT"));
        let named = settings.kubeconfig.as_ref().map(|path| folder.join(path));
        let usual = move || {
            let told = variable("KUBECONFIG")
                .map(|paths| PathBuf::from(paths.split(':').next().unwrap_or_default()));
            told.or_else(|| Some(Path::new(&variable("HOME")?).join(".kube/config")))
        };
        let context = settings.context.clone();
        let access = move || match (named, in_cluster) {
            (Some(path), _) => kubeconfig::read_file(&path, context.as_deref()),
            (None, Some((host, port))) if context.is_none() => own(&host, &port, Path::new(SERVICE_ACCOUNT)),
            (None, _) => match usual().filter(|path| path.is_file()) {
                Some(path) => kubeconfig::read_file(&path, context.as_deref()),
                None => Err(KubernetesError::NoCluster),
            },
        };
        let access = tokio::task::spawn_blocking(access).await.map_err(|_| KubernetesError::NoCluster)??;
        known.learn(access.token.as_slice());
        Self::new(access)
    }

    fn new(access: Access) -> Result<Self, KubernetesError> {
        let unusable = |reason: String| KubernetesError::Configuration { reason };
        let identity = access.identity.as_ref();
        let identity = identity.map(|(chain, key)| ClientIdentity { chain, key: key.expose() });
        let is_tls = access.server.starts_with("https://");
        let transport = match (&access.authority, identity) {
            (Some(authority), identity) if is_tls => {
                Transport::trusting(authority, identity).map_err(|error| unusable(error.to_string()))?
            }
            (_, Some(_)) => {
                return Err(unusable(
                    "a client certificate needs `https` and the certificate authority of the cluster"
                        .to_owned(),
                ));
            }
            (_, None) => Transport::new(is_tls).map_err(|error| unusable(error.to_string()))?,
        };
        Ok(Self { server: access.server, token: access.token, transport })
    }
}

/// The cluster in which this process runs.
fn own(host: &str, port: &str, folder: &Path) -> Result<Access, KubernetesError> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Ok(Access {
        server: format!("https://{host}:{port}"),
        authority: Some(read_bytes(&folder.join("ca.crt"))?.to_vec()),
        // Read anew for each use: Kubernetes replaces it every hour.
        token: Some(crate::file::read(&folder.join("token"))?),
        identity: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_asks_its_own_cluster_with_its_own_token() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), "authority").unwrap();
        std::fs::write(folder.path().join("token"), "pod-token\n").unwrap();
        let access = own("10.0.0.1", "443", folder.path()).unwrap();
        assert_eq!(access.server, "https://10.0.0.1:443");
        assert_eq!(access.token.unwrap().expose(), b"pod-token");
        assert_eq!(access.authority.unwrap(), b"authority");
        assert_eq!(own("fd00::1", "6443", folder.path()).unwrap().server, "https://[fd00::1]:6443");
        let missing = own("10.0.0.1", "443", Path::new("/nowhere")).err().unwrap();
        assert!(missing.to_string().starts_with("/nowhere/ca.crt cannot be read"), "{missing}");
    }
}
