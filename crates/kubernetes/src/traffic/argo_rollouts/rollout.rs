//! The `Rollout` of a strategy.

use std::collections::BTreeMap;

use pilotage_spec::{Prometheus, RollingUnit, Strategy, StrategyKind, Version, Workload};
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use super::super::handed_over::{HandedOver, asked, seconds};
use super::super::refusal::Refusal;
use super::super::scene::Scene;
use super::{analysis, steps};
use crate::names::Owner;

/// The Deployment whose pods a Rollout runs; it runs none itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadReference {
    /// Its name.
    pub deployment: String,
    /// The labels by which it finds its pods, which those of the versions' own Deployments must not have.
    pub selector: BTreeMap<String, String>,
}

/// What a Rollout is made from.
#[derive(Debug, Clone)]
pub struct RolloutRequest<'a> {
    /// The project.
    pub project: &'a pilotage_spec::ProjectName,
    /// Where it is rolled out, and what.
    pub workload: &'a Workload,
    /// The namespace.
    pub namespace: &'a str,
    /// The new version, if the objects are for one alone: its name is put into queries.
    pub version: Option<&'a Version>,
    /// How it replaces the old one.
    pub strategy: &'a Strategy,
    /// How many instances run.
    pub replicas: u32,
    /// Whose pods they are.
    pub pods: WorkloadReference,
    /// Where metrics are asked for.
    pub prometheus: Option<&'a Prometheus>,
}

impl RolloutRequest<'_> {
    /// The Rollout and the templates of its analysis.
    ///
    /// # Errors
    /// Fails on strategies and steps that Argo Rollouts has no words for, with what to do instead.
    pub fn objects(&self) -> Result<HandedOver, TargetError> {
        let mut left = Vec::new();
        let owner = Owner { project: self.project.clone(), environment: self.workload.environment.clone() };
        let scene = Scene::new(owner.names(self.workload), self.namespace, super::super::services::PORT);
        let asked = asked(self.strategy, self.workload, self.version, &mut left)?;
        let template = analysis::template(&scene, &asked, self.prometheus)?;
        let strategy = self.strategy(&scene, template.as_ref())?;
        let rollout = rollout(&scene, self.replicas, &self.pods, strategy);
        let objects = template.into_iter().chain([rollout]).collect();
        Ok(HandedOver { objects, left })
    }

    fn strategy(&self, scene: &Scene, template: Option<&Value>) -> Result<Value, Refusal> {
        let analysis = template.map(|_| json!({ "templates": [{ "templateName": analysis::name(scene) }] }));
        match &self.strategy.kind {
            StrategyKind::BlueGreen => Ok(self.blue_green(scene, analysis)),
            StrategyKind::Rolling { max_surge, max_unavailable } => {
                let canary =
                    json!({ "maxSurge": unit(*max_surge), "maxUnavailable": unit(*max_unavailable) });
                Ok(json!({ "canary": with_analysis(canary, analysis) }))
            }
            kind => {
                let canary = json!({ "steps": steps::of(kind, self.strategy.watch)? });
                Ok(json!({ "canary": with_analysis(canary, analysis) }))
            }
        }
    }

    fn blue_green(&self, scene: &Scene, analysis: Option<Value>) -> Value {
        let mut blue_green = json!({
            "activeService": scene.service,
            "previewService": scene.names.beside("preview"),
            "autoPromotionEnabled": !self.strategy.hold,
            "scaleDownDelaySeconds": self.strategy.soak.as_secs().max(30),
        });
        if let Some(analysis) = analysis {
            blue_green["postPromotionAnalysis"] = analysis;
        }
        json!({ "blueGreen": blue_green })
    }
}

fn with_analysis(mut canary: Value, analysis: Option<Value>) -> Value {
    if let Some(analysis) = analysis {
        canary["analysis"] = analysis;
    }
    canary
}

fn unit(unit: RollingUnit) -> Value {
    match unit {
        RollingUnit::Count(count) => json!(count),
        RollingUnit::Percent(percent) => json!(format!("{percent}%")),
    }
}

/// A Rollout that runs the pods of a Deployment, which itself runs none.
fn rollout(scene: &Scene, replicas: u32, pods: &WorkloadReference, strategy: Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": scene.metadata(&scene.service),
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": pods.selector },
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": pods.deployment },
            "strategy": strategy,
        },
    })
}

/// A pause of a step; without a duration it lasts until somebody promotes.
pub(super) fn pause(watch: Option<std::time::Duration>) -> Value {
    let duration = watch.map_or_else(|| json!({}), |watch| json!({ "duration": seconds(watch) }));
    json!({ "pause": duration })
}
