//! What both kinds of our pods have in common.

use serde_json::{Value, json};

/// Where an image of ours has the program.
pub(super) const PROGRAM: &str = "/bin/pilotage";
/// The user and group of our processes: nobody in particular, as in most images without a distribution.
pub(super) const USER: u32 = 65_532;

/// Where a pod finds what it needs to speak to the API server.
const ACCOUNT_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// For the pod as a whole.
pub(super) fn pod_security() -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

/// For its container.
pub(super) fn container_security() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": { "drop": ["ALL"] },
    })
}

/// The credentials of the service account, named one by one: a token that is bound to the pod and renewed every hour, even where
/// the cluster would hand out one that never ends.
pub(super) fn account_volume() -> Value {
    json!({
        "name": "account",
        "projected": {
            "sources": [
                { "serviceAccountToken": { "path": "token", "expirationSeconds": 3600 } },
                { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
                { "downwardAPI": { "items": [{
                    "path": "namespace",
                    "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" },
                }] } },
            ],
        },
    })
}

/// Where [`account_volume`] is mounted.
pub(super) fn account_mount() -> Value {
    json!({ "name": "account", "mountPath": ACCOUNT_FOLDER, "readOnly": true })
}

/// A folder that lives as long as the pod.
pub(super) fn empty_folder(name: &str) -> Value {
    json!({ "name": name, "emptyDir": {} })
}
