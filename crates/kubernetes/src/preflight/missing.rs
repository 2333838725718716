//! What is not allowed, and the Roles that would allow it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use pilotage_targets::TargetError;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::need::Need;
use super::user::Subject;

/// What may not be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Without these, nothing can be deployed.
    pub(crate) needed: Vec<Need>,
    /// Without these, less is known or told.
    pub(crate) optional: Vec<Need>,
    /// Who we are, if anybody says it.
    pub(crate) subject: Option<Subject>,
}

impl Missing {
    /// Whether something is missing without which nothing can be deployed.
    pub(crate) fn is_serious(&self) -> bool {
        !self.needed.is_empty()
    }

    /// Whether nothing is missing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.needed.is_empty() && self.optional.is_empty()
    }

    /// A refusal, if something is missing without which nothing can be deployed.
    ///
    /// # Errors
    /// [`TargetError::Forbidden`] with the Roles that are to be added.
    pub(crate) fn refuse(&self) -> Result<(), TargetError> {
        if !self.is_serious() {
            return Ok(());
        }
        let namespaces: BTreeSet<&str> = self.needed.iter().map(|need| need.namespace.as_str()).collect();
        let namespaces: Vec<&str> = namespaces.into_iter().collect();
        Err(TargetError::Forbidden {
            what: format!("in the namespace {}: {}", namespaces.join(" and "), words(&self.needed)),
            rule: format!("(for `kubectl apply`):\n{}", self.roles()),
        })
    }

    /// Role and RoleBinding for each namespace, as YAML for `kubectl apply`. They hold what is missing, with what is only useful.
    pub(crate) fn roles(&self) -> String {
        let mut by_namespace: BTreeMap<&str, Vec<&Need>> = BTreeMap::new();
        for need in self.needed.iter().chain(&self.optional) {
            by_namespace.entry(&need.namespace).or_default().push(need);
        }
        let role = |(namespace, needs): (&str, Vec<&Need>)| role(namespace, &needs, self.subject.as_ref());
        by_namespace.into_iter().map(role).collect()
    }
}

/// What is to be done in words: `create, patch deployments.apps; get pods/log`.
pub(super) fn words(needs: &[Need]) -> String {
    let mut by_resource: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for need in needs {
        // The verb is the first word.
        let resource = need.to_string().split_once(' ').map_or(String::new(), |(_, rest)| rest.to_owned());
        by_resource.entry(resource).or_default().push(&need.verb);
    }
    let parts: Vec<String> =
        by_resource.into_iter().map(|(resource, verbs)| format!("{} {resource}", verbs.join(", "))).collect();
    parts.join("; ")
}

fn role(namespace: &str, needs: &[&Need], subject: Option<&Subject>) -> String {
    let rules = rules(needs);
    // A name of its own: to apply a Role of the same name would take away what it allows already.
    let digest: String =
        Sha256::digest(rules.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let metadata = format!("metadata: {{ name: pilotage-{digest}, namespace: {namespace} }}");
    let subject = match subject {
        Some(Subject::ServiceAccount { namespace, name }) => {
            format!("{{ kind: ServiceAccount, name: {}, namespace: {} }}", json!(name), json!(namespace))
        }
        Some(Subject::User(name)) => {
            format!("{{ kind: User, name: {}, apiGroup: rbac.authorization.k8s.io }}", json!(name))
        }
        None => "{ kind: User, name: USER, apiGroup: rbac.authorization.k8s.io } # put in who Pilotage is to the cluster".to_owned(),
    };
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n{metadata}\nrules:\n{rules}---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n{metadata}\nroleRef: {{ kind: Role, name: \
         pilotage-{digest}, apiGroup: rbac.authorization.k8s.io }}\nsubjects:\n- {subject}\n"
    )
}

/// Rules in as few lines as they are readable: resources of a group that need the same verbs share one.
fn rules(needs: &[&Need]) -> String {
    let mut verbs: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for need in needs {
        verbs.entry((&need.group, need.path())).or_default().insert(&need.verb);
    }
    let mut shared: BTreeMap<(&str, BTreeSet<&str>), Vec<String>> = BTreeMap::new();
    for ((group, path), verbs) in verbs {
        shared.entry((group, verbs)).or_default().push(path);
    }
    shared.into_iter().fold(String::new(), |mut text, ((group, verbs), resources)| {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "- {{ apiGroups: [{}], resources: {}, verbs: {} }}",
            json!(group),
            json!(resources),
            json!(verbs)
        );
        text
    })
}
