//! Single things that have to be allowed.

use std::collections::BTreeSet;
use std::fmt;

use kube::core::{ApiResource, GroupVersionKind};
use pilotage_spec::KubernetesTraffic;
use serde_json::Value;

use super::rules::{Rule, parent_rules, rules_for};

/// What is done with objects of manifests.
const OBJECT_VERBS: [&str; 4] = ["get", "create", "patch", "delete"];

/// One thing that has to be allowed: a verb on a resource in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    /// The namespace.
    pub(crate) namespace: String,
    /// The API group; the core group is the empty text.
    pub(crate) group: String,
    /// The resource, in its plural.
    pub(crate) resource: String,
    /// A part of it, such as `log`; else empty.
    pub(crate) subresource: String,
    /// What is done.
    pub(crate) verb: String,
    /// Whether deployments go on without it.
    pub(crate) optional: bool,
}

impl Need {
    /// The resource as a rule names it.
    pub(crate) fn path(&self) -> String {
        match self.subresource.as_str() {
            "" => self.resource.clone(),
            part => format!("{}/{part}", self.resource),
        }
    }
}

impl fmt::Display for Need {
    /// `list deployments.apps`, as `kubectl auth can-i` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        write!(f, "{} {}{group}", self.verb, self.resource)?;
        if self.subresource.is_empty() { Ok(()) } else { write!(f, "/{}", self.subresource) }
    }
}

/// All that a target has to be allowed, with the objects of its manifests.
pub(crate) fn needs(namespace: &str, traffic: &KubernetesTraffic, objects: &[Value]) -> Vec<Need> {
    let mut needs: BTreeSet<Need> = rules_for(traffic).flat_map(|rule| of_rule(namespace, rule)).collect();
    if let KubernetesTraffic::Gateway { namespace: parent, .. } = traffic {
        let parent = parent.as_ref().map_or(namespace, |parent| parent.as_str());
        needs.extend(parent_rules().flat_map(|rule| of_rule(parent, rule)));
    }
    needs.extend(objects.iter().flat_map(|object| of_object(namespace, object)));
    // What is needed for one thing and useful for another is needed.
    let needed: BTreeSet<Need> = needs.iter().filter(|need| !need.optional).cloned().collect();
    let is_needed = |need: &Need| needed.contains(&Need { optional: false, ..need.clone() });
    needs.into_iter().filter(|need| !need.optional || !is_needed(need)).collect()
}

fn of_rule(namespace: &str, rule: &Rule) -> Vec<Need> {
    let need = |path: &str, verb: &str| {
        let (resource, subresource) = path.split_once('/').unwrap_or((path, ""));
        Need {
            namespace: namespace.to_owned(),
            group: rule.group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            verb: verb.to_owned(),
            optional: rule.optional,
        }
    };
    rule.resources.iter().flat_map(|path| rule.verbs.iter().map(move |verb| need(path, verb))).collect()
}

fn of_object(namespace: &str, object: &Value) -> Vec<Need> {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let version = text("apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    // The plural as all common kinds form it.
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind"))).plural;
    let need = |verb: &str| Need {
        namespace: namespace.to_owned(),
        group: group.to_owned(),
        resource: resource.clone(),
        subresource: String::new(),
        verb: verb.to_owned(),
        optional: false,
    };
    OBJECT_VERBS.iter().map(|verb| need(verb)).collect()
}
