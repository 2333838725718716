//! Routes of the Gateway API: one `HTTPRoute` on a Gateway that the team has.
//!
//! Weights are exact (proportions of any sum up to 1,000,000 each). Who reads the route is the Gateway's implementation; each
//! choice is made for the request, not for the client.

mod object;
mod read;
mod status;

use pilotage_spec::{Capabilities, Weights};
use pilotage_targets::Traffic;
use serde_json::Value;

use super::kind::{GATEWAY, HTTP_ROUTE, Kind};
use super::live::LiveRule;
use super::provider::{Parent, Provider, Verdict};
use super::refusal::Refusal;
use super::scene::{Backends, Scene};

/// Routes on this Gateway.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    /// Its name.
    pub(crate) parent: String,
    /// Where it lives, if not beside the workload.
    pub(crate) namespace: Option<String>,
}

impl Provider for Gateway {
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
        &HTTP_ROUTE
    }

    fn parents(&self, scene: &Scene) -> Vec<Parent> {
        let namespace = self.namespace.clone().unwrap_or_else(|| scene.namespace.clone());
        vec![Parent { kind: &GATEWAY, name: self.parent.clone(), namespace }]
    }

    fn route(&self, scene: &Scene, traffic: &Traffic, version: &str) -> Result<Value, Refusal> {
        object::route(self, scene, traffic, version)
    }

    fn mentions(&self, route: &Value, service: &str) -> bool {
        read::mentions(route, service)
    }

    fn borrowed(
        &self,
        scene: &Scene,
        traffic: &Traffic,
        original: &Value,
        _version: &str,
    ) -> Result<Value, Refusal> {
        object::borrowed(scene, traffic, original)
    }

    fn rules(&self, route: &Value, _beside: &[Value], backends: &Backends) -> Vec<LiveRule> {
        read::rules(route, backends)
    }

    fn verdict(&self, route: &Value) -> Verdict {
        status::verdict(route, &self.parent)
    }

    fn is_read(&self, parent: &Value) -> bool {
        status::is_read(parent)
    }
}

#[cfg(test)]
mod tests;
