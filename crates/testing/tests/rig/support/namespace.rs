//! A namespace of a test.

use std::fs;

use pilotage_testing::rig::{Kube, SAMPLE_PORT};
use serde_json::{Value, json};

use super::said;

/// A namespace that goes when the test ends.
pub struct Namespace<'a> {
    pub kube: &'a Kube,
    pub name: String,
}

impl<'a> Namespace<'a> {
    pub fn new(kube: &'a Kube, name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        kube.kubectl(&["create", "namespace", &name]).unwrap();
        Self { kube, name }
    }

    pub fn kubectl(&self, words: &[&str]) -> String {
        said(self.kube.client().args(["--namespace", &self.name]).args(words))
    }

    pub fn apply(&self, object: &Value) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("object.json");
        fs::write(&file, object.to_string()).unwrap();
        self.kubectl(&["apply", "--filename", file.to_str().unwrap()]);
    }

    /// The sample service of this image, with `arguments`, and a readiness probe.
    pub fn deploy(&self, name: &str, image: &str, arguments: &[&str]) {
        self.apply(&json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "containers": [{
                            "name": "sample",
                            "image": image,
                            "args": arguments,
                            "readinessProbe": {
                                "httpGet": {"path": "/ready", "port": SAMPLE_PORT},
                                "periodSeconds": 1,
                            },
                        }],
                    },
                },
            },
        }));
    }

    pub fn pod_address(&self, app: &str) -> String {
        let path = "jsonpath={.items[0].status.podIP}";
        let address = self.kubectl(&["get", "pods", "--selector", &format!("app={app}"), "--output", path]);
        format!("{address}:{SAMPLE_PORT}")
    }

    pub fn wait_ready(&self, name: &str) {
        self.kubectl(&["rollout", "status", "deployment", name, "--timeout", "150s"]);
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        let _ = self.kube.kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}
