//! Istio: one `VirtualService` whose destinations are the versions' own Services, so that nothing but it changes at a switch, and
//! a `DestinationRule` beside each Service that leaves out instances which fail.

mod object;
mod outliers;
mod read;

use pilotage_spec::{Capabilities, Weights};
use pilotage_targets::Traffic;
use serde_json::Value;

use super::kind::{DESTINATION_RULE, Kind, VIRTUAL_SERVICE};
use super::live::LiveRule;
use super::provider::{Provider, Verdict};
use super::refusal::Refusal;
use super::scene::{Backends, Scene};

/// Routes in the mesh, and at these gateways.
#[derive(Debug, Clone)]
pub(crate) struct Istio {
    /// The names of gateways, `NAMESPACE/NAME` or `NAME`.
    pub(crate) gateways: Vec<String>,
}

impl Provider for Istio {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            weights: Weights::Exact,
            cohorts: true,
            mirror: true,
            preview: false,
            counters: false,
            holds_requests: false,
        }
    }

    fn kind(&self) -> &'static Kind {
        &VIRTUAL_SERVICE
    }

    fn kinds_beside(&self) -> &'static [&'static Kind] {
        &[&DESTINATION_RULE]
    }

    fn is_reached_by_service(&self) -> bool {
        true
    }

    fn route(&self, scene: &Scene, traffic: &Traffic, version: &str) -> Result<Value, Refusal> {
        object::route(self, scene, traffic, version)
    }

    fn beside(&self, scene: &Scene, traffic: &Traffic) -> Vec<(&'static Kind, Value)> {
        outliers::rules(scene, traffic).into_iter().map(|rule| (&DESTINATION_RULE, rule)).collect()
    }

    fn mentions(&self, route: &Value, service: &str) -> bool {
        read::mentions(route, service)
    }

    fn borrowed(
        &self,
        scene: &Scene,
        traffic: &Traffic,
        original: &Value,
        version: &str,
    ) -> Result<Value, Refusal> {
        object::borrowed(scene, traffic, original, version)
    }

    fn rules(&self, route: &Value, _beside: &[Value], backends: &Backends) -> Vec<LiveRule> {
        read::rules(route, backends)
    }

    fn verdict(&self, route: &Value) -> Verdict {
        read::verdict(route)
    }
}

#[cfg(test)]
mod tests;
