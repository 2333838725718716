//! The edge's objects: a Deployment, what it may read, and how it is reached.

use pilotage_spec::{EnvironmentName, ProjectName};
use serde_json::{Map, Value, json};

use super::pod::{PROGRAM, account_mount, account_volume, container_security, empty_folder, pod_security};
use crate::edge::{METRICS_PORT, STATUS_PORT, config_map_name};
use crate::names;

/// What everything of the edge is called, once a namespace.
pub(crate) const EDGE_NAME: &str = "pilotage-edge";
/// Who has put an object there. What the control plane has put there it also takes away.
pub(crate) const INSTALLED_BY: &str = "pilotage.dev/installed-by";
/// The value of [`INSTALLED_BY`] for what the control plane applies itself.
pub(crate) const INSTALLED_BY_US: &str = "control-plane";

/// Where a pod keeps its last table and its sockets.
const STATE_FOLDER: &str = "/var/lib/pilotage-edge";
/// How long a pod that is to end goes on taking connections, in seconds: until every node has heard that it leaves.
const LEAVING_SECONDS: u32 = 8;
/// How long requests in flight may take from then on, in seconds.
const GRACE_SECONDS: u32 = 30;

/// What the edge of a namespace is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeInstall {
    /// The namespace.
    pub namespace: String,
    /// Whose workloads are served.
    pub project: ProjectName,
    /// Whose workloads are served.
    pub environment: EnvironmentName,
    /// The image that holds `pilotage`, with tag or digest.
    pub image: String,
    /// The Secrets by which it is pulled.
    pub image_pull_secrets: Vec<String>,
    /// How many pods.
    pub replicas: u32,
    /// Whether the cluster offers `policy/v1` (from 1.21 on); else disruption budgets are `policy/v1beta1`.
    pub policy_v1: bool,
    /// Whether the control plane applies it, and so takes it away when nothing is served by it any more.
    pub ours: bool,
}

/// The labels by which the edge's pods are found.
pub(crate) fn edge_labels(project: &ProjectName, environment: &EnvironmentName) -> Map<String, Value> {
    let labels = [
        (names::NAME, EDGE_NAME.to_owned()),
        (names::PROJECT, project.to_string()),
        (names::ENVIRONMENT, environment.to_string()),
    ];
    labels.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The objects, in the order in which they are to be applied.
pub fn edge_objects(install: &EdgeInstall) -> Vec<Value> {
    vec![
        install.object("v1", "ServiceAccount", json!({ "automountServiceAccountToken": false })),
        install.role(),
        install.role_binding(),
        install.service(),
        install.disruption_budget(),
        install.deployment(),
    ]
}

impl EdgeInstall {
    fn labels(&self) -> Map<String, Value> {
        let mut labels = edge_labels(&self.project, &self.environment);
        labels.insert(names::MANAGED_BY.to_owned(), names::PILOTAGE.into());
        labels
    }

    /// An object with the usual metadata, and what else it has.
    fn object(&self, api_version: &str, kind: &str, rest: Value) -> Value {
        let mut metadata = json!({ "name": EDGE_NAME, "namespace": self.namespace, "labels": self.labels() });
        if self.ours {
            metadata["annotations"] = json!({ INSTALLED_BY: INSTALLED_BY_US });
        }
        let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata });
        for (name, value) in rest.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        object
    }

    /// What a pod may read: the one ConfigMap, and who is ready.
    fn role(&self) -> Value {
        let read = ["get", "list", "watch"];
        let rules = json!([
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": [config_map_name(&self.environment)],
                "verbs": read,
            },
            { "apiGroups": [""], "resources": ["endpoints"], "verbs": read },
            { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read },
        ]);
        self.object("rbac.authorization.k8s.io/v1", "Role", json!({ "rules": rules }))
    }

    fn role_binding(&self) -> Value {
        let binding = json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": EDGE_NAME },
            "subjects": [{ "kind": "ServiceAccount", "name": EDGE_NAME, "namespace": self.namespace }],
        });
        self.object("rbac.authorization.k8s.io/v1", "RoleBinding", binding)
    }

    /// For whoever collects metrics. Users come by the Services of their workloads.
    fn service(&self) -> Value {
        let spec = json!({
            "clusterIP": "None",
            "selector": edge_labels(&self.project, &self.environment),
            "ports": [{ "name": "metrics", "port": METRICS_PORT, "targetPort": METRICS_PORT, "protocol": "TCP" }],
        });
        self.object("v1", "Service", json!({ "spec": spec }))
    }

    fn disruption_budget(&self) -> Value {
        let version = if self.policy_v1 { "policy/v1" } else { "policy/v1beta1" };
        let selector = json!({ "matchLabels": edge_labels(&self.project, &self.environment) });
        let spec = json!({ "maxUnavailable": 1, "selector": selector });
        self.object(version, "PodDisruptionBudget", json!({ "spec": spec }))
    }

    fn deployment(&self) -> Value {
        let labels = edge_labels(&self.project, &self.environment);
        let spec = json!({
            "replicas": self.replicas,
            "revisionHistoryLimit": 3,
            // A new pod is ready before an old one leaves.
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": {
                    "labels": self.labels(),
                    "annotations": {
                        "prometheus.io/scrape": "true",
                        "prometheus.io/port": METRICS_PORT.to_string(),
                    },
                },
                "spec": self.pod(),
            },
        });
        self.object("apps/v1", "Deployment", json!({ "spec": spec }))
    }

    fn pod(&self) -> Value {
        let mut pod = json!({
            "serviceAccountName": EDGE_NAME,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": LEAVING_SECONDS + GRACE_SECONDS + 7,
            "securityContext": pod_security(),
            "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
                "weight": 100,
                "podAffinityTerm": {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": { "matchLabels": edge_labels(&self.project, &self.environment) },
                },
            }] } },
            "containers": [self.container()],
            "volumes": [empty_folder("state"), account_volume()],
        });
        if !self.image_pull_secrets.is_empty() {
            let secrets = self.image_pull_secrets.iter().map(|name| json!({ "name": name }));
            pod["imagePullSecrets"] = secrets.collect();
        }
        pod
    }

    fn container(&self) -> Value {
        let probe = |path: &str, more: Value| {
            let mut probe = json!({ "httpGet": { "path": path, "port": STATUS_PORT }, "timeoutSeconds": 5 });
            for (name, value) in more.as_object().into_iter().flatten() {
                probe[name] = value.clone();
            }
            probe
        };
        let status = format!("127.0.0.1:{STATUS_PORT}");
        json!({
            "name": "edge",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": [PROGRAM],
            "args": [
                "edge", "kubernetes",
                "--project", self.project.to_string(),
                "--environment", self.environment.to_string(),
                "--state-folder", STATE_FOLDER,
                "--status", format!("0.0.0.0:{STATUS_PORT}"),
                "--admin", format!("0.0.0.0:{METRICS_PORT}"),
                "--grace", format!("{GRACE_SECONDS}s"),
            ],
            "ports": [
                { "name": "status", "containerPort": STATUS_PORT, "protocol": "TCP" },
                { "name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP" },
            ],
            "readinessProbe": probe("/ready", json!({ "periodSeconds": 2, "failureThreshold": 1 })),
            "livenessProbe": probe("/live", json!({ "periodSeconds": 10, "failureThreshold": 6 })),
            // Says that no new connections are wanted, and waits until everybody has heard it; only then SIGTERM comes.
            "lifecycle": { "preStop": { "exec": { "command": [
                PROGRAM, "edge", "leave", "--status", status, "--for", format!("{LEAVING_SECONDS}s"),
            ] } } },
            "resources": {
                "requests": { "cpu": "100m", "memory": "64Mi" },
                "limits": { "memory": "512Mi" },
            },
            "securityContext": container_security(),
            "volumeMounts": [{ "name": "state", "mountPath": STATE_FOLDER }, account_mount()],
        })
    }
}
