//! The `Canary` of a strategy.

use std::time::Duration;

use pilotage_spec::{ProjectName, Prometheus, Stage, Strategy, StrategyKind, Version, Workload};
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use super::super::handed_over::{HandedOver, asked, seconds, whole_percent};
use super::super::refusal::Refusal;
use super::super::scene::Scene;
use super::super::services;
use super::super::shares::ALL;
use super::metrics;
use crate::names::Owner;

const WHO: &str = "Flagger";
/// So many checks may fail before Flagger takes a release back.
pub(super) const THRESHOLD: u32 = 1;

/// What a Canary is made from.
#[derive(Debug, Clone)]
pub struct CanaryRequest<'a> {
    /// The project.
    pub project: &'a ProjectName,
    /// Where it is rolled out, and what.
    pub workload: &'a Workload,
    /// The namespace.
    pub namespace: &'a str,
    /// The new version, if the objects are for one alone: its name is put into queries.
    pub version: Option<&'a Version>,
    /// How it replaces the old one.
    pub strategy: &'a Strategy,
    /// Flagger's word for who shares the traffic.
    pub provider: &'a str,
    /// The Deployment that is changed to deploy; Flagger runs a copy of it as the stable version.
    pub deployment: &'a str,
    /// The port that its containers listen at.
    pub container_port: u16,
    /// Where metrics are asked for.
    pub prometheus: Option<&'a Prometheus>,
}

impl CanaryRequest<'_> {
    /// The Canary and the templates of its metrics.
    ///
    /// # Errors
    /// Fails on strategies and steps that Flagger has no words for, with what to do instead.
    pub fn objects(&self) -> Result<HandedOver, TargetError> {
        let mut left = Vec::new();
        let owner = Owner { project: self.project.clone(), environment: self.workload.environment.clone() };
        let scene = Scene::new(owner.names(self.workload), self.namespace, services::PORT);
        let asked = asked(self.strategy, self.workload, self.version, &mut left)?;
        let asked: Vec<_> = asked
            .into_iter()
            .filter(|asked| {
                // Every check of Flagger's counts; it has none that only reports.
                let counts = asked.metric.critical && !asked.metric.dry_run;
                if !counts {
                    left.push(format!(
                        "metric `{}` (it does not take a release back by itself)",
                        asked.metric.name
                    ));
                }
                counts
            })
            .collect();
        let templates = metrics::templates(&scene, &asked, self.prometheus)?;
        let mut analysis = analysis(self.strategy, self.provider)?;
        analysis["threshold"] = json!(THRESHOLD);
        if !asked.is_empty() {
            analysis["metrics"] = asked.iter().map(|asked| metrics::check(&scene, asked)).collect();
        }
        let objects = templates.into_iter().chain([self.canary(&scene, &analysis)]).collect();
        Ok(HandedOver { objects, left })
    }

    fn canary(&self, scene: &Scene, analysis: &Value) -> Value {
        json!({
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": scene.metadata(&scene.service),
            "spec": {
                "provider": self.provider,
                "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": self.deployment },
                "service": { "name": scene.service, "port": scene.port, "targetPort": self.container_port },
                "analysis": analysis,
            },
        })
    }
}

/// The part of a Canary that says how the traffic moves.
fn analysis(strategy: &Strategy, provider: &str) -> Result<Value, Refusal> {
    match &strategy.kind {
        StrategyKind::BlueGreen => Ok(json!({ "interval": seconds(strategy.watch), "iterations": 1 })),
        _ if provider == "kubernetes" => Err(Refusal::new(
            "shares of the traffic with Flagger's provider `kubernetes`, which switches all of it",
            "use blue-green, or another provider",
        )),
        StrategyKind::Canary { steps } => {
            let raised: Vec<(u32, Duration)> = steps.iter().map(|share| (*share, strategy.watch)).collect();
            weights(&raised)
        }
        StrategyKind::Steps { stages } => weights(&of_stages(stages)?),
        other => Err(not_known(&format!("strategy `{}`", other.name()))),
    }
}

/// Flagger looks after each interval, and moves on by one weight.
fn weights(raised: &[(u32, Duration)]) -> Result<Value, Refusal> {
    let raised: Vec<_> = raised.iter().filter(|(share, _)| *share < ALL).collect();
    let Some((_, interval)) = raised.first() else { return Err(not_known("a canary without a share")) };
    if raised.iter().any(|(_, watch)| watch != interval) {
        return Err(not_known("steps that are watched for different times"));
    }
    let percents: Result<Vec<u32>, Refusal> =
        raised.iter().map(|(share, _)| whole_percent(*share, WHO)).collect();
    Ok(json!({ "interval": seconds(*interval), "stepWeights": percents? }))
}

fn of_stages(stages: &[Stage]) -> Result<Vec<(u32, Duration)>, Refusal> {
    let mut raised = Vec::new();
    for stage in stages {
        match stage {
            Stage::Share { share, watch } => raised.push((*share, *watch)),
            Stage::Hold => return Err(not_known("a stage that waits for a person")),
            Stage::Cohort { .. } => return Err(not_known("a stage for a cohort")),
            Stage::Mirror { .. } => return Err(not_known("a stage that copies requests")),
            Stage::Smoke => return Err(not_known("the smoke suite as a stage")),
        }
    }
    Ok(raised)
}

fn not_known(what: &str) -> Refusal {
    Refusal::new(
        format!("{what}, handed over to {WHO}"),
        "use canary or blue-green, or let Pilotage run the strategy itself",
    )
}
