//! What differs between the kinds of routes that are switched as one object: pure functions from traffic to objects and back.

use pilotage_spec::Capabilities;
use pilotage_targets::Traffic;
use serde_json::Value;

use super::kind::Kind;
use super::live::LiveRule;
use super::refusal::Refusal;
use super::scene::{Backends, Scene};

/// An object that must be there before ours can work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) kind: &'static Kind,
    pub(super) name: String,
    pub(super) namespace: String,
}

/// What the system that reads a route says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in force as it is now.
    InForce,
    /// An older state of it is in force.
    Pending,
    /// It was refused, and why.
    Refused(String),
    /// Nobody has said anything.
    Silent,
}

/// One kind of route, whose traffic is switched by writing one object.
pub(super) trait Provider: Send + Sync {
    /// What it can do at all.
    fn capabilities(&self) -> Capabilities;

    /// The kind of the object that is switched.
    fn kind(&self) -> &'static Kind;

    /// Kinds of objects that it may put beside it.
    fn kinds_beside(&self) -> &'static [&'static Kind] {
        &[]
    }

    /// Whether users inside the cluster reach the workload by the name of its Service, so that there must be one.
    fn is_reached_by_service(&self) -> bool {
        false
    }

    /// What must be there already.
    fn parents(&self, _scene: &Scene) -> Vec<Parent> {
        Vec::new()
    }

    /// The object that is switched, for an API of this version.
    ///
    /// # Errors
    /// Fails on traffic that it cannot say.
    fn route(&self, scene: &Scene, traffic: &Traffic, version: &str) -> Result<Value, Refusal>;

    /// Objects that must be there before the switch. Those of them that are no longer wanted go after it.
    fn beside(&self, _scene: &Scene, _traffic: &Traffic) -> Vec<(&'static Kind, Value)> {
        Vec::new()
    }

    /// Whether a route that somebody else has made sends requests to a Service of this name.
    fn mentions(&self, route: &Value, service: &str) -> bool;

    /// The fields of somebody else's route that must change for the traffic, and nothing else; `original` is the `spec` as it
    /// was before we had changed it.
    ///
    /// # Errors
    /// Fails on traffic that it cannot say.
    fn borrowed(
        &self,
        scene: &Scene,
        traffic: &Traffic,
        original: &Value,
        version: &str,
    ) -> Result<Value, Refusal>;

    /// The rules that a live route has for the workload, in the order in which they are tried.
    fn rules(&self, route: &Value, beside: &[Value], backends: &Backends) -> Vec<LiveRule>;

    /// What its status says.
    fn verdict(&self, _route: &Value) -> Verdict {
        Verdict::Silent
    }

    /// Whether the object that it hangs on says that somebody reads it, so that a verdict will come.
    fn is_read(&self, _parent: &Value) -> bool {
        false
    }
}
