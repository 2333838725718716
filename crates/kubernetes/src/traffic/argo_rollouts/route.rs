//! A Rollout as the route of a workload: Pilotage hands the version over, Argo's controller rolls it out by its own steps.
//!
//! The Rollout and its Services are the team's, or made from [`super::RolloutRequest`]. To deploy, it (or the Deployment whose
//! pods it runs) gets the pods' template of the version; to take back, it is told to abort.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use pilotage_spec::{Capabilities, Version, Weights, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use serde_json::{Value, json};

use super::super::TrafficRoute;
use super::super::kind::ROLLOUT;
use super::super::objects::{Changed, Objects};
use super::super::pod_template::{self, labels_of, version_of};
use super::super::refusal::Refusal;
use super::super::scene::{NOWHERE, text};
use super::super::services::Services;
use super::super::shares::ALL;
use super::read::RolloutState;
use super::{ArgoRollouts, RolloutOrder, drive};
use crate::cluster::Cluster;

/// The label by which Argo tells the pods of one template from those of another.
const TEMPLATE_HASH: &str = "rollouts-pod-template-hash";

/// The only version that is to be served.
fn wanted(traffic: &Traffic) -> Result<Option<&Version>, Refusal> {
    let served: Vec<&Version> =
        traffic.shares.iter().filter(|(_, share)| *share > 0).map(|(version, _)| version).collect();
    match served.as_slice() {
        _ if !traffic.cohorts.is_empty() || traffic.mirror.is_some() || traffic.preview.is_some() => {
            Err(not_ours("cohorts, copies or a preview"))
        }
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        _ => Err(not_ours("shares of the traffic")),
    }
}

fn not_ours(what: &str) -> Refusal {
    Refusal::new(
        format!("{what} with `traffic: argo-rollouts`, whose controller moves the traffic itself"),
        "use blue-green here and put the steps into the Rollout, or use another `traffic`",
    )
}

/// What is there.
struct Found {
    objects: Objects,
    rollout: Value,
    services: Services,
    /// The Deployment whose pods it runs, if they are not its own.
    pods: Option<Deployment>,
    /// The version that it is to run.
    newer: Option<Version>,
    /// The version that it has run last with success.
    stable: Option<Version>,
}

impl Found {
    async fn of(cluster: &Cluster, workload: &Workload) -> Result<Option<Self>, TargetError> {
        let Some(objects) = Objects::find(cluster, &ROLLOUT).await? else { return Ok(None) };
        let services = Services::of(cluster, workload).await?;
        let Some(rollout) = objects.get(&services.scene.service).await? else { return Ok(None) };
        let pods = match text(&rollout, "/spec/workloadRef/name") {
            Some(name) => cluster.get(&cluster.api::<Deployment>(), name).await?,
            None => None,
        };
        let own: Option<BTreeMap<String, String>> = labels(&rollout, "/spec/template/metadata/labels");
        let newer = version_of(pods.as_ref().map_or(own.as_ref(), labels_of), &services);
        let stable = stable(cluster, &rollout, &services).await?;
        Ok(Some(Self { objects, rollout, services, pods, newer, stable }))
    }

    async fn need(cluster: &Cluster, workload: &Workload) -> Result<Self, TargetError> {
        Self::of(cluster, workload).await?.ok_or_else(|| TargetError::Unsupported {
            what: format!("`traffic: argo-rollouts` without a Rollout `{}`", workload.service),
            mend: "create it with its Services".to_owned(),
        })
    }

    /// Gives the pods' template of the version to whoever holds the one that is rolled out.
    async fn hand_over(&self, cluster: &Cluster, version: &Version) -> Result<(), TargetError> {
        let selector = labels(&self.rollout, "/spec/selector/matchLabels").unwrap_or_default();
        let template = pod_template::handed_over(cluster, &self.services, version, &selector).await?;
        if let Some(name) = self.pods.as_ref().and_then(|pods| pods.metadata.name.as_deref()) {
            return pod_template::give(cluster, name, version, template).await;
        }
        let change = json!({ "spec": { "template": template } });
        match self.objects.change(&self.services.scene.service, &change).await? {
            Changed::Done(_) => Ok(()),
            Changed::Stale | Changed::Missing => Err(TargetError::Failed {
                doing: format!("hand {version} over to Rollout {}", self.services.scene.service),
                reason: "it is not there any more".to_owned(),
            }),
        }
    }
}

fn labels(object: &Value, pointer: &str) -> Option<BTreeMap<String, String>> {
    serde_json::from_value(object.pointer(pointer)?.clone()).ok()
}

/// The version of the pods that Argo calls stable.
async fn stable(
    cluster: &Cluster,
    rollout: &Value,
    services: &Services,
) -> Result<Option<Version>, TargetError> {
    let Some(hash) = text(rollout, "/status/stableRS").filter(|hash| !hash.is_empty()) else {
        return Ok(None);
    };
    let found = cluster.list(&cluster.api::<ReplicaSet>(), &format!("{TEMPLATE_HASH}={hash}")).await?;
    let mut versions = found.iter().filter_map(|set| {
        let template = set.spec.as_ref()?.template.as_ref()?;
        version_of(template.metadata.as_ref()?.labels.as_ref(), services)
    });
    Ok(versions.next())
}

#[async_trait]
impl TrafficRoute for ArgoRollouts {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            weights: Weights::Switch,
            cohorts: false,
            mirror: false,
            preview: false,
            counters: false,
            holds_requests: false,
        }
    }

    async fn check(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<(), TargetError> {
        wanted(traffic)?;
        Found::need(cluster, workload).await.map(drop)
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        let wanted = wanted(traffic)?;
        let found = Found::need(cluster, workload).await?;
        let epoch = found.rollout.pointer("/metadata/generation").and_then(Value::as_u64).unwrap_or_default();
        let routed = Routed { listen: found.services.listen(traffic.listen), epoch };
        let Some(version) = wanted else { return Ok(routed) };
        let state = RolloutState::of(&found.rollout);
        if found.newer.as_ref() == Some(version) {
            if state.aborted {
                // Whoever has aborted it meant it: nothing starts it again but an order.
                return Err(TargetError::Failed {
                    doing: format!("roll {version} out by Rollout {}", found.services.scene.service),
                    reason: format!("it was aborted: {}; order a retry, or roll back", state.message),
                });
            }
        } else if found.stable.as_ref() == Some(version) && !state.promoted {
            if !state.aborted {
                drive(cluster, &found.services.scene.service, RolloutOrder::Abort).await?;
            }
        } else {
            found.hand_over(cluster, version).await?;
        }
        Ok(routed)
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let Some(found) = Found::of(cluster, workload).await? else { return Ok(None) };
        let share = RolloutState::of(&found.rollout).weight * 100;
        let mut shares: Vec<(Version, u32)> = Vec::new();
        shares.extend(found.newer.clone().map(|version| (version, share)));
        match found.stable.filter(|stable| Some(stable) != found.newer.as_ref()) {
            Some(stable) => shares.push((stable, ALL - share)),
            // The first rollout has nobody to share with.
            None => shares.iter_mut().for_each(|(_, share)| *share = ALL),
        }
        shares.retain(|(_, share)| *share > 0);
        Ok(Some(Traffic { shares, ..Traffic::new(found.services.listen(NOWHERE)) }))
    }

    /// The Rollout is the team's: it stays.
    async fn remove(&self, _cluster: &Cluster, _workload: &Workload) -> Result<(), TargetError> {
        Ok(())
    }

    /// Argo stops instances once they get no requests.
    async fn drain(
        &self,
        _cluster: &Cluster,
        _workload: &Workload,
        _version: &Version,
        _limit: Duration,
    ) -> Result<(), TargetError> {
        Ok(())
    }
}
