//! What the control plane may do in a namespace, and what for. The page of the documentation shows this very list.

use serde_json::{Value, json};

/// One rule of the control plane's Role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The API group; the core group is the empty text.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// Names of objects, if only these are meant.
    pub names: &'static [&'static str],
    /// What may be done.
    pub verbs: &'static [&'static str],
    /// What for.
    pub why: &'static str,
}

impl Rule {
    pub(super) fn object(&self) -> Value {
        let mut rule = json!({ "apiGroups": [self.group], "resources": self.resources, "verbs": self.verbs });
        if !self.names.is_empty() {
            rule["resourceNames"] = json!(self.names);
        }
        rule
    }
}

const READ: &[&str] = &["get", "list", "watch"];
const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

const fn rule(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule { group, resources, names: &[], verbs, why }
}

/// What every way of sharing traffic needs.
const BASE: &[Rule] = &[
    rule(
        "apps",
        &["deployments", "statefulsets"],
        OWN,
        "one of each version; old ones are adopted and retired",
    ),
    rule(
        "apps",
        &["replicasets", "controllerrevisions"],
        READ,
        "which pods belong to what, and undone rollouts",
    ),
    rule("", &["services"], OWN, "the Service of users, and one of each version"),
    rule("", &["configmaps"], OWN, "what edge pods serve; fencing tokens"),
    rule(
        "",
        &["secrets"],
        &["get", "create", "patch", "delete"],
        "secrets of instances as files; never listed",
    ),
    rule("", &["pods"], &["get", "list", "watch", "delete"], "readiness, restarts, retiring one by one"),
    rule("", &["pods/eviction"], &["create"], "retiring pods as disruption budgets allow"),
    rule("", &["pods/log"], &["get"], "the last lines of instances that fail"),
    rule("", &["pods/proxy"], &["get"], "what edge pods report, where their addresses cannot be reached"),
    rule("", &["events"], READ, "why a pod does not start"),
    rule("", &["namespaces"], &["get"], "whether the namespace is about to be deleted"),
    rule("", &["resourcequotas", "limitranges"], READ, "whether there is room"),
    rule("", &["endpoints"], READ, "which instances take traffic"),
    rule("discovery.k8s.io", &["endpointslices"], READ, "which instances take traffic"),
    rule(
        "autoscaling",
        &["horizontalpodautoscalers"],
        READ,
        "replicas that an autoscaler decides are left to it",
    ),
    rule("policy", &["poddisruptionbudgets"], OWN, "the budget of edge pods; those of others are respected"),
    rule("metrics.k8s.io", &["pods"], &["get", "list"], "processor and memory of instances"),
];

/// What putting the edge's own objects there takes. Nobody may hand out more than he has: the rules of the edge's Role are among
/// [`BASE`].
const EDGE: &[Rule] = &[
    rule("", &["serviceaccounts"], &["get", "create", "patch", "delete"], "the account of edge pods"),
    rule(
        "rbac.authorization.k8s.io",
        &["roles", "rolebindings"],
        &["get", "create", "patch", "delete"],
        "what edge pods may read",
    ),
];

/// What objects of others that share traffic take. The groups need not be there.
const ROUTES: &[Rule] = &[
    rule("gateway.networking.k8s.io", &["httproutes"], OWN, "weights by a Gateway"),
    rule("gateway.networking.k8s.io", &["gateways"], READ, "whether the parent is there and takes the route"),
    rule("networking.istio.io", &["virtualservices", "destinationrules"], OWN, "weights by Istio"),
    rule("networking.k8s.io", &["ingresses"], OWN, "canary annotations of the NGINX ingress controller"),
    rule("traefik.io", &["ingressroutes", "traefikservices"], OWN, "weights by Traefik"),
    rule("argoproj.io", &["rollouts", "analysistemplates"], OWN, "rollouts that Argo runs"),
    rule(
        "argoproj.io",
        &["rollouts/status", "analysisruns"],
        &["get", "list", "watch", "patch"],
        "their promotion, and what became of them",
    ),
    rule("flagger.app", &["canaries"], OWN, "rollouts that Flagger runs"),
    rule("flagger.app", &["canaries/status"], &["patch"], "their end"),
];

/// The rules of the control plane's Role, each with its reason.
pub fn server_rules() -> impl Iterator<Item = &'static Rule> {
    BASE.iter().chain(EDGE).chain(ROUTES)
}
