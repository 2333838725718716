//! A namespace with two versions of the sample service, and edge pods in front of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::config::{KubeConfigOptions, Kubeconfig};
use pilotage_load::{Load, LoadHandle, LoadPlan, LoadReport};
use pilotage_spec::{ClusterReach, KubernetesSettings, KubernetesTraffic, Version, Workload};
use pilotage_targets::Traffic;
use pilotage_testing::Used;
use pilotage_testing::rig::{Kube, SAMPLE_PORT};
use serde_json::json;
use tokio::net::TcpStream;

use super::super::EdgeRoute;
use super::super::pods::{self, EdgePod};
use crate::cluster::Cluster;
use crate::edge::Applied;
use crate::names::Owner;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The versions of the sample service, the newer first.
pub const NEW: &str = "1.1.0";
pub const OLD: &str = "1.0.0";

pub struct Stage {
    pub kube: Used<Kube>,
    pub cluster: Cluster,
    pub route: EdgeRoute,
    pub workload: Workload,
}

impl Stage {
    /// A namespace of its own, with a pod of each version that is ready.
    pub async fn set(kube: Used<Kube>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("edge-{}-{number}", std::process::id());
        kube.kubectl(&["create", "namespace", &namespace]).unwrap();
        let docker = kube.docker().unwrap();
        let images = [NEW, OLD].map(|version| docker.sample_image(version).unwrap());
        let image = docker.pilotage_image().unwrap();
        let owner = Owner { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() };
        let cluster =
            Cluster::new("the rig".into(), client(&kube).await, namespace, "pilotage".into(), owner);
        let workload =
            Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() };
        let route = new_route(&image);
        let stage = Self { kube, cluster, route, workload };
        for (version, image) in [NEW, OLD].into_iter().zip(images) {
            stage.bring_up(version, &image).await;
        }
        for version in [NEW, OLD] {
            stage.pods_are_ready(version, 1).await;
        }
        stage
    }

    /// As the target does: a Deployment and a Service of the version.
    async fn bring_up(&self, version: &str, image: &str) {
        let version: Version = version.parse().unwrap();
        let names = self.cluster.names(&self.workload);
        let name = names.of_version(&version);
        let (labels, selector) = (names.version_labels(&version), names.version_selector_labels(&version));
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": labels },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": selector },
                "template": { "metadata": { "labels": labels }, "spec": {
                    "terminationGracePeriodSeconds": 10,
                    "containers": [{
                        "name": "api",
                        "image": image,
                        "ports": [{ "containerPort": SAMPLE_PORT, "protocol": "TCP" }],
                        "readinessProbe": { "httpGet": { "path": "/ready", "port": SAMPLE_PORT }, "periodSeconds": 1 },
                        // Until the edge has heard that it leaves.
                        "lifecycle": { "preStop": { "exec": { "command": ["/bin/busybox", "sleep", "2"] } } },
                    }],
                } },
            },
        }))
        .unwrap();
        let service: Service = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": labels },
            "spec": { "selector": selector, "ports": [
                { "name": "http", "port": 80, "targetPort": SAMPLE_PORT, "protocol": "TCP" },
            ] },
        }))
        .unwrap();
        self.cluster.apply(&self.cluster.api(), &deployment).await.unwrap();
        self.cluster.apply(&self.cluster.api(), &service).await.unwrap();
    }

    /// Waits until so many pods of a version are ready.
    pub async fn pods_are_ready(&self, version: &str, count: usize) {
        let selector = self.cluster.names(&self.workload).version_selector(&version.parse().unwrap());
        until("the pods are ready", async || {
            let pods = self.cluster.list(&self.cluster.api::<Pod>(), &selector).await.unwrap();
            let ready = |pod: &&Pod| {
                let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
                pod.metadata.deletion_timestamp.is_none()
                    && conditions.into_iter().any(|known| known.type_ == "Ready" && known.status == "True")
            };
            pods.iter().filter(ready).count() == count && pods.len() == count
        })
        .await;
    }

    pub fn namespace(&self) -> &str {
        self.cluster.namespace()
    }

    /// What `kubectl` answers in the namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.kube.kubectl(&[&["--namespace", self.namespace()], arguments].concat()).unwrap()
    }

    /// The ready pods of the edge.
    pub async fn edge_pods(&self) -> Vec<EdgePod> {
        pods::list(&self.cluster).await.unwrap().into_iter().filter(|pod| pod.ready).collect()
    }

    /// What a pod of the edge says that it has in force.
    pub async fn applied(&self, pod: &EdgePod) -> Applied {
        super::super::reach::Reach::default().ask(&self.cluster, pod, "/applied").await.unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let namespace = self.namespace().to_owned();
        let deleted = self.kube.kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
        if let Err(error) = deleted {
            eprintln!("{namespace} is left behind: {error}");
        }
    }
}

pub fn new_route(image: &str) -> EdgeRoute {
    EdgeRoute::new(&KubernetesSettings {
        cluster: None,
        reach: ClusterReach::Usual,
        namespace: "unused".parse().unwrap(),
        traffic: KubernetesTraffic::Edge,
        service_account: None,
        image_pull_secrets: Vec::new(),
        edge_image: Some(image.to_owned()),
    })
}

async fn client(kube: &Kube) -> kube::Client {
    let config = Kubeconfig::read_from(kube.kubeconfig()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.unwrap();
    kube::Client::try_from(config).unwrap()
}

/// The traffic of the sample service with these shares, newest first.
pub fn shares(new: u32, old: u32) -> Traffic {
    let shares = [(NEW, new), (OLD, old)].into_iter().filter(|(_, share)| *share > 0);
    Traffic {
        shares: shares.map(|(version, share)| (version.parse().unwrap(), share)).collect(),
        hold_ms: 30_000,
        ..Traffic::new("127.0.0.1:80".parse().unwrap())
    }
}

/// So many requests of as many people, to their end.
pub async fn ask(address: SocketAddr, requests: u64) -> LoadReport {
    let plan = LoadPlan { requests: Some(requests), clients: requests, ..LoadPlan::closed(address, 8) };
    Load::start(plan).unwrap().wait().await.unwrap()
}

/// People who go on asking.
pub fn crowd(address: SocketAddr, requests_per_second: f64) -> LoadHandle {
    let plan = LoadPlan {
        post_share: 0.1,
        new_connection_share: 0.2,
        timeout: Duration::from_secs(45),
        ..LoadPlan::open(address, requests_per_second)
    };
    Load::start(plan).unwrap()
}

/// How many requests each version answered.
pub fn by_version(report: &LoadReport) -> BTreeMap<&str, u64> {
    let answered = report.versions.iter().map(|(name, version)| (name.as_str(), version.outcomes.total()));
    answered.filter(|(_, count)| *count > 0).collect()
}

/// Waits until a Service that was just made leads somewhere: the node's proxy learns of it when it can.
pub async fn leads_somewhere(address: SocketAddr) {
    until("the Service leads somewhere", async || TcpStream::connect(address).await.is_ok()).await;
}

/// Looks again and again until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looked = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    looked.await.unwrap_or_else(|_| panic!("it never came to be so: {what}"));
}
