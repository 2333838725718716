//! A Rollout as the route of a workload: Pilotage says the share, Argo's controller makes it, by replicas.
//!
//! The Rollout is ours and names the Deployment of the newer version. It has two steps, the wanted weight and a pause without
//! end: when the steps change, the controller begins with the first of the new ones, which is the new weight.

use std::time::Duration;

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, Version, Weights, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::super::TrafficRoute;
use super::super::handed_over::whole_percent;
use super::super::kind::ROLLOUT;
use super::super::objects::{Objects, Write};
use super::super::refusal::Refusal;
use super::super::scene::{Backends, NOWHERE, Scene, annotated, is_ours, text, written};
use super::super::services::Services;
use super::super::shares::ALL;
use super::ArgoRollouts;
use super::read::{RolloutPhase, RolloutState};
use super::rollout::{WorkloadReference, pause, rollout};
use crate::cluster::Cluster;
use crate::names;

/// How long the controller has to see a change.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The version that the Rollout is to run, and its share in percent.
fn wanted(traffic: &Traffic) -> Result<Option<(Version, u32)>, Refusal> {
    if !traffic.cohorts.is_empty() || traffic.mirror.is_some() || traffic.preview.is_some() {
        return Err(Refusal::new(
            "cohorts, copies or a preview with `traffic: argo-rollouts`, which shares by replicas",
            "use a canary of plain shares, or another `traffic`",
        ));
    }
    let served: Vec<&(Version, u32)> = traffic.shares.iter().filter(|(_, share)| *share > 0).collect();
    match served.as_slice() {
        [] => Ok(None),
        [(only, _)] => Ok(Some((only.clone(), 100))),
        [(newer, share), _] => Ok(Some((newer.clone(), whole_percent(*share, "Argo Rollouts")?))),
        several => Err(Refusal::new(
            format!("{} versions at a time with `traffic: argo-rollouts`, which knows two", several.len()),
            "use a strategy with two versions at a time",
        )),
    }
}

/// The Rollout that makes the traffic; replicas are left to whoever scales it.
fn object(scene: &Scene, traffic: &Traffic, version: &Version, percent: u32) -> Value {
    let steps = if percent == 100 { Vec::new() } else { vec![json!({ "setWeight": percent }), pause(None)] };
    let pods = WorkloadReference { deployment: scene.backend(version) };
    let mut object = rollout(scene, 0, &pods, json!({ "canary": { "steps": steps } }));
    object["metadata"]["annotations"] = json!({ names::TRAFFIC: written(traffic) });
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    object
}

/// The traffic that a live Rollout makes.
fn traffic(rollout: &Value, backends: &Backends, said: Traffic) -> Traffic {
    let state = RolloutState::of(rollout);
    let named = text(rollout, "/spec/workloadRef/name").and_then(|name| backends.get(name)).cloned();
    let share = state.weight * 100;
    let stable =
        said.shares.iter().map(|(version, _)| version).find(|version| Some(*version) != named.as_ref());
    let mut shares: Vec<(Version, u32)> = named.into_iter().map(|version| (version, share)).collect();
    shares.extend(stable.map(|version| (version.clone(), ALL - share)));
    shares.retain(|(_, share)| *share > 0);
    Traffic { shares, cohorts: Vec::new(), mirror: None, ..said }
}

fn failed(version: &Version, percent: u32, reason: &str) -> TargetError {
    TargetError::Failed {
        doing: format!("give {version} {percent} % of the replicas by a Rollout"),
        reason: reason.to_owned(),
    }
}

async fn found(cluster: &Cluster, scene: &Scene) -> Result<(Objects, Option<Value>), TargetError> {
    let objects = Objects::need(cluster, &ROLLOUT).await?;
    let rollout = objects.get(&scene.service).await?;
    if let Some(ours) = rollout.as_ref().filter(|rollout| is_ours(rollout)) {
        scene.need_own(ours)?;
    } else if rollout.is_some() {
        return Err(Refusal::new(
            format!("Rollout {}, which the team has made", scene.service),
            "drive it as it is with `RolloutOrder`, or take it away so that Pilotage makes its own",
        )
        .into());
    }
    Ok((objects, rollout))
}

#[async_trait]
impl TrafficRoute for ArgoRollouts {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            weights: Weights::ByReplicas,
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
        let wanted = wanted(traffic)?;
        let services = Services::of(cluster, workload).await?;
        let (objects, _) = found(cluster, &services.scene).await?;
        let Some((version, percent)) = wanted else { return Ok(()) };
        let object = object(&services.scene, traffic, &version, percent);
        objects.write(&object, Write::Try).await.map(drop)
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        let Some((version, percent)) = wanted(traffic)? else {
            self.remove(cluster, workload).await?;
            return Ok(Routed { listen: traffic.listen, epoch: 0 });
        };
        let services = Services::of(cluster, workload).await?;
        services.need(traffic)?;
        let (objects, before) = found(cluster, &services.scene).await?;
        let traffic = Traffic { listen: services.listen(traffic.listen), ..traffic.clone() };
        let object = object(&services.scene, &traffic, &version, percent);
        let mut rollout = objects.write(&object, Write::Again).await?;
        // Where no controller has ever spoken, none is waited for.
        let spoken = before.is_some_and(|rollout| rollout.pointer("/status/phase").is_some());
        let until = Instant::now() + PATIENCE;
        while spoken && !RolloutState::of(&rollout).seen {
            if Instant::now() >= until {
                return Err(failed(&version, percent, "the controller does not take it up; is it running?"));
            }
            sleep(LOOK_EVERY).await;
            rollout = objects.get(&services.scene.service).await?.unwrap_or(rollout);
        }
        let state = RolloutState::of(&rollout);
        if state.phase == RolloutPhase::Degraded {
            return Err(failed(&version, percent, &state.message));
        }
        let epoch = rollout.pointer("/metadata/generation").and_then(Value::as_u64).unwrap_or_default();
        Ok(Routed { listen: traffic.listen, epoch })
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let mut services = Services::of(cluster, workload).await?;
        let Some(objects) = Objects::find(cluster, &ROLLOUT).await? else { return Ok(None) };
        let Some(rollout) = objects.get(&services.scene.service).await?.filter(is_ours) else {
            return Ok(None);
        };
        let said = annotated(&rollout).unwrap_or_else(|| Traffic::new(services.listen(NOWHERE)));
        services.know(&said);
        Ok(Some(self::traffic(&rollout, &services.backends, said)))
    }

    async fn remove(&self, cluster: &Cluster, workload: &Workload) -> Result<(), TargetError> {
        let services = Services::of(cluster, workload).await?;
        let Some(objects) = Objects::find(cluster, &ROLLOUT).await? else { return Ok(()) };
        match objects.get(&services.scene.service).await?.filter(is_ours) {
            Some(rollout) => objects.delete(&rollout).await,
            None => Ok(()),
        }
    }

    /// Instances that get no new requests are stopped gracefully by the controller.
    async fn drain(
        &self,
        _cluster: &Cluster,
        _workload: &Workload,
        _version: &Version,
        _limit: Duration,
    ) -> Result<(), TargetError> {
        Ok(())
    }

    async fn stats(
        &self,
        _cluster: &Cluster,
        _workload: &Workload,
    ) -> Result<Option<EdgeStats>, TargetError> {
        Ok(None)
    }
}
