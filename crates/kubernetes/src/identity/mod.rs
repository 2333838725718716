//! By what a cluster is known, however it is reached.
//!
//! A context is a line in a file: it may lead to another cluster tomorrow. So a cluster's identity is recorded when a name is
//! used for the first time, and compared whenever it is connected to.

mod record;

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use pilotage_spec::{ClusterReach, Digest, KubernetesSettings};
use pilotage_targets::TargetError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::answer;

pub use record::Identities;

/// The namespace that every cluster has from its beginning; its UID is the usual identity of a cluster
/// (<https://opentelemetry.io/docs/specs/semconv/resource/k8s/#cluster>).
const OLDEST_NAMESPACE: &str = "kube-system";
/// How long the cluster may take to say it.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// By what a cluster is known. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterIdentity {
    /// The UID of the namespace `kube-system`, unless we may not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The digest of the certificate authorities that its API server is trusted by, unless those of the machine are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Digest>,
}

impl ClusterIdentity {
    /// Whether both can be the same cluster: something is known of both, and nothing differs. A certificate authority may be
    /// that of many clusters, and a UID comes back with a restored backup; so both have to agree.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let pair = |agrees: Option<bool>| agrees.unwrap_or(true);
        let uid = self.uid.as_ref().zip(other.uid.as_ref()).map(|(one, other)| one == other);
        let authority =
            self.authority.as_ref().zip(other.authority.as_ref()).map(|(one, other)| one == other);
        (uid.is_some() || authority.is_some()) && pair(uid) && pair(authority)
    }

    /// What is known of the same cluster by both.
    fn joined(&self, other: &Self) -> Self {
        Self {
            uid: self.uid.clone().or_else(|| other.uid.clone()),
            authority: self.authority.clone().or_else(|| other.authority.clone()),
        }
    }
}

impl fmt::Display for ClusterIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.uid {
            Some(uid) => write!(f, "cluster {uid}")?,
            None => f.write_str("a cluster of unknown UID")?,
        }
        match &self.authority {
            Some(authority) => write!(f, " (authority {})", authority.short()),
            None => Ok(()),
        }
    }
}

/// Under which name the cluster of a target is known again: its own in the inventory, else that of its context, with the file that
/// has it.
pub(crate) fn name_of(settings: &KubernetesSettings) -> String {
    match (&settings.cluster, &settings.reach) {
        (Some(name), _) => name.to_string(),
        (None, ClusterReach::InCluster) => "in-cluster".to_owned(),
        (None, ClusterReach::Usual) => "usual".to_owned(),
        (None, ClusterReach::Kubeconfig { file, context }) => {
            let context = context.as_deref().unwrap_or("current-context");
            file.as_ref().map_or_else(|| context.to_owned(), |file| format!("{context}@{file}"))
        }
    }
}

/// Asks a cluster who it is. `authorities`: the certificates, in DER, by which its API server is trusted.
///
/// # Errors
/// Fails if it does not answer, or if nothing can be known of it.
pub(crate) async fn identify(
    engine: &str,
    client: &Client,
    authorities: Option<&[Vec<u8>]>,
) -> Result<ClusterIdentity, TargetError> {
    let doing = "ask which cluster it is";
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let asked = tokio::time::timeout(TIME_LIMIT, namespaces.get_metadata(OLDEST_NAMESPACE)).await;
    let uid = match asked {
        Ok(Ok(namespace)) => namespace.metadata.uid.filter(|uid| !uid.is_empty()),
        // Those who may only use their own namespace still know the certificate authority.
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 403 | 404) => None,
        Ok(Err(error)) => return Err(answer::refusal(engine, doing, &error).into()),
        Err(_) => return Err(answer::late(engine, doing, TIME_LIMIT).into()),
    };
    let authority = authorities.filter(|authorities| !authorities.is_empty()).map(digest);
    if uid.is_none() && authority.is_none() {
        return Err(TargetError::Forbidden {
            what: format!(
                "reading the namespace {OLDEST_NAMESPACE}, by which {engine} could be known again,"
            ),
            rule: format!(
                "apiGroups: [\"\"], resources: [\"namespaces\"], resourceNames: [\"{OLDEST_NAMESPACE}\"], verbs: [\"get\"] to a \
                 ClusterRole, or write the cluster's `certificate-authority-data` into its kubeconfig"
            ),
        });
    }
    Ok(ClusterIdentity { uid, authority })
}

fn digest(authorities: &[Vec<u8>]) -> Digest {
    // Their order in the file says nothing.
    let mut each: Vec<[u8; 32]> = authorities.iter().map(|der| Sha256::digest(der).into()).collect();
    each.sort_unstable();
    Digest::from_bytes(Sha256::digest(each.concat()).into())
}

#[cfg(test)]
mod tests;
