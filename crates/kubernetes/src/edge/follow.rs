//! Keeping up with objects of the API server, whatever becomes of it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

/// The pause after the first failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long one watch lasts before it is begun anew, in seconds: what a connection that has died silently can hide.
pub(super) const WATCH_SECONDS: u32 = 60;

/// The objects as the API server has them, by name; `None` until they have been listed once. While it cannot be reached they
/// stay as they were.
pub(super) type Objects<K> = Option<BTreeMap<String, Arc<K>>>;

/// Follows objects for as long as somebody listens.
pub(super) async fn follow<K>(api: Api<K>, selection: watcher::Config, objects: watch::Sender<Objects<K>>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let mut events = pin!(watcher(api, selection.timeout(WATCH_SECONDS)));
    let mut listed = BTreeMap::new();
    let mut pause = FIRST_PAUSE;
    while !objects.is_closed() {
        match events.next().await {
            Some(Ok(event)) => {
                pause = FIRST_PAUSE;
                take(event, &mut listed, &objects);
            }
            Some(Err(error)) => {
                tracing::warn!(kind = %std::any::type_name::<K>(), %error, "cannot follow; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            None => return,
        }
    }
}

fn take<K: Resource>(
    event: Event<K>,
    listed: &mut BTreeMap<String, Arc<K>>,
    objects: &watch::Sender<Objects<K>>,
) {
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(object) => {
            listed.insert(object.name_any(), trimmed(object));
        }
        Event::InitDone => {
            objects.send_replace(Some(std::mem::take(listed)));
        }
        Event::Apply(object) => objects.send_modify(|objects| {
            let objects = objects.get_or_insert_default();
            objects.insert(object.name_any(), trimmed(object));
        }),
        Event::Delete(object) => objects.send_modify(|objects| {
            objects.get_or_insert_default().remove(&object.name_any());
        }),
    }
}

/// Who has written which field is the largest part of many objects, and of no use here.
fn trimmed<K: Resource>(mut object: K) -> Arc<K> {
    object.meta_mut().managed_fields = None;
    Arc::new(object)
}
