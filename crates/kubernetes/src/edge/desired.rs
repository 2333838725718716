//! What edge pods are to serve: one ConfigMap an environment, with one key a service.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::ConfigMap;
use pilotage_spec::{Digest, EnvironmentName, ServiceName, Workload};
use pilotage_targets::Traffic;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The version of what stands under a key. A feeder refuses a newer one, and goes on with what it had of that service: a setting
/// that it does not know may be the one that matters.
pub(crate) const FORMAT: u32 = 1;

/// The ConfigMap of an environment.
pub(crate) fn config_map_name(environment: &EnvironmentName) -> String {
    format!("pilotage-edge-{environment}")
}

/// What stands under the key of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The version of this format; see [`FORMAT`].
    pub(crate) format: u32,
    /// The port at which edge pods serve it, chosen once. Workloads of one shared address share one.
    pub(crate) port: u16,
    /// The port at which edge pods serve its preview, chosen once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preview_port: Option<u16>,
    /// How its traffic is shared. Its addresses are those of users; pods listen at the ports above.
    pub(crate) traffic: Traffic,
}

impl Entry {
    /// The traffic as a pod is to serve it, on all of its addresses of that family.
    pub(crate) fn in_pod(&self, any: IpAddr) -> Traffic {
        let mut traffic = self.traffic.clone();
        traffic.listen = SocketAddr::new(any, self.port);
        if let Some(edge) = &mut traffic.edge {
            edge.listen = traffic.listen;
        }
        let port = self.preview_port;
        traffic.preview = traffic.preview.zip(port).map(|(mut preview, port)| {
            preview.listen = SocketAddr::new(any, port);
            preview
        });
        traffic
    }
}

/// How a key's text is told from another: pods report it for what they have in force.
pub(crate) fn digest_of(text: &str) -> Digest {
    Digest::from_bytes(Sha256::digest(text.as_bytes()).into())
}

/// What is to be served, as last read from the ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Desired {
    /// The resource version of the ConfigMap.
    pub(super) resource_version: String,
    /// By service; each with the digest of its text.
    pub(super) entries: BTreeMap<ServiceName, (Entry, Digest)>,
    /// Why what stands under a key is not used, by key.
    pub(super) faults: BTreeMap<String, String>,
}

impl Desired {
    /// Reads the ConfigMap. A key that cannot be used leaves its service as it was `before`, and is a fault.
    pub(super) fn read(config_map: &ConfigMap, before: &Self) -> Self {
        let mut desired = Self {
            resource_version: config_map.metadata.resource_version.clone().unwrap_or_default(),
            ..Self::default()
        };
        for (key, text) in config_map.data.iter().flatten() {
            let Ok(service) = key.parse::<ServiceName>() else {
                desired.faults.insert(key.clone(), "no service is called so".to_owned());
                continue;
            };
            match entry(text) {
                Ok(entry) => {
                    desired.entries.insert(service, (entry, digest_of(text)));
                }
                Err(reason) => {
                    desired.faults.insert(key.clone(), reason);
                    if let Some(kept) = before.entries.get(&service) {
                        desired.entries.insert(service, kept.clone());
                    }
                }
            }
        }
        desired
    }

    /// The traffic of each workload of the environment, as a pod is to serve it.
    pub(super) fn traffic(&self, environment: &EnvironmentName, any: IpAddr) -> BTreeMap<Workload, Traffic> {
        let of =
            |service: &ServiceName| Workload { environment: environment.clone(), service: service.clone() };
        self.entries.iter().map(|(service, (entry, _))| (of(service), entry.in_pod(any))).collect()
    }
}

fn entry(text: &str) -> Result<Entry, String> {
    /// Read first: what comes after it may be of another shape in another format.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!(
            "its format is {format}, and this edge reads {FORMAT}; let edge pods and control plane be of the same version"
        ));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}
