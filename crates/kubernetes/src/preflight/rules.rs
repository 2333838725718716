//! What Pilotage does in a namespace, and what for: the one table of rights. The Role of a control plane in the cluster, the
//! check before a deployment and the page of the documentation are made of it.

use pilotage_spec::KubernetesTraffic;

/// One rule of a Role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The API group; the core group is the empty text.
    pub group: &'static str,
    /// The resources, `resource/subresource` where only a part of one is meant.
    pub resources: &'static [&'static str],
    /// Names of objects, if only these are meant.
    pub names: &'static [&'static str],
    /// What may be done.
    pub verbs: &'static [&'static str],
    /// What for.
    pub why: &'static str,
    /// Whether deployments go on without it, with less that is known or told.
    pub optional: bool,
}

const READ: &[&str] = &["get", "list", "watch"];
const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

const fn needed(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule { group, resources, names: &[], verbs, why, optional: false }
}

const fn optional(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule { group, resources, names: &[], verbs, why, optional: true }
}

/// What every way of sharing traffic takes.
const BASE: &[Rule] = &[
    needed(
        "apps",
        &["deployments", "statefulsets"],
        OWN,
        "one of each version; old ones are adopted and retired",
    ),
    needed("", &["services"], OWN, "the Service of users, and one of each version"),
    needed(
        "",
        &["configmaps"],
        &["get", "create", "patch", "delete"],
        "fencing tokens; what edge pods serve",
    ),
    needed(
        "",
        &["secrets"],
        &["get", "create", "patch", "delete"],
        "secrets of instances as files; never listed",
    ),
    needed("", &["pods"], &["get", "list", "watch"], "readiness and restarts"),
    needed("", &["pods/log"], &["get"], "the last lines of instances that fail"),
    needed("apps", &["replicasets"], READ, "which pods belong to what, and undone rollouts"),
    needed("", &["events"], READ, "why a pod does not start"),
    optional("apps", &["controllerrevisions"], READ, "undone rollouts of StatefulSets"),
    optional("", &["pods"], &["delete"], "retiring pods one by one"),
    optional("", &["pods/eviction"], &["create"], "retiring pods as disruption budgets allow"),
    optional("", &["resourcequotas", "limitranges"], READ, "whether there is room"),
    optional("", &["endpoints"], READ, "which instances take traffic"),
    optional("discovery.k8s.io", &["endpointslices"], READ, "which instances take traffic"),
    optional(
        "autoscaling",
        &["horizontalpodautoscalers"],
        OWN,
        "replicas that an autoscaler decides are left to it; autoscalers of manifests",
    ),
    optional(
        "policy",
        &["poddisruptionbudgets"],
        OWN,
        "the budget of edge pods; those of others are respected",
    ),
    optional("metrics.k8s.io", &["pods"], &["get", "list"], "processor and memory of instances"),
];

/// What edges in the cluster take. Nobody may hand out more than he has: the rules of the edge's own Role are among [`BASE`].
const EDGE: &[Rule] = &[
    needed("", &["configmaps"], OWN, "what edge pods serve"),
    needed("", &["serviceaccounts"], &["get", "create", "patch", "delete"], "the account of edge pods"),
    needed(
        "rbac.authorization.k8s.io",
        &["roles", "rolebindings"],
        &["get", "create", "patch", "delete"],
        "what edge pods may read",
    ),
    optional("", &["pods/proxy"], &["get"], "what edge pods report, where their addresses cannot be reached"),
];

const GATEWAY: &[Rule] = &[needed("gateway.networking.k8s.io", &["httproutes"], OWN, "weights by a Gateway")];
/// In the namespace of the Gateway.
const GATEWAY_PARENT: &[Rule] =
    &[needed("gateway.networking.k8s.io", &["gateways"], &["get"], "whether the parent is there")];
const ISTIO: &[Rule] =
    &[needed("networking.istio.io", &["virtualservices", "destinationrules"], OWN, "weights by Istio")];
const NGINX: &[Rule] =
    &[needed("networking.k8s.io", &["ingresses"], OWN, "canary annotations of the NGINX ingress controller")];
const TRAEFIK: &[Rule] =
    &[needed("traefik.io", &["ingressroutes", "traefikservices"], OWN, "weights by Traefik")];
const ARGO_ROLLOUTS: &[Rule] = &[
    needed("argoproj.io", &["rollouts"], OWN, "rollouts that Argo runs"),
    needed("argoproj.io", &["rollouts/status"], &["patch"], "their promotion and their end"),
    optional("argoproj.io", &["analysistemplates"], OWN, "what Argo measures for a rollout"),
    optional("argoproj.io", &["analysisruns"], READ, "what became of rollouts"),
];
const FLAGGER: &[Rule] = &[
    needed("flagger.app", &["canaries"], OWN, "rollouts that Flagger runs"),
    needed("flagger.app", &["canaries/status"], &["patch"], "their end"),
];

/// The rules of a way of sharing traffic, in the target's own namespace.
pub(super) fn rules_for(traffic: &KubernetesTraffic) -> impl Iterator<Item = &'static Rule> {
    let own: &[Rule] = match traffic {
        KubernetesTraffic::Service | KubernetesTraffic::Host => &[],
        KubernetesTraffic::Edge => EDGE,
        KubernetesTraffic::Gateway { .. } => GATEWAY,
        KubernetesTraffic::Istio { .. } => ISTIO,
        KubernetesTraffic::Nginx { .. } => NGINX,
        KubernetesTraffic::Traefik { .. } => TRAEFIK,
        KubernetesTraffic::ArgoRollouts => ARGO_ROLLOUTS,
        KubernetesTraffic::Flagger { .. } => FLAGGER,
    };
    BASE.iter().chain(own)
}

/// The rules that concern the parent of routes.
pub(super) fn parent_rules() -> impl Iterator<Item = &'static Rule> {
    GATEWAY_PARENT.iter()
}

/// The rules of all ways together. The groups need not be there.
pub fn all_rules() -> impl Iterator<Item = &'static Rule> {
    [BASE, EDGE, GATEWAY, GATEWAY_PARENT, ISTIO, NGINX, TRAEFIK, ARGO_ROLLOUTS, FLAGGER].into_iter().flatten()
}
