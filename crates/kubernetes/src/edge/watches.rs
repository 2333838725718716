//! What a feeder follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Endpoints};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::backends::{Backends, of_endpoints, of_slices};
use super::follow::{Objects, follow};

/// The group that has slices; a cluster without it has `Endpoints` alone.
const SLICES: &str = "discovery.k8s.io/v1";
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The ConfigMap and the instances, as the API server has them. What is followed ends with this value.
pub(super) struct Watches {
    config_map: watch::Receiver<Objects<ConfigMap>>,
    backends: watch::Receiver<Option<BTreeMap<String, Backends>>>,
    name: String,
    _tasks: JoinSet<()>,
}

impl Watches {
    /// Begins to follow, in one namespace, the ConfigMap of this name and the instances that `labels` select.
    pub(super) fn start(client: Client, namespace: &str, name: &str, labels: &str) -> Self {
        let mut tasks = JoinSet::new();
        let (maps, config_map) = watch::channel(None);
        // By this selector the API server lets somebody list and watch who may see this one object only.
        let selection = watcher::Config::default().fields(&format!("metadata.name={name}"));
        tasks.spawn(follow(Api::namespaced(client.clone(), namespace), selection, maps));
        let (sender, backends) = watch::channel(None);
        tasks.spawn(follow_backends(client, namespace.to_owned(), labels.to_owned(), sender));
        Self { config_map, backends, name: name.to_owned(), _tasks: tasks }
    }

    /// Told by hand.
    #[cfg(test)]
    pub(super) fn told(
        config_map: watch::Receiver<Objects<ConfigMap>>,
        backends: watch::Receiver<Option<BTreeMap<String, Backends>>>,
        name: &str,
    ) -> Self {
        Self { config_map, backends, name: name.to_owned(), _tasks: JoinSet::new() }
    }

    /// Returns when anything has changed.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            Ok(()) = self.config_map.changed() => {}
            Ok(()) = self.backends.changed() => {}
            // Whoever follows has ended, which only the end of the process brings about.
            else => std::future::pending().await,
        }
    }

    /// The ConfigMap, once it has been looked for; the inner `None` says that there is none.
    pub(super) fn config_map(&self) -> Option<Option<Arc<ConfigMap>>> {
        self.config_map.borrow().as_ref().map(|objects| objects.get(&self.name).cloned())
    }

    /// The instances by Service, once they have been listed.
    pub(super) fn backends(&self) -> Option<BTreeMap<String, Backends>> {
        self.backends.borrow().clone()
    }
}

/// Follows slices where there are any, else `Endpoints`.
async fn follow_backends(
    client: Client,
    namespace: String,
    labels: String,
    backends: watch::Sender<Option<BTreeMap<String, Backends>>>,
) {
    let selection = watcher::Config::default().labels(&labels);
    if has_slices(&client).await {
        let (sender, objects) = watch::channel::<Objects<EndpointSlice>>(None);
        let read = pass_on(objects, backends, of_slices);
        tokio::join!(follow(Api::namespaced(client, &namespace), selection, sender), read);
    } else {
        let (sender, objects) = watch::channel::<Objects<Endpoints>>(None);
        let read = pass_on(objects, backends, of_endpoints);
        tokio::join!(follow(Api::namespaced(client, &namespace), selection, sender), read);
    }
}

/// Asks until the API server says which there are.
async fn has_slices(client: &Client) -> bool {
    loop {
        match client.list_api_group_resources(SLICES).await {
            Ok(found) => return found.resources.iter().any(|resource| resource.name == "endpointslices"),
            Err(kube::Error::Api(status)) if status.code == 404 => return false,
            Err(error) => tracing::warn!(%error, "the API server does not say what it has; asking again"),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Reads backends off all objects of a kind, by their names.
type Read<K> = fn(&BTreeMap<String, Arc<K>>) -> BTreeMap<String, Backends>;

async fn pass_on<K>(
    mut objects: watch::Receiver<Objects<K>>,
    backends: watch::Sender<Option<BTreeMap<String, Backends>>>,
    read: Read<K>,
) {
    while objects.changed().await.is_ok() {
        let now = objects.borrow_and_update().as_ref().map(read);
        // What changes of an object is most often nothing that matters here.
        backends.send_if_modified(|known| {
            let differs = *known != now;
            *known = now;
            differs
        });
    }
}
