//! The ConfigMap of what is to be served: reading it, and changing the key of one service.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use pilotage_proxy::RoutingTable;
use pilotage_spec::{Digest, ServiceName, Version, Workload};
use pilotage_targets::{EndpointSource, Serving, TargetError, Traffic, build_table};
use serde_json::json;
use tokio::sync::watch;

use super::ports;
use crate::cluster::{Cluster, Patched};
use crate::edge::{Entry, FORMAT, config_map_name, digest_of};
use crate::names;

/// How often a change is tried that somebody else's came in between of.
const ATTEMPTS: u32 = 10;
/// What the API server takes of one object at most, in bytes, with room for its metadata.
const SIZE_LIMIT_BYTES: usize = 900 * 1024;

/// The ConfigMap as it is now.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) resource_version: Option<String>,
    pub(super) entries: BTreeMap<ServiceName, Entry>,
    /// All of it, as text.
    bytes: usize,
}

impl Record {
    /// Reads it. A key that cannot be read is as one that is not there: it is written anew by whoever wants it.
    pub(super) async fn read(cluster: &Cluster) -> Result<Self, TargetError> {
        let name = config_map_name(&cluster.owner().environment);
        let found = cluster.get(&cluster.api::<ConfigMap>(), &name).await?;
        Ok(found.map(Self::of).unwrap_or_default())
    }

    fn of(config_map: ConfigMap) -> Self {
        let data = config_map.data.unwrap_or_default();
        let bytes = data.iter().map(|(key, text)| key.len() + text.len()).sum();
        let entry = |(key, text): (String, String)| {
            let entry: Entry = serde_json::from_str(&text).ok()?;
            Some((key.parse().ok()?, entry)).filter(|(_, entry): &(_, Entry)| entry.format == FORMAT)
        };
        let entries = data.into_iter().filter_map(entry).collect();
        Self { resource_version: config_map.metadata.resource_version, entries, bytes }
    }

    /// The key that a workload is to have, with the ports that it has or gets; refused if the edge could not serve it beside the
    /// others.
    pub(super) fn entry(&self, workload: &Workload, traffic: &Traffic) -> Result<Entry, TargetError> {
        let (port, preview_port) = ports::choose(&workload.service, traffic, &self.entries)
            .ok_or_else(|| failed(workload, "edge pods have no port left".to_owned()))?;
        let entry = Entry { format: FORMAT, port, preview_port, traffic: traffic.clone() };
        let mut all = self.entries.clone();
        all.insert(workload.service.clone(), entry.clone());
        let any = std::net::Ipv4Addr::UNSPECIFIED.into();
        let workload_of = |service: &ServiceName| Workload { service: service.clone(), ..workload.clone() };
        let served = all.iter().map(|(service, entry)| (workload_of(service), entry.in_pod(any))).collect();
        let table = build_table(&served, &Nobody, &RoutingTable::empty());
        table.validate().map_err(|fault| failed(workload, fault.to_string()))?;
        Ok(entry)
    }

    /// Writes the key of a workload, and says its digest. One patch; whoever changes another key at the same time is not in the
    /// way, unless a port has to be chosen.
    pub(super) async fn write(
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<(Entry, Digest), TargetError> {
        for _ in 0..ATTEMPTS {
            let record = Self::read(cluster).await?;
            let entry = record.entry(workload, traffic)?;
            let text = serde_json::to_string(&entry).map_err(|error| failed(workload, error.to_string()))?;
            if record.bytes + text.len() > SIZE_LIMIT_BYTES {
                return Err(failed(
                    workload,
                    "one environment has more services than a ConfigMap holds".to_owned(),
                ));
            }
            let digest = digest_of(&text);
            let before = record.entries.get(&workload.service);
            if before == Some(&entry) {
                return Ok((entry, digest));
            }
            let ports = |entry: &Entry| (entry.port, entry.preview_port);
            let chosen_anew = before.map(ports) != Some(ports(&entry));
            let guard = record.resource_version.as_deref().filter(|_| chosen_anew);
            if put(cluster, workload, Some(&text), guard, record.resource_version.is_some()).await? {
                return Ok((entry, digest));
            }
        }
        Err(failed(workload, "somebody else changes the ConfigMap all the time".to_owned()))
    }

    /// Takes the key of a workload away, and says what is left.
    pub(super) async fn forget(cluster: &Cluster, workload: &Workload) -> Result<Self, TargetError> {
        let record = Self::read(cluster).await?;
        if record.resource_version.is_some() {
            put(cluster, workload, None, None, true).await?;
        }
        Self::read(cluster).await
    }
}

/// Changes one key; false if somebody else's change came in between.
async fn put(
    cluster: &Cluster,
    workload: &Workload,
    text: Option<&str>,
    resource_version: Option<&str>,
    exists: bool,
) -> Result<bool, TargetError> {
    let api = cluster.api::<ConfigMap>();
    let name = config_map_name(&cluster.owner().environment);
    let mut change = json!({ "data": { workload.service.as_str(): text } });
    if let Some(version) = resource_version {
        change["metadata"] = json!({ "resourceVersion": version });
    }
    if exists {
        return Ok(matches!(cluster.patch::<ConfigMap>(&api, &name, &change).await?, Patched::Done(_)));
    }
    let Some(text) = text else { return Ok(true) };
    let mut config_map = ConfigMap::default();
    let labels = [
        (names::MANAGED_BY, names::PILOTAGE.to_owned()),
        (names::PROJECT, cluster.owner().project.to_string()),
        (names::ENVIRONMENT, cluster.owner().environment.to_string()),
    ];
    config_map.metadata.name = Some(name);
    config_map.metadata.labels = Some(labels.map(|(name, value)| (name.to_owned(), value)).into());
    config_map.data = Some([(workload.service.to_string(), text.to_owned())].into());
    Ok(cluster.create(&api, &config_map).await?.is_some())
}

fn failed(workload: &Workload, reason: String) -> TargetError {
    TargetError::Failed { doing: format!("serve {workload} by edge pods"), reason }
}

/// For a table of which only the addresses matter.
struct Nobody;

impl EndpointSource for Nobody {
    fn serving(&self, _: &Workload, _: &Version) -> Option<Serving> {
        None
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}
