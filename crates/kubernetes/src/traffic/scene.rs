//! What a route refers to in the cluster, by name.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use pilotage_spec::Version;
use pilotage_targets::{TargetError, Traffic};
use serde_json::{Value, json};

use crate::names::{self, Names};

/// The versions that Services stand for, by the Service's name.
pub(super) type Backends = BTreeMap<String, Version>;

/// Where a workload is reached of which nothing was written.
pub(super) const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Names, labels and ports that the objects of one workload share.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    /// The Service that users know; our routes have its name.
    pub(super) service: String,
    /// Where all of it lives.
    pub(super) namespace: String,
    /// The port of every Service of the workload.
    pub(super) port: u16,
    pub(super) names: Names,
}

impl Scene {
    /// The scene of a workload whose Services have this port.
    pub(super) fn new(names: Names, namespace: &str, port: u16) -> Self {
        Self { service: names.service().to_owned(), namespace: namespace.to_owned(), port, names }
    }

    /// The Service of one version.
    pub(super) fn backend(&self, version: &Version) -> String {
        self.names.of_version(version)
    }

    /// Refuses an object of ours that is another environment's or project's.
    pub(super) fn need_own(&self, object: &Value) -> Result<(), TargetError> {
        let labels: BTreeMap<String, String> = object
            .pointer("/metadata/labels")
            .and_then(|labels| serde_json::from_value(labels.clone()).ok())
            .unwrap_or_default();
        if self.names.own(Some(&labels)) {
            return Ok(());
        }
        let of = |label: &str| labels.get(label).map_or("another", String::as_str).to_owned();
        Err(TargetError::Conflict {
            object: format!("{} {}", text(object, "/kind").unwrap_or("object"), name_of(object)),
            manager: format!("Pilotage for {} in {}", of(names::PROJECT), of(names::ENVIRONMENT)),
            fields: "all of it".to_owned(),
        })
    }

    /// Metadata of an object of ours.
    pub(super) fn metadata(&self, name: &str) -> Value {
        json!({ "name": name, "namespace": self.namespace, "labels": self.names.labels() })
    }

    /// Metadata of the object that says the whole traffic.
    pub(super) fn metadata_with(&self, name: &str, traffic: &Traffic) -> Value {
        let mut metadata = self.metadata(name);
        metadata["annotations"] = json!({ names::TRAFFIC: written(traffic) });
        metadata
    }
}

/// The traffic as its annotation.
pub(super) fn written(traffic: &Traffic) -> String {
    // Maps with keys that are no text could fail; there are none.
    serde_json::to_string(traffic).unwrap_or_default()
}

/// The traffic that an object's annotation says, if it says one.
pub(super) fn annotated(object: &Value) -> Option<Traffic> {
    let text = object.pointer("/metadata/annotations")?.get(names::TRAFFIC)?.as_str()?;
    serde_json::from_str(text).ok()
}

/// Whether we made the object.
pub(super) fn is_ours(object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels");
    let manager = labels.and_then(|labels| labels.get(names::MANAGED_BY));
    manager.and_then(Value::as_str) == Some(names::PILOTAGE)
}

/// The object's name, or nothing.
pub(super) fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// The items of the array at a JSON pointer; none if it is not there.
pub(super) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The text at a JSON pointer.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}
