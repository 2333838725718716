//! From rendered objects to those of one version in one namespace.

use std::collections::BTreeMap;

use pilotage_spec::{Namespace, ServiceName, WorkloadKind};
use serde_json::{Map, Value, json};

use super::RenderError;
use super::check::{is_workload, workload};
use super::objects::ObjectName;

/// What is made of rendered objects.
#[derive(Debug, Clone, Copy)]
pub struct Preparation<'a> {
    /// Whose objects they are.
    pub service: &'a ServiceName,
    /// Where they go.
    pub namespace: &'a Namespace,
    /// The name of the workload of this version.
    pub name: &'a str,
    /// Labels of every object.
    pub labels: &'a BTreeMap<String, String>,
    /// Labels of this version alone beside those: of the workload, its pods, and what belongs to it.
    pub version_labels: &'a BTreeMap<String, String>,
    /// The image that the service's container runs; `None` leaves it as it is written.
    pub image: Option<&'a str>,
}

/// The objects of one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// What the workload is.
    pub kind: WorkloadKind,
    /// The workload under the name of its version; its pods carry the labels of the version, and it selects by them. The
    /// service's container is the first of its pods.
    pub workload: Value,
    /// What belongs to the workload of this version alone, such as its autoscaler. Let the workload own them, so that they
    /// go with it.
    pub companions: Vec<Value>,
    /// The Service of the service's own name, if there is one: what users call. Its selector is for whoever switches traffic.
    pub front: Option<Value>,
    /// All the rest, shared by all versions.
    pub others: Vec<Value>,
}

/// Prepares objects that have been rendered and checked.
///
/// # Errors
/// Fails if it is not clear what runs the service.
pub fn prepare(objects: &[Value], preparation: &Preparation<'_>) -> Result<Prepared, RenderError> {
    let original = workload(objects, preparation.service)?;
    let original_name = ObjectName::of(original);
    let container = container(original, preparation.service)?;
    let mut prepared = Prepared {
        kind: kind(original),
        workload: versioned(original, container, preparation)?,
        companions: Vec::new(),
        front: None,
        others: Vec::new(),
    };
    for object in objects.iter().filter(|object| ObjectName::of(object) != original_name) {
        let mut object = labelled(object.clone(), preparation);
        if scales(&object, &original_name) {
            own(&mut object, preparation);
            prepared.companions.push(object);
        } else if is_front(&object, preparation.service) {
            prepared.front = Some(object);
        } else {
            prepared.others.push(object);
        }
    }
    check_companions(&prepared.companions)?;
    Ok(prepared)
}

fn kind(workload: &Value) -> WorkloadKind {
    match ObjectName::of(workload).kind {
        "StatefulSet" => WorkloadKind::StatefulSet,
        _ => WorkloadKind::Deployment,
    }
}

/// The number of the service's container.
fn container(workload: &Value, service: &ServiceName) -> Result<usize, RenderError> {
    let refused = |reason: String| RenderError::input(ObjectName::of(workload), reason);
    let containers = workload.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let names: Vec<&str> = containers
        .into_iter()
        .flatten()
        .map(|container| container.get("name").and_then(Value::as_str).unwrap_or_default())
        .collect();
    match names.iter().position(|name| *name == service.as_str()) {
        Some(index) => Ok(index),
        None if names.len() == 1 => Ok(0),
        None if names.is_empty() => {
            Err(refused("has no containers under `spec.template.spec`; add the service's".to_owned()))
        }
        None => Err(refused(format!(
            "has the containers {}, and it is not clear which one is the service; call it `{service}`",
            names.join(", ")
        ))),
    }
}

fn versioned(
    original: &Value,
    container: usize,
    preparation: &Preparation<'_>,
) -> Result<Value, RenderError> {
    let refused = |reason: &str| RenderError::input(ObjectName::of(original), reason);
    let mut object = labelled(original.clone(), preparation);
    own(&mut object, preparation);
    let labels: BTreeMap<&String, &String> =
        preparation.labels.iter().chain(preparation.version_labels).collect();
    let written = original.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let pods = original.pointer("/spec/template/metadata/labels").and_then(Value::as_object);
    let selected = written.is_none_or(|written| {
        written.iter().all(|(key, value)| pods.and_then(|pods| pods.get(key)) == Some(value))
    });
    if !selected {
        return Err(refused(
            "does not select its own pods; give `spec.template.metadata.labels` what `spec.selector.matchLabels` says",
        ));
    }
    for path in [&["spec", "selector", "matchLabels"][..], &["spec", "template", "metadata", "labels"]] {
        let fields = fields_at(&mut object, path)
            .ok_or_else(|| refused("has labels that are no mapping; mend them"))?;
        fields.extend(labels.iter().map(|(key, value)| ((*key).clone(), json!(value))));
    }
    if let Some(Value::Array(containers)) = object.pointer_mut("/spec/template/spec/containers") {
        containers[..=container].rotate_right(1);
        if let (Some(Value::Object(fields)), Some(image)) = (containers.first_mut(), preparation.image) {
            fields.insert("image".to_owned(), json!(image));
        }
    }
    Ok(object)
}

/// In the namespace of the target, with the labels of the service, and without what only a cluster says.
fn labelled(mut object: Value, preparation: &Preparation<'_>) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
    }
    if let Some(metadata) = fields_at(&mut object, &["metadata"]) {
        for key in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"]
        {
            metadata.remove(key);
        }
        metadata.insert("namespace".to_owned(), json!(preparation.namespace.as_str()));
    }
    if let Some(labels) = fields_at(&mut object, &["metadata", "labels"]) {
        labels.extend(preparation.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    object
}

/// Under the name and with the labels of the version.
fn own(object: &mut Value, preparation: &Preparation<'_>) {
    if let Some(metadata) = fields_at(object, &["metadata"]) {
        metadata.insert("name".to_owned(), json!(preparation.name));
    }
    if let Some(labels) = fields_at(object, &["metadata", "labels"]) {
        labels.extend(preparation.version_labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    if let Some(target) = object.pointer_mut("/spec/scaleTargetRef/name") {
        *target = json!(preparation.name);
    }
    if let Some(target) = object.pointer_mut("/spec/targetRef/name") {
        *target = json!(preparation.name);
    }
}

/// Whether an object sets the replicas or resources of the workload: a HorizontalPodAutoscaler, a VerticalPodAutoscaler, or a
/// ScaledObject of KEDA.
fn scales(object: &Value, workload: &ObjectName<'_>) -> bool {
    let pointer = match ObjectName::of(object).kind {
        "HorizontalPodAutoscaler" | "ScaledObject" => "/spec/scaleTargetRef",
        "VerticalPodAutoscaler" => "/spec/targetRef",
        _ => return false,
    };
    let Some(target) = object.pointer(pointer) else { return false };
    let text = |key| target.get(key).and_then(Value::as_str);
    // KEDA takes a Deployment where no kind is said.
    text("name") == Some(workload.name) && text("kind").unwrap_or("Deployment") == workload.kind
}

fn check_companions(companions: &[Value]) -> Result<(), RenderError> {
    let mut kinds: Vec<&str> = companions.iter().map(|object| ObjectName::of(object).kind).collect();
    kinds.sort_unstable();
    match kinds.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            let reason = "scales the workload together with another one of its kind; keep one of the two";
            Err(RenderError::input(pair[0], reason))
        }
        None => Ok(()),
    }
}

fn is_front(object: &Value, service: &ServiceName) -> bool {
    let name = ObjectName::of(object);
    !is_workload(object) && name.group.is_empty() && name.kind == "Service" && name.name == service.as_str()
}

/// The mapping at a path, made where nothing is. `None` if something else is there.
fn fields_at<'a>(object: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut fields = object.as_object_mut()?;
    for key in path {
        let inner = fields.entry((*key).to_owned()).or_insert_with(|| json!({}));
        if inner.is_null() {
            *inner = json!({});
        }
        fields = inner.as_object_mut()?;
    }
    Some(fields)
}
