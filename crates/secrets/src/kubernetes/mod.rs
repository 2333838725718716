//! Secrets of Kubernetes, over its API: `GET /api/v1/namespaces/NAMESPACE/secrets/NAME`
//! (<https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/>).

mod cluster;
mod error;
mod kubeconfig;

use std::collections::BTreeMap;
use std::path::Path;

use http::StatusCode;
use pilotage_fetch::{bearer, described, request};
use pilotage_spec::{KubernetesSecret, KubernetesSecretSettings};
use serde::Deserialize;
use serde_json::Value;

use cluster::Cluster;
pub use error::KubernetesError;

use crate::{Known, Secret, base64};

/// So much of what the API says about a failure is repeated, in characters.
const WORDS_LIMIT: usize = 300;

/// Reads one key of a Secret.
pub(crate) async fn read(
    folder: &Path,
    settings: &KubernetesSecretSettings,
    wanted: &KubernetesSecret,
    known: &Known,
) -> Result<Secret, KubernetesError> {
    let cluster = Cluster::find(folder, settings, known).await?;
    let url = format!("{}/api/v1/namespaces/{}/secrets/{}", cluster.server, wanted.namespace, wanted.name);
    let token = cluster.token.as_ref().map(|token| token.expose_text().ok_or(KubernetesError::Token));
    let authorization = token.transpose()?.map(bearer).transpose().map_err(|_| KubernetesError::Token)?;
    let request = request(&url, authorization.as_ref()).map_err(|error| KubernetesError::Configuration {
        reason: format!("its server cannot be used: {error}"),
    })?;
    let answer = cluster.transport.send(request).await;
    let answer = answer.map_err(|error| KubernetesError::Unreachable {
        server: cluster.server.clone(),
        reason: error.to_string(),
    })?;
    let not_kubernetes = |reason| KubernetesError::NotKubernetes { server: cluster.server.clone(), reason };
    match answer.status() {
        StatusCode::OK => {
            let object: Object = serde_json::from_slice(answer.body())
                .map_err(|_| not_kubernetes(described(answer.body())))?;
            if object.kind != "Secret" {
                return Err(not_kubernetes("its answer is no Secret".to_owned()));
            }
            object.value(wanted)
        }
        status => match serde_json::from_slice::<Status>(answer.body()) {
            Ok(Status { kind, message }) if kind == "Status" => {
                Err(refused(&cluster, wanted, status, &words(&message.unwrap_or_default(), known)))
            }
            _ => Err(not_kubernetes(format!("status {}, {}", status.as_u16(), described(answer.body())))),
        },
    }
}

/// A Secret.
#[derive(Deserialize)]
struct Object {
    kind: String,
    /// In Base64; not there if there are none.
    #[serde(default)]
    data: Option<BTreeMap<String, Value>>,
}

/// How the API says that something has failed.
#[derive(Deserialize)]
struct Status {
    kind: String,
    message: Option<String>,
}

impl Object {
    fn value(self, wanted: &KubernetesSecret) -> Result<Secret, KubernetesError> {
        let mut data = self.data.unwrap_or_default();
        let Some(value) = data.remove(wanted.key.as_str()) else {
            let keys: Vec<String> = data.into_keys().take(20).collect();
            let keys = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
            return Err(KubernetesError::NoKey { wanted: wanted.to_string(), keys });
        };
        let bytes = value.as_str().and_then(base64::decode);
        bytes.map(Secret::new).ok_or_else(|| KubernetesError::NotBase64 { wanted: wanted.to_string() })
    }
}

fn refused(
    cluster: &Cluster,
    wanted: &KubernetesSecret,
    status: StatusCode,
    reason: &str,
) -> KubernetesError {
    let (server, wanted, reason) = (cluster.server.clone(), wanted.to_string(), reason.to_owned());
    match status.as_u16() {
        401 => KubernetesError::Unauthorized { server },
        403 => KubernetesError::Forbidden { wanted, reason },
        404 => KubernetesError::Missing { wanted, server },
        status => KubernetesError::Status { server, status, reason },
    }
}

fn words(message: &str, known: &Known) -> String {
    let text: String = known.text(message).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.chars().take(WORDS_LIMIT).collect()
}
