//! Watches: they announce that something may have changed, and remember which pods take traffic, for the edge of this machine. Nothing
//! that is observed comes from here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use pilotage_proxy::{Endpoint, Protocol};
use pilotage_spec::{Version, Workload};
use pilotage_targets::{EndpointSource, Serving};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::Connection;
use crate::cluster::Cluster;
use crate::names::{ADOPTED, PROTOCOL, SERVICE, VERSION, query, slug};

use super::instance::address;
use super::version::annotation;

/// The pause after a watch that could not go on, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A watch is begun anew so often at least, in seconds: a server that is gone without a word is noticed then.
const WATCH_SECONDS: u32 = 60;

/// A pod as the edge sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SeenPod {
    service: String,
    version: String,
    protocol: Protocol,
    /// Where it answers, if it takes traffic.
    endpoint: Option<Endpoint>,
}

/// What the watches of one environment have seen.
pub(crate) struct Watched {
    /// The pods, each with the watch that knows it; `None` until all of them have been listed once.
    pods: Mutex<Option<BTreeMap<String, SeenPod>>>,
    /// Pods of Deployments that were there before us, by their watch: their labels are not ours.
    adopted: Mutex<BTreeMap<String, BTreeMap<String, SeenPod>>>,
    news: watch::Sender<u64>,
}

impl Watched {
    fn announce(&self) {
        self.news.send_modify(|count| *count += 1);
    }
}

impl EndpointSource for Watched {
    fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving> {
        let (service, version) = (workload.service.as_str(), slug(version));
        let wanted = |pod: &&SeenPod| pod.service == service && pod.version == version;
        let own = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = own.as_ref()?;
        let pods: Vec<&SeenPod> =
            known.values().chain(adopted.values().flat_map(BTreeMap::values)).filter(wanted).collect();
        let protocol = pods.first().map_or(Protocol::default(), |pod| pod.protocol);
        Some(Serving { endpoints: pods.iter().filter_map(|pod| pod.endpoint.clone()).collect(), protocol })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

/// The watches of one environment. They end when this is dropped.
pub(crate) struct Watches {
    watched: Arc<Watched>,
    task: JoinHandle<()>,
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watches {
    /// Watches, as soon as and whenever the cluster can be reached.
    pub fn start(connection: Arc<Connection>) -> Self {
        let (news, _) = watch::channel(0);
        let watched = Arc::new(Watched { pods: Mutex::default(), adopted: Mutex::default(), news });
        let task = tokio::spawn(follow(connection, Arc::clone(&watched)));
        Self { watched, task }
    }

    /// Who knows which pods take traffic.
    pub fn source(&self) -> Arc<dyn EndpointSource> {
        Arc::clone(&self.watched) as Arc<dyn EndpointSource>
    }

    /// Changes with every piece of news.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.watched.news.subscribe()
    }

    /// Something has changed that no watch sees.
    pub fn announce(&self) {
        self.watched.announce();
    }
}

/// Finds the way to the cluster and watches until the credentials change.
async fn follow(connection: Arc<Connection>, watched: Arc<Watched>) {
    let mut pause = PAUSE.0;
    loop {
        match connection.cluster().await {
            Ok(cluster) => {
                pause = PAUSE.0;
                let other = other_cluster(&connection, &cluster);
                tokio::select! {
                    () = all(&cluster, &watched) => {}
                    () = other => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the cluster is not watched");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Returns when the way to the cluster is another one, as when somebody has logged in again.
async fn other_cluster(connection: &Connection, cluster: &Cluster) {
    loop {
        tokio::time::sleep(PAUSE.1).await;
        if connection.cluster().await.is_ok_and(|now| !now.is(cluster)) {
            return;
        }
    }
}

async fn all(cluster: &Cluster, watched: &Arc<Watched>) {
    tokio::join!(
        pods(cluster, watched),
        news_of::<StatefulSet>(cluster, watched),
        news_of::<Service>(cluster, watched),
        deployments(cluster, watched),
    );
}

/// The pods with our labels.
async fn pods(cluster: &Cluster, watched: &Watched) {
    let selector = cluster.owner().selector();
    let mut listed = BTreeMap::new();
    each(cluster.api::<Pod>(), &selector, |event| {
        let mut pods = watched.pods.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => listed = BTreeMap::new(),
            Event::InitApply(pod) => listed.extend(seen(&pod, None)),
            Event::InitDone => *pods = Some(std::mem::take(&mut listed)),
            Event::Apply(pod) => {
                if let Some(pods) = pods.as_mut() {
                    pods.extend(seen(&pod, None));
                }
            }
            Event::Delete(pod) => {
                if let Some(pods) = pods.as_mut() {
                    pods.remove(pod.metadata.name.as_deref().unwrap_or_default());
                }
            }
        }
        drop(pods);
        watched.announce();
    })
    .await;
}

/// The Deployments with our labels, and the pods of those that were there before us.
async fn deployments(cluster: &Cluster, watched: &Arc<Watched>) {
    let mut adopted: BTreeMap<String, AbortOnDrop> = BTreeMap::new();
    each(cluster.api::<Deployment>(), &cluster.owner().selector(), |event| {
        match &event {
            Event::Apply(deployment) | Event::InitApply(deployment) => {
                let name = deployment.metadata.name.clone().unwrap_or_default();
                if annotation(&deployment.metadata, ADOPTED).is_some() && !adopted.contains_key(&name) {
                    let task = adopted_pods(cluster.clone(), Arc::clone(watched), deployment.clone());
                    adopted.insert(name, AbortOnDrop(tokio::spawn(task)));
                }
            }
            Event::Delete(deployment) => {
                let name = deployment.metadata.name.clone().unwrap_or_default();
                adopted.remove(&name);
                watched.adopted.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            }
            Event::Init | Event::InitDone => {}
        }
        watched.announce();
    })
    .await;
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn adopted_pods(cluster: Cluster, watched: Arc<Watched>, deployment: Deployment) {
    let name = deployment.metadata.name.clone().unwrap_or_default();
    let labels = deployment.metadata.labels.clone().unwrap_or_default();
    let selector = deployment.spec.and_then(|spec| spec.selector.match_labels).unwrap_or_default();
    if selector.is_empty() {
        return;
    }
    each(cluster.api::<Pod>(), &query(&selector), |event| {
        let mut adopted = watched.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        let pods = adopted.entry(name.clone()).or_default();
        match event {
            Event::Init => pods.clear(),
            Event::InitApply(pod) | Event::Apply(pod) => pods.extend(seen(&pod, Some(&labels))),
            Event::Delete(pod) => {
                pods.remove(pod.metadata.name.as_deref().unwrap_or_default());
            }
            Event::InitDone => {}
        }
        drop(adopted);
        watched.announce();
    })
    .await;
}

/// Announces every change of objects of which nothing else is of interest.
async fn news_of<K>(cluster: &Cluster, watched: &Watched)
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + Send + 'static,
    K::DynamicType: Default + std::fmt::Debug + Clone + Eq + std::hash::Hash,
    PartialObjectMeta<K>: DeserializeOwned,
{
    let api: Api<PartialObjectMeta<K>> = cluster.api();
    each(api, &cluster.owner().selector(), |_| watched.announce()).await;
}

/// Follows a kind of objects for ever; after an error, including one about a version that is forgotten (410), the watch lists all of
/// them again.
async fn each<K>(api: Api<K>, selector: &str, mut event: impl FnMut(Event<K>))
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let config = watcher::Config::default().labels(selector).timeout(WATCH_SECONDS);
    let mut events = std::pin::pin!(watcher(api, config));
    let mut pause = PAUSE.0;
    while let Some(next) = events.next().await {
        match next {
            Ok(next) => {
                pause = PAUSE.0;
                event(next);
            }
            Err(error) => {
                tracing::debug!(%error, "a watch begins anew");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// A pod by its name. One that was adopted has the labels of its Deployment.
fn seen(pod: &Pod, labels: Option<&BTreeMap<String, String>>) -> Option<(String, SeenPod)> {
    let labels = labels.or(pod.metadata.labels.as_ref())?;
    let name = pod.metadata.name.clone()?;
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.is_some_and(|all| {
        all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
    });
    let takes = ready && pod.metadata.deletion_timestamp.is_none();
    let endpoint = takes.then(|| address(pod)).flatten();
    let http2 = annotation(&pod.metadata, PROTOCOL).is_some_and(|protocol| protocol == "http2");
    let seen = SeenPod {
        service: labels.get(SERVICE)?.clone(),
        version: labels.get(VERSION)?.clone(),
        protocol: if http2 { Protocol::Http2 } else { Protocol::Http1 },
        endpoint: endpoint.map(|address| Endpoint { instance: name.clone(), address }),
    };
    Some((name, seen))
}
