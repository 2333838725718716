//! Edge pods as a way to share requests.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::apps::v1::Deployment;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, KubernetesSettings, Version, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::counted::Counted;
use super::reach::Reach;
use super::record::Record;
use super::{in_force, installation, pods, users};
use crate::cluster::Cluster;
use crate::install::{EDGE_NAME, EdgeInstall};
use crate::traffic::TrafficRoute;

/// The variable that names the image of edge pods. A control plane in a cluster has it, with its own image.
const IMAGE_VARIABLE: &str = "PILOTAGE_IMAGE";
/// How many pods there are unless somebody scales them.
const REPLICAS: u32 = 2;
/// How long edge pods may take to start, their image to come included.
const START_LIMIT: Duration = Duration::from_secs(180);
/// How long ready pods may take to take up a change. A node that has died counts as ready for up to 40 seconds.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Shares requests by edge pods.
pub(crate) struct EdgeRoute {
    image: Option<String>,
    image_pull_secrets: Vec<String>,
    reach: Reach,
    counted: Mutex<Counted>,
    /// Set when pods did not do as they should: what they need is put there again, wherever it was lost.
    doubtful: std::sync::atomic::AtomicBool,
}

impl EdgeRoute {
    /// Changes nothing yet.
    pub(crate) fn new(settings: &KubernetesSettings) -> Self {
        let told = || std::env::var(IMAGE_VARIABLE).ok().filter(|image| !image.is_empty());
        Self {
            image: settings.edge_image.clone().or_else(told),
            image_pull_secrets: settings.image_pull_secrets.clone(),
            reach: Reach::default(),
            counted: Mutex::default(),
            doubtful: false.into(),
        }
    }

    /// What the edge is to be made of; `None` if its image is not known.
    async fn install(&self, cluster: &Cluster) -> Result<Option<EdgeInstall>, TargetError> {
        let Some(image) = self.image.clone() else { return Ok(None) };
        let budget = cluster.resource("policy", "PodDisruptionBudget").await?;
        Ok(Some(EdgeInstall {
            namespace: cluster.namespace().to_owned(),
            project: cluster.owner().project.clone(),
            environment: cluster.owner().environment.clone(),
            image,
            image_pull_secrets: self.image_pull_secrets.clone(),
            replicas: REPLICAS,
            policy_v1: budget.is_none_or(|found| found.version == "v1"),
            ours: true,
        }))
    }

    /// Sees to it that edge pods are there.
    async fn ensure(&self, cluster: &Cluster) -> Result<(), TargetError> {
        use std::sync::atomic::Ordering::Relaxed;
        match self.install(cluster).await? {
            Some(install) => {
                installation::ensure(cluster, &install, self.doubtful.load(Relaxed)).await?;
                self.doubtful.store(false, Relaxed);
                Ok(())
            }
            // One that is there already will do, whoever has put it there.
            None => match cluster.get(&cluster.api::<Deployment>(), EDGE_NAME).await? {
                Some(live) => installation::refuse_others(cluster, &live),
                None => Err(unknown_image()),
            },
        }
    }

    /// What all pods have counted; fails while one to which users are sent has never been read.
    async fn counted(&self, cluster: &Cluster) -> Result<EdgeStats, TargetError> {
        // Readings are taken in as they were taken: one at a time.
        let mut counted = self.counted.lock().await;
        let all = pods::list(cluster).await?;
        let ask = |pod| self.reach.ask::<EdgeStats>(cluster, pod, "/stats");
        let mut readings = Vec::new();
        for (pod, answer) in pods::each(all.iter().filter(|pod| pod.running), ask).await {
            match answer {
                Ok(stats) => readings.push((pod.uid.clone(), stats)),
                Err(reason) if pod.ready && !counted.knows(&pod.uid) => {
                    let engine = format!("the edge pod {}", pod.name);
                    return Err(TargetError::Unreachable { engine, reason });
                }
                Err(reason) => tracing::debug!(pod = pod.name, reason, "not read; its last counters hold"),
            }
        }
        let present: BTreeSet<&str> = all.iter().map(|pod| pod.uid.as_str()).collect();
        Ok(counted.take(readings, &present))
    }
}

fn unknown_image() -> TargetError {
    TargetError::Failed {
        doing: "put edge pods into the cluster".into(),
        reason: format!(
            "their image is not known; set {IMAGE_VARIABLE} for `pilotage serve` to an image that holds /bin/pilotage, or apply what \
             `pilotage kubernetes manifests --edge` prints"
        ),
    }
}

#[async_trait]
impl TrafficRoute for EdgeRoute {
    fn capabilities(&self) -> Capabilities {
        Capabilities::EDGE
    }

    async fn check(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<(), TargetError> {
        let encrypted =
            traffic.edge.as_ref().filter(|edge| !edge.certificates.is_empty() || edge.redirect.is_some());
        if encrypted.is_some() {
            return Err(TargetError::Unsupported {
                what: "certificates at the edge's pods".into(),
                mend: "end TLS at an Ingress or a LoadBalancer before the Service, or choose `traffic: { gateway: … }`".into(),
            });
        }
        if let Some(live) = cluster.get(&cluster.api::<Deployment>(), EDGE_NAME).await? {
            installation::refuse_others(cluster, &live)?;
        } else if self.image.is_none() {
            return Err(unknown_image());
        }
        Record::read(cluster).await?.entry(workload, traffic).map(drop)
    }

    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        self.ensure(cluster).await?;
        let is_first = !pods::list(cluster).await?.iter().any(|pod| pod.ready);
        let (entry, digest) = Record::write(cluster, workload, traffic).await?;
        let limit = if is_first { START_LIMIT } else { CHANGE_LIMIT };
        let reached = in_force::everywhere((cluster, &self.reach), workload, Some(&digest), limit).await;
        let epoch =
            reached.inspect_err(|_| self.doubtful.store(true, std::sync::atomic::Ordering::Relaxed))?;
        // Users come only when every pod knows what to do with them.
        let listen = users::lead(cluster, workload, &entry).await?;
        Ok(Routed { listen, epoch })
    }

    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        let mut record = Record::read(cluster).await?;
        let Some(entry) = record.entries.remove(&workload.service) else { return Ok(None) };
        let listen = users::found(cluster, workload, &entry).await?;
        Ok(listen.map(|listen| Traffic { listen, ..entry.traffic }))
    }

    async fn remove(&self, cluster: &Cluster, workload: &Workload) -> Result<(), TargetError> {
        users::forget(cluster, workload).await?;
        let left = Record::forget(cluster, workload).await?;
        if !left.entries.is_empty() {
            in_force::everywhere((cluster, &self.reach), workload, None, CHANGE_LIMIT).await?;
            return Ok(());
        }
        // Of an edge whose image is not known any more, only names matter.
        let install = self.install(cluster).await?;
        let nameless = || EdgeInstall {
            namespace: cluster.namespace().to_owned(),
            project: cluster.owner().project.clone(),
            environment: cluster.owner().environment.clone(),
            image: String::new(),
            image_pull_secrets: Vec::new(),
            replicas: REPLICAS,
            policy_v1: true,
            ours: true,
        };
        installation::remove(cluster, &install.unwrap_or_else(nameless)).await
    }

    async fn drain(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        version: &Version,
        limit: Duration,
    ) -> Result<(), TargetError> {
        let (route, version) = (workload.to_string(), version.to_string());
        let deadline = Instant::now() + limit;
        let mut pause = FIRST_PAUSE;
        loop {
            let stats = self.counted(cluster).await?;
            let counted = stats.routes.get(&route).and_then(|route| route.versions.get(&version));
            if counted.is_none_or(|counted| counted.in_flight == 0) || Instant::now() > deadline {
                return Ok(());
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn stats(&self, cluster: &Cluster, _: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        self.counted(cluster).await.map(Some)
    }
}
