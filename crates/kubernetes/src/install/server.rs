//! The control plane's objects.

use serde_json::{Map, Value, json};

use super::pod::{PROGRAM, account_mount, account_volume, container_security, empty_folder, pod_security};
use super::rules::server_rules;

/// Where clients reach the control plane.
const PORT: u16 = 7443;
/// Where the volume is. What is kept is in a folder below it, which can be made for its owner alone.
const VOLUME_FOLDER: &str = "/var/lib/pilotage";
const STATE_FOLDER: &str = "/var/lib/pilotage/state";
/// Where the emptyDir of sockets is, and the folder in it.
const RUN_VOLUME_FOLDER: &str = "/run/pilotage";
const RUN_FOLDER: &str = "/run/pilotage/sockets";
const PROJECT_FOLDER: &str = "/etc/pilotage/project";
const TLS_FOLDER: &str = "/etc/pilotage/tls";
/// How long a deployment's current effect may take to come to its end, in seconds.
const GRACE_SECONDS: u32 = 30;

/// What a control plane in a cluster is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInstall {
    /// The namespace that it runs in, and deploys to.
    pub namespace: String,
    /// What its objects are called.
    pub name: String,
    /// The image that holds `pilotage`, with tag or digest. Edge pods get the same.
    pub image: String,
    /// The ConfigMap with the project's `pilotage.yaml` and the files that it names, each under its name.
    pub project_config_map: String,
    /// The Secret with `tls.crt` and `tls.key`, as of type `kubernetes.io/tls`.
    pub tls_secret: String,
    /// The size of the volume, as Kubernetes writes it.
    pub storage: String,
    /// The class of the volume; the cluster's own choice if not given.
    pub storage_class: Option<String>,
    /// Whether it also gets the right to read the identity of the cluster.
    pub cluster_role: bool,
}

impl ServerInstall {
    /// With the usual names.
    pub fn new(namespace: &str, image: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: "pilotage".to_owned(),
            image: image.to_owned(),
            project_config_map: "pilotage-project".to_owned(),
            tls_secret: "pilotage-tls".to_owned(),
            storage: "2Gi".to_owned(),
            storage_class: None,
            cluster_role: false,
        }
    }
}

/// The objects, in the order in which they are to be applied.
pub fn server_objects(install: &ServerInstall) -> Vec<Value> {
    let mut objects = vec![
        install.object("v1", "ServiceAccount", json!({ "automountServiceAccountToken": false })),
        install.role(),
        install.role_binding(),
    ];
    if install.cluster_role {
        objects.extend([install.cluster_role(), install.cluster_role_binding()]);
    }
    objects.extend([install.volume_claim(), install.service(), install.deployment()]);
    objects
}

impl ServerInstall {
    /// By these its pod is found.
    fn selector(&self) -> Map<String, Value> {
        let labels = [("app.kubernetes.io/name", "pilotage"), ("app.kubernetes.io/instance", &self.name)];
        labels.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    /// An object of the namespace with the usual metadata, and what else it has.
    fn object(&self, api_version: &str, kind: &str, rest: Value) -> Value {
        let mut labels = self.selector();
        labels.insert("app.kubernetes.io/component".to_owned(), "control-plane".into());
        let mut object = json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": { "name": self.name, "namespace": self.namespace, "labels": labels },
        });
        for (name, value) in rest.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        object
    }

    fn role(&self) -> Value {
        let rules: Vec<Value> = server_rules().map(super::Rule::object).collect();
        self.object("rbac.authorization.k8s.io/v1", "Role", json!({ "rules": rules }))
    }

    fn role_binding(&self) -> Value {
        self.binding("RoleBinding", "Role")
    }

    fn binding(&self, kind: &str, role: &str) -> Value {
        let binding = json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": self.cluster_wide(role) },
            "subjects": [{ "kind": "ServiceAccount", "name": self.name, "namespace": self.namespace }],
        });
        self.object("rbac.authorization.k8s.io/v1", kind, binding)
    }

    /// Objects of the whole cluster are told apart by the namespace.
    fn cluster_wide(&self, kind: &str) -> String {
        match kind.starts_with("Cluster") {
            true => format!("{}-{}", self.namespace, self.name),
            false => self.name.clone(),
        }
    }

    /// Tells one cluster from another by what cannot be copied; without it, by the certificate authority alone.
    fn cluster_role(&self) -> Value {
        let rules = json!([{
            "apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"],
        }]);
        let role = self.object("rbac.authorization.k8s.io/v1", "ClusterRole", json!({ "rules": rules }));
        self.without_namespace(role, "ClusterRole")
    }

    fn cluster_role_binding(&self) -> Value {
        let binding = self.binding("ClusterRoleBinding", "ClusterRole");
        self.without_namespace(binding, "ClusterRoleBinding")
    }

    fn without_namespace(&self, mut object: Value, kind: &str) -> Value {
        object["metadata"]["name"] = self.cluster_wide(kind).into();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.shift_remove("namespace");
        }
        object
    }

    fn volume_claim(&self) -> Value {
        let mut spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": self.storage } },
        });
        if let Some(class) = &self.storage_class {
            spec["storageClassName"] = class.as_str().into();
        }
        self.object("v1", "PersistentVolumeClaim", json!({ "spec": spec }))
    }

    fn service(&self) -> Value {
        let spec = json!({
            "selector": self.selector(),
            "ports": [{ "name": "api", "port": 443, "targetPort": PORT, "protocol": "TCP" }],
        });
        self.object("v1", "Service", json!({ "spec": spec }))
    }

    fn deployment(&self) -> Value {
        let spec = json!({
            // One writer of the journal: the old pod is gone before the new one begins.
            "replicas": 1,
            "strategy": { "type": "Recreate" },
            "revisionHistoryLimit": 3,
            "selector": { "matchLabels": self.selector() },
            "template": {
                "metadata": { "labels": self.selector() },
                "spec": {
                    "serviceAccountName": self.name,
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": GRACE_SECONDS,
                    "securityContext": pod_security(),
                    "containers": [self.container()],
                    "volumes": self.volumes(),
                },
            },
        });
        self.object("apps/v1", "Deployment", json!({ "spec": spec }))
    }

    fn container(&self) -> Value {
        let live = json!({ "path": "/v1/live", "port": PORT, "scheme": "HTTPS" });
        json!({
            "name": "server",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": [PROGRAM],
            "args": [
                "serve",
                "--listen", format!("0.0.0.0:{PORT}"),
                "--tls-cert", format!("{TLS_FOLDER}/tls.crt"),
                "--tls-key", format!("{TLS_FOLDER}/tls.key"),
                "--host", format!("{}.{}.svc", self.name, self.namespace),
                "--host", format!("{}.{}.svc.cluster.local", self.name, self.namespace),
                "--host", self.name,
            ],
            // As variables, so that `kubectl exec … -- /bin/pilotage status` finds the same project.
            "env": [
                { "name": "PILOTAGE_FILE", "value": format!("{PROJECT_FOLDER}/pilotage.yaml") },
                { "name": "PILOTAGE_STATE", "value": STATE_FOLDER },
                { "name": "PILOTAGE_RUN", "value": RUN_FOLDER },
                { "name": "PILOTAGE_IMAGE", "value": self.image },
            ],
            "ports": [{ "name": "api", "containerPort": PORT, "protocol": "TCP" }],
            // A journal that was not closed is checked first, however long that takes.
            "startupProbe": { "httpGet": live, "periodSeconds": 2, "failureThreshold": 150, "timeoutSeconds": 5 },
            "readinessProbe": { "httpGet": live, "periodSeconds": 5, "timeoutSeconds": 5 },
            "livenessProbe": { "httpGet": live, "periodSeconds": 10, "failureThreshold": 6, "timeoutSeconds": 5 },
            "resources": {
                "requests": { "cpu": "100m", "memory": "128Mi" },
                "limits": { "memory": "512Mi" },
            },
            "securityContext": container_security(),
            "volumeMounts": [
                { "name": "state", "mountPath": VOLUME_FOLDER },
                { "name": "run", "mountPath": RUN_VOLUME_FOLDER },
                { "name": "temporary", "mountPath": "/tmp" },
                { "name": "project", "mountPath": PROJECT_FOLDER, "readOnly": true },
                { "name": "tls", "mountPath": TLS_FOLDER, "readOnly": true },
                account_mount(),
            ],
        })
    }

    fn volumes(&self) -> Value {
        json!([
            { "name": "state", "persistentVolumeClaim": { "claimName": self.name } },
            empty_folder("run"),
            empty_folder("temporary"),
            { "name": "project", "configMap": { "name": self.project_config_map } },
            { "name": "tls", "secret": { "secretName": self.tls_secret, "defaultMode": 0o440 } },
            account_volume(),
        ])
    }
}
