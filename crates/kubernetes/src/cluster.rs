//! One namespace of one cluster, as one environment acts in it. Every request to an API server goes through here, with a limit
//! on its time, tried again where that helps, and with its refusals in words ([`crate::answer`]).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy,
};
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use pilotage_spec::Workload;
use pilotage_targets::TargetError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{sleep, timeout};

use crate::answer;
use crate::names::{Names, Owner};

/// No request takes longer, with all that it is tried again.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);
/// How often a request is tried that the server could not answer for reasons of its own.
const ATTEMPTS: u32 = 3;
/// The pause before the first further attempt; the next ones are multiples of it.
const PAUSE: Duration = Duration::from_millis(200);
/// Objects of one page of a list.
const PAGE: u32 = 500;
/// No list has more pages: far more objects than one environment has.
const PAGES_LIMIT: usize = 100;
/// How often a list is begun anew whose continuation the server has forgotten (410).
const LISTS: u32 = 3;

/// One namespace of one cluster. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    engine: String,
    client: Client,
    namespace: String,
    field_manager: String,
    owner: Owner,
    /// The version in which the server prefers to speak of a kind, by group and kind.
    found: Mutex<BTreeMap<(String, String), ApiResource>>,
    /// The server's version, once it was asked.
    version: OnceCell<(u32, u32)>,
}

impl Cluster {
    /// A namespace as `owner` acts in it; `engine` is what it is called in messages.
    pub fn new(
        engine: String,
        client: Client,
        namespace: String,
        field_manager: String,
        owner: Owner,
    ) -> Self {
        let (found, version) = (Mutex::default(), OnceCell::new());
        Self { inner: Arc::new(Inner { engine, client, namespace, field_manager, owner, found, version }) }
    }

    /// Whether this is the very same way to the cluster.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// What the cluster is called in messages.
    pub fn engine(&self) -> &str {
        &self.inner.engine
    }

    /// The client, for what is not covered here; wrap its requests in [`Cluster::ask`].
    pub fn client(&self) -> Client {
        self.inner.client.clone()
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// Under which name we own fields.
    pub fn field_manager(&self) -> &str {
        &self.inner.field_manager
    }

    /// Whose objects are acted on.
    pub fn owner(&self) -> &Owner {
        &self.inner.owner
    }

    /// The names of a workload's objects.
    pub fn names(&self, workload: &Workload) -> Names {
        self.inner.owner.names(workload)
    }

    /// The objects of a kind that this library knows.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client(), self.namespace())
    }

    /// The objects of any other kind.
    pub fn dynamic(&self, resource: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client(), self.namespace(), resource)
    }

    /// The version of the server: `(1, 33)`.
    pub async fn version(&self) -> Result<(u32, u32), TargetError> {
        let known = self.inner.version.get_or_try_init(|| async {
            let info = self.ask("ask for its version", || self.inner.client.apiserver_version()).await?;
            let number = |text: &str| text.trim_end_matches('+').parse().unwrap_or(0);
            Ok::<(u32, u32), answer::Refusal>((number(&info.major), number(&info.minor)))
        });
        Ok(*known.await?)
    }

    /// Whether the server knows the lifecycle action `sleep`, as from 1.30 on.
    pub async fn knows_sleep(&self) -> Result<bool, TargetError> {
        const SINCE: (u32, u32) = (1, 30);
        Ok(self.version().await? >= SINCE)
    }

    /// The kind in the version that the server prefers; `None` if it does not know the kind. What was found is remembered;
    /// what was not may be installed at any time, and is asked for again.
    pub async fn resource(&self, group: &str, kind: &str) -> Result<Option<ApiResource>, TargetError> {
        let key = (group.to_owned(), kind.to_owned());
        if let Some(found) = self.inner.found.lock().await.get(&key) {
            return Ok(Some(found.clone()));
        }
        let doing = format!("ask which kinds of {group} there are");
        let asked = self.ask(&doing, || kube::discovery::group(&self.inner.client, group));
        let group = match asked.await {
            Ok(group) => group,
            Err(answer::Refusal { missing: true, .. }) => return Ok(None),
            Err(refusal) => return Err(refusal.into()),
        };
        let found = group.recommended_kind(kind).map(|(resource, _)| resource);
        if let Some(found) = &found {
            self.inner.found.lock().await.insert(key, found.clone());
        }
        Ok(found)
    }

    /// Server-side apply: what the object says is owned by us from then on. Fields that others own are left alone, and that is an
    /// error ([`TargetError::Conflict`]) that names them.
    pub async fn apply<K>(&self, api: &Api<K>, object: &K) -> Result<K, TargetError>
    where
        K: Resource + Serialize + DeserializeOwned + Clone + Debug,
    {
        self.apply_with(api, object, false).await
    }

    /// The same, and takes back what others have changed of it. Only for objects that are ours alone.
    pub async fn apply_again<K>(&self, api: &Api<K>, object: &K) -> Result<K, TargetError>
    where
        K: Resource + Serialize + DeserializeOwned + Clone + Debug,
    {
        self.apply_with(api, object, true).await
    }

    async fn apply_with<K>(&self, api: &Api<K>, object: &K, force: bool) -> Result<K, TargetError>
    where
        K: Resource + Serialize + DeserializeOwned + Clone + Debug,
    {
        let name = object.name_any();
        let doing = format!("apply {}", described(api, &name));
        let parameters = PatchParams { force, ..PatchParams::apply(self.field_manager()) };
        let patch = Patch::Apply(object);
        Ok(self.ask(&doing, || api.patch(&name, &parameters, &patch)).await?)
    }

    /// The same for an object whose content must not come back: it is not read again.
    pub async fn apply_unseen<K>(&self, api: &Api<K>, object: &K) -> Result<PartialObjectMeta<K>, TargetError>
    where
        K: Resource + Serialize + DeserializeOwned + Clone + Debug,
    {
        let name = object.name_any();
        let doing = format!("apply {}", described(api, &name));
        let parameters = PatchParams::apply(self.field_manager()).force();
        let patch = Patch::Apply(object);
        Ok(self.ask(&doing, || api.patch_metadata(&name, &parameters, &patch)).await?)
    }

    /// An object by its name, if there is one.
    pub async fn get<K>(&self, api: &Api<K>, name: &str) -> Result<Option<K>, TargetError>
    where
        K: Resource + DeserializeOwned + Clone + Debug,
    {
        let doing = format!("read {}", described(api, name));
        Ok(self.ask(&doing, || api.get_opt(name)).await?)
    }

    /// All objects that a query of labels selects, as they are now. Pages that the server has forgotten meanwhile (410) are
    /// asked for again from the first on.
    pub async fn list<K>(&self, api: &Api<K>, selector: &str) -> Result<Vec<K>, TargetError>
    where
        K: Resource + DeserializeOwned + Clone + Debug,
    {
        self.list_with(api, &ListParams::default().labels(selector)).await
    }

    /// The same with all that a list can be asked for.
    pub async fn list_with<K>(&self, api: &Api<K>, asked: &ListParams) -> Result<Vec<K>, TargetError>
    where
        K: Resource + DeserializeOwned + Clone + Debug,
    {
        let mut begun = 1;
        loop {
            match self.pages(api, asked).await {
                Err(refusal) if refusal.code == 410 && begun < LISTS => begun += 1,
                listed => return Ok(listed?),
            }
        }
    }

    async fn pages<K>(&self, api: &Api<K>, asked: &ListParams) -> Result<Vec<K>, answer::Refusal>
    where
        K: Resource + DeserializeOwned + Clone + Debug,
    {
        let doing = format!("list {}", kind(api));
        let mut asked = asked.clone().limit(PAGE);
        let mut items = Vec::new();
        for _ in 0..PAGES_LIMIT {
            let page = self.ask(&doing, || api.list(&asked)).await?;
            items.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => asked.continue_token = Some(token),
                None => return Ok(items),
            }
        }
        Err(answer::Refusal::of(&doing, format!("there are more than {} of them", items.len())))
    }

    /// Creates an object that is not there yet; `None` if it is.
    pub async fn create<K>(&self, api: &Api<K>, object: &K) -> Result<Option<K>, TargetError>
    where
        K: Resource + Serialize + DeserializeOwned + Clone + Debug,
    {
        let doing = format!("create {}", described(api, &object.name_any()));
        let parameters =
            PostParams { field_manager: Some(self.field_manager().to_owned()), ..PostParams::default() };
        match self.ask(&doing, || api.create(&parameters, object)).await {
            Ok(created) => Ok(Some(created)),
            Err(refusal) if refusal.exists => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Changes some fields of an object (JSON merge patch, RFC 7386). With a `resourceVersion` among them it is refused if
    /// somebody has changed the object since: that is [`Patched::Stale`].
    pub async fn patch<K>(&self, api: &Api<K>, name: &str, change: &Value) -> Result<Patched<K>, TargetError>
    where
        K: Resource + DeserializeOwned + Clone + Debug,
    {
        let doing = format!("change {}", described(api, name));
        let parameters =
            PatchParams { field_manager: Some(self.field_manager().to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(change);
        match self.ask(&doing, || api.patch(name, &parameters, &patch)).await {
            Ok(object) => Ok(Patched::Done(Box::new(object))),
            Err(refusal) if refusal.missing => Ok(Patched::Missing),
            Err(refusal) if refusal.stale => Ok(Patched::Stale),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Deletes an object and what it owns, in the background; with `uid`, only that very one. One that is not there, or is another
    /// by now, is deleted already.
    pub async fn delete<K>(&self, api: &Api<K>, name: &str, uid: Option<&str>) -> Result<(), TargetError>
    where
        K: Resource + DeserializeOwned + Clone + Debug,
    {
        let doing = format!("delete {}", described(api, name));
        let parameters = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            preconditions: uid
                .map(|uid| Preconditions { uid: Some(uid.to_owned()), ..Preconditions::default() }),
            ..DeleteParams::default()
        };
        match self.ask(&doing, || api.delete(name, &parameters)).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.missing || (uid.is_some() && refusal.stale) => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Sends a request, again if the server is at fault, and says in words what was refused. The request must do the same when
    /// it is sent twice.
    pub async fn ask<T, F, Asked>(&self, doing: &str, request: F) -> Result<T, answer::Refusal>
    where
        F: Fn() -> Asked,
        Asked: Future<Output = Result<T, kube::Error>>,
    {
        let attempts = async {
            let mut attempt = 1;
            loop {
                match request().await {
                    Err(error) if attempt < ATTEMPTS && answer::is_passing(&error) => {
                        sleep(PAUSE * attempt).await;
                        attempt += 1;
                    }
                    answered => return answered,
                }
            }
        };
        match timeout(REQUEST_LIMIT, attempts).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(answer::refusal(self.engine(), doing, &error)),
            Err(_) => Err(answer::late(self.engine(), doing, REQUEST_LIMIT)),
        }
    }
}

/// What came of a change.
pub(crate) enum Patched<K> {
    /// The object as it is now.
    Done(Box<K>),
    /// Somebody has changed the object since it was read.
    Stale,
    /// There is no such object.
    Missing,
}

/// An object in messages: `deployments api-v1-2-0`.
fn described<K: Resource>(api: &Api<K>, name: &str) -> String {
    format!("{} {name}", kind(api))
}

/// The last part of the address: the kind as the API calls it.
fn kind<K: Resource>(api: &Api<K>) -> &str {
    api.resource_url().rsplit('/').next().unwrap_or_default()
}
