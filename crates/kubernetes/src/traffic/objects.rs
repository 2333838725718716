//! Objects of any kind as JSON, read from a cluster and written to it.

use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use super::kind::Kind;
use crate::cluster::{Cluster, Patched};

/// The objects of one kind, in the version that the server prefers.
#[derive(Clone)]
pub(super) struct Objects {
    cluster: Cluster,
    resource: ApiResource,
}

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// Nothing is written; the server only says whether it would.
    Try,
    /// What others own is left alone, which is an error.
    Politely,
    /// What others have changed of it is taken back: for objects that are ours.
    Again,
}

impl Objects {
    /// The objects of a kind; `None` if the cluster does not know it.
    pub(super) async fn find(cluster: &Cluster, kind: &Kind) -> Result<Option<Self>, TargetError> {
        let resource = cluster.resource(kind.group, kind.kind).await?;
        Ok(resource.map(|resource| Self { cluster: cluster.clone(), resource }))
    }

    /// The same, refusing a cluster that does not know it.
    pub(super) async fn need(cluster: &Cluster, kind: &Kind) -> Result<Self, TargetError> {
        Self::find(cluster, kind).await?.ok_or_else(|| TargetError::Unsupported {
            what: format!("{} in {}, which does not know the kind", kind.kind, cluster.engine()),
            mend: format!("install {} there, or choose another `traffic` for the target", kind.from),
        })
    }

    /// The version of the API, `v1`.
    pub(super) fn version(&self) -> &str {
        &self.resource.version
    }

    fn api(&self, namespace: &str) -> kube::Api<DynamicObject> {
        if namespace == self.cluster.namespace() {
            return self.cluster.dynamic(&self.resource);
        }
        kube::Api::namespaced_with(self.cluster.client(), namespace, &self.resource)
    }

    fn own(&self) -> kube::Api<DynamicObject> {
        self.cluster.dynamic(&self.resource)
    }

    /// An object, if it is there.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Value>, TargetError> {
        self.get_in(self.cluster.namespace(), name).await
    }

    /// An object of another namespace, if it is there.
    pub(super) async fn get_in(&self, namespace: &str, name: &str) -> Result<Option<Value>, TargetError> {
        let found = self.cluster.get(&self.api(namespace), name).await?;
        found.map(|object| as_json(&object)).transpose()
    }

    /// All of them, or those with these labels.
    pub(super) async fn list(&self, selector: Option<&str>) -> Result<Vec<Value>, TargetError> {
        let asked = selector.map_or_else(ListParams::default, |labels| ListParams::default().labels(labels));
        let found = self.cluster.list_with(&self.own(), &asked).await?;
        found.iter().map(as_json).collect()
    }

    /// Server-side apply. Kind and version are those of the server.
    pub(super) async fn write(&self, object: &Value, how: Write) -> Result<Value, TargetError> {
        let mut object = object.clone();
        object["apiVersion"] = json!(self.resource.api_version);
        object["kind"] = json!(self.resource.kind);
        let object: DynamicObject = serde_json::from_value(object).map_err(malformed)?;
        let api = self.own();
        let written = match how {
            Write::Again => self.cluster.apply_again(&api, &object).await?,
            Write::Politely => self.cluster.apply(&api, &object).await?,
            Write::Try => self.tried(&api, &object).await?,
        };
        as_json(&written)
    }

    async fn tried(
        &self,
        api: &kube::Api<DynamicObject>,
        object: &DynamicObject,
    ) -> Result<DynamicObject, TargetError> {
        let name = object.metadata.name.clone().unwrap_or_default();
        let doing = format!("try to apply {} {name}", self.resource.plural);
        let parameters = PatchParams::apply(self.cluster.field_manager()).dry_run();
        let patch = Patch::Apply(object);
        Ok(self.cluster.ask(&doing, || api.patch(&name, &parameters, &patch)).await?)
    }

    /// A merge patch; refused as [`Patched::Stale`] if it names another `resourceVersion` than there is.
    pub(super) async fn change(&self, name: &str, change: &Value) -> Result<Changed, TargetError> {
        let patched: Patched<DynamicObject> = self.cluster.patch(&self.own(), name, change).await?;
        Ok(match patched {
            Patched::Done(object) => Changed::Done(as_json(&object)?),
            Patched::Stale => Changed::Stale,
            Patched::Missing => Changed::Missing,
        })
    }

    /// A merge patch of the status.
    pub(super) async fn change_status(&self, name: &str, change: &Value) -> Result<Value, TargetError> {
        let doing = format!("change the status of {} {name}", self.resource.plural);
        let api = self.own();
        let parameters = PatchParams {
            field_manager: Some(self.cluster.field_manager().to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(change);
        let changed = self.cluster.ask(&doing, || api.patch_status(name, &parameters, &patch)).await?;
        as_json(&changed)
    }

    /// Deletes an object; just that one, if it has a UID.
    pub(super) async fn delete(&self, object: &Value) -> Result<(), TargetError> {
        let name = super::scene::name_of(object);
        let uid = super::scene::text(object, "/metadata/uid");
        self.cluster.delete(&self.own(), name, uid).await
    }
}

/// What came of a change.
pub(super) enum Changed {
    /// The object as it is now.
    Done(Value),
    /// Somebody has changed it since it was read.
    Stale,
    /// It is not there.
    Missing,
}

fn as_json(object: &DynamicObject) -> Result<Value, TargetError> {
    serde_json::to_value(object).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> TargetError {
    TargetError::Failed { doing: "read an object".to_owned(), reason: error.to_string() }
}
