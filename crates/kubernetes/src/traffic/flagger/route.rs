//! A Canary as the route of a workload: Pilotage hands the version over, Flagger's controller rolls it out.
//!
//! The Canary and the Deployment that it looks at are the team's, or made from [`super::CanaryRequest`]. To deploy, that
//! Deployment gets the pods' template of the version; to take back, the Canary is told to.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::apps::v1::Deployment;
use pilotage_spec::{Capabilities, Version, Weights, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use serde_json::Value;

use super::super::TrafficRoute;
use super::super::kind::CANARY;
use super::super::objects::Objects;
use super::super::pod_template;
use super::super::refusal::Refusal;
use super::super::scene::{NOWHERE, text};
use super::super::services::Services;
use super::super::shares::ALL;
use super::drive::drive;
use super::read::{CanaryPhase, CanaryState};
use super::{CanaryOrder, Flagger};
use crate::cluster::Cluster;

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
        format!("{what} with `traffic: flagger`, whose controller moves the traffic itself"),
        "use blue-green here and put the steps into the Canary, or use another `traffic`",
    )
}

/// What is there.
struct Found {
    canary: Value,
    services: Services,
    /// The Deployment that Flagger looks at.
    target: Deployment,
    /// The version of its pods.
    newer: Option<Version>,
    /// The version of the stable copy's pods.
    stable: Option<Version>,
}

impl Found {
    async fn of(cluster: &Cluster, workload: &Workload) -> Result<Option<Self>, TargetError> {
        let Some(objects) = Objects::find(cluster, &CANARY).await? else { return Ok(None) };
        let services = Services::of(cluster, workload).await?;
        let Some(canary) = objects.get(&services.scene.service).await? else { return Ok(None) };
        let api = cluster.api::<Deployment>();
        let name = text(&canary, "/spec/targetRef/name").unwrap_or_default();
        let Some(target) = cluster.get(&api, name).await? else { return Ok(None) };
        let copy = cluster.get(&api, &format!("{name}-primary")).await?;
        let newer = pod_template::version_of(pod_template::labels_of(&target), &services);
        let stable =
            copy.as_ref().and_then(|copy| pod_template::version_of(pod_template::labels_of(copy), &services));
        Ok(Some(Self { canary, services, target, newer, stable }))
    }

    fn state(&self) -> CanaryState {
        CanaryState::of(&self.canary)
    }
}

impl Flagger {
    async fn found(&self, cluster: &Cluster, workload: &Workload) -> Result<Found, TargetError> {
        let found = Found::of(cluster, workload).await?;
        let found = found.ok_or_else(|| TargetError::Unsupported {
            what: format!("`traffic: flagger` without a Canary `{}` and its Deployment", workload.service),
            mend: "create them, and let Flagger make its stable copy".to_owned(),
        })?;
        match text(&found.canary, "/spec/provider") {
            Some(other) if other != self.provider => Err(Refusal::new(
                format!("provider `{}` where the Canary says `{other}`", self.provider),
                "make the target's `traffic` and the Canary say the same",
            )
            .into()),
            _ => Ok(found),
        }
    }

    /// Gives the pods' template of the version to the Deployment that Flagger looks at.
    async fn hand_over(
        &self,
        cluster: &Cluster,
        found: &Found,
        version: &Version,
    ) -> Result<(), TargetError> {
        let selector = found.target.spec.as_ref().and_then(|spec| spec.selector.match_labels.clone());
        let selector = selector.unwrap_or_default();
        let template = pod_template::handed_over(cluster, &found.services, version, &selector).await?;
        let target = found.target.metadata.name.clone().unwrap_or_default();
        pod_template::give(cluster, &target, version, template).await
    }
}

#[async_trait]
impl TrafficRoute for Flagger {
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
        self.found(cluster, workload).await.map(drop)
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        let wanted = wanted(traffic)?;
        let found = self.found(cluster, workload).await?;
        let routed = Routed { listen: found.services.listen(traffic.listen), epoch: 0 };
        let Some(version) = wanted else { return Ok(routed) };
        let moving = found.state().phase.is_moving();
        let going_back =
            moving && found.stable.as_ref() == Some(version) && found.newer.as_ref() != Some(version);
        if going_back {
            drive(cluster, &found.services.scene.service, &CanaryOrder::Abort).await?;
        } else if found.newer.as_ref() != Some(version) {
            // Who has promoted the release before has not looked at this one.
            drive(cluster, &found.services.scene.service, &CanaryOrder::Analyse).await?;
            self.hand_over(cluster, &found, version).await?;
        }
        Ok(routed)
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let Some(found) = Found::of(cluster, workload).await? else { return Ok(None) };
        let state = found.state();
        let share = match state.phase {
            CanaryPhase::Succeeded => ALL,
            _ => state.weight * 100,
        };
        let stable = found.stable.filter(|stable| Some(stable) != found.newer.as_ref());
        let mut shares = Vec::new();
        match (found.newer, stable) {
            (Some(newer), None) => shares.push((newer, ALL)),
            (newer, stable) => {
                shares.extend(newer.map(|version| (version, share)));
                shares.extend(stable.map(|version| (version, ALL - share)));
            }
        }
        shares.retain(|(_, share)| *share > 0);
        Ok(Some(Traffic { shares, ..Traffic::new(found.services.listen(NOWHERE)) }))
    }

    /// The Canary is the team's: it stays.
    async fn remove(&self, _cluster: &Cluster, _workload: &Workload) -> Result<(), TargetError> {
        Ok(())
    }

    /// Flagger stops instances once they get no requests.
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
