//! Traefik: one `IngressRoute` that names the versions' Services with their weights, and a `TraefikService` beside it for each
//! Service whose requests are copied.
//!
//! The weights stand in the route itself, so that shares, cohorts and copies change in one write.

mod mirrors;
mod object;
mod read;
mod rule_text;

use pilotage_spec::{Capabilities, Weights};
use pilotage_targets::Traffic;
use serde_json::Value;

use super::kind::{INGRESS_ROUTE, Kind, TRAEFIK_SERVICE};
use super::live::LiveRule;
use super::provider::Provider;
use super::refusal::Refusal;
use super::scene::{Backends, Scene};

/// Routes at these entry points; all of them if there are none.
#[derive(Debug, Clone)]
pub(crate) struct Traefik {
    /// The names of entry points, as in Traefik's own configuration.
    pub(crate) entry_points: Vec<String>,
}

impl Provider for Traefik {
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
        &INGRESS_ROUTE
    }

    fn kinds_beside(&self) -> &'static [&'static Kind] {
        &[&TRAEFIK_SERVICE]
    }

    fn route(&self, scene: &Scene, traffic: &Traffic, _version: &str) -> Result<Value, Refusal> {
        object::route(self, scene, traffic)
    }

    fn beside(&self, scene: &Scene, traffic: &Traffic) -> Vec<(&'static Kind, Value)> {
        mirrors::services(scene, traffic).into_iter().map(|service| (&TRAEFIK_SERVICE, service)).collect()
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

    fn rules(&self, route: &Value, beside: &[Value], backends: &Backends) -> Vec<LiveRule> {
        read::rules(route, beside, backends)
    }
}

#[cfg(test)]
mod tests;
