//! What is refused before anything is asked of a cluster, and what is worth a word.

use std::collections::HashMap;

use pilotage_spec::{Namespace, ServiceName};
use serde_json::{Map, Value};

use super::RenderError;
use super::objects::ObjectName;
use super::scope::is_cluster_scoped;
use super::yaml::{Document, Place};

/// The annotation by which Helm marks what is not part of a release (<https://helm.sh/docs/topics/charts_hooks/>).
const HELM_HOOK: &str = "helm.sh/hook";
/// The kinds that keep a service's pods up.
const WORKLOADS: [&str; 2] = ["Deployment", "StatefulSet"];
/// The longest name of an object (RFC 1123 subdomain).
const NAME_LIMIT: usize = 253;

/// Objects that can be used, and what is worth a word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checked {
    pub(super) objects: Vec<Value>,
    pub(super) warnings: Vec<String>,
}

/// Checks the objects of a service for a namespace.
///
/// # Errors
/// The first fault, with the place of the object that has it.
pub(super) fn check(
    documents: Vec<Document>,
    service: &ServiceName,
    namespace: &Namespace,
) -> Result<Checked, RenderError> {
    let mut checked = Checked { objects: Vec::new(), warnings: Vec::new() };
    let mut seen: HashMap<String, Place> = HashMap::new();
    for Document { value, place } in documents {
        check_form(&value, &place)?;
        if let Some(hook) = hook(&value) {
            checked.warnings.extend(hook_warning(&value, hook, &place));
            continue;
        }
        check_scope(&value, namespace, &place)?;
        check_once(&value, &place, &mut seen)?;
        checked.warnings.extend(secret_warning(&value, &place));
        checked.objects.push(value);
    }
    let workload = workload(&checked.objects, service)?;
    checked.warnings.extend(bypass_warnings(&checked.objects, workload, service));
    Ok(checked)
}

fn check_form(object: &Value, place: &Place) -> Result<(), RenderError> {
    let refused = |reason: String| RenderError::input(place, reason);
    let Some(fields) = object.as_object() else {
        return Err(refused(
            "this is no object of Kubernetes; write `apiVersion`, `kind` and `metadata`".to_owned(),
        ));
    };
    for key in ["apiVersion", "kind"] {
        if text(fields, key).is_none_or(|text| !is_word(text)) {
            return Err(refused(format!("`{key}` is missing or no word; every object needs one")));
        }
    }
    let metadata = fields.get("metadata").and_then(Value::as_object);
    let name = metadata.and_then(|metadata| text(metadata, "name"));
    let Some(name) = name else {
        let mend = match metadata.is_some_and(|metadata| metadata.contains_key("generateName")) {
            true => "`generateName` would make a new object each time; give it a `metadata.name`",
            false => "`metadata.name` is missing; give the object a name",
        };
        return Err(refused(mend.to_owned()));
    };
    // As the API server does for the parts of a path; kinds have narrower rules of their own.
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '%' | '\\');
    if name.len() > NAME_LIMIT || matches!(name, "" | "." | "..") || !name.chars().all(plain) {
        return Err(refused(format!(
            "`metadata.name` is no name of an object; use lower-case letters, digits, `-` and `.`, {NAME_LIMIT} at most"
        )));
    }
    check_labels(object).map_err(refused)
}

fn check_labels(object: &Value) -> Result<(), String> {
    for pointer in ["/metadata/labels", "/metadata/annotations"] {
        match object.pointer(pointer) {
            None | Some(Value::Null) => {}
            Some(Value::Object(fields)) if fields.values().all(Value::is_string) => {}
            Some(_) => {
                let path = pointer.trim_start_matches('/').replace('/', ".");
                return Err(format!("`{path}` must hold texts; put numbers, `yes` and `true` in quotes"));
            }
        }
    }
    Ok(())
}

fn check_scope(object: &Value, namespace: &Namespace, place: &Place) -> Result<(), RenderError> {
    let name = ObjectName::of(object);
    if is_cluster_scoped(name.group, name.kind) {
        let reason = format!(
            "{name} belongs to the whole cluster, and a deployment only changes its own namespace; create it once by hand, and \
             take it out of the manifests"
        );
        return Err(RenderError::input(place, reason));
    }
    match object.pointer("/metadata/namespace") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(own)) if own == namespace.as_str() => Ok(()),
        Some(other) => {
            let other = other.as_str().unwrap_or("something else");
            let other: String = other.chars().take(80).flat_map(char::escape_debug).collect();
            let reason = format!(
                "{name} is for the namespace `{other}`, and the target's is `{namespace}`; leave `namespace` out, or correct the \
                 target in pilotage.yaml"
            );
            Err(RenderError::input(place, reason))
        }
    }
}

fn check_once(object: &Value, place: &Place, seen: &mut HashMap<String, Place>) -> Result<(), RenderError> {
    let ObjectName { group, kind, name } = ObjectName::of(object);
    match seen.insert(format!("{group}/{kind}/{name}"), place.clone()) {
        None => Ok(()),
        Some(first) => {
            let reason = format!("{kind} {name} is there twice, first at {first}; keep one of the two");
            Err(RenderError::input(place, reason))
        }
    }
}

/// The one object that keeps the service's pods up.
///
/// # Errors
/// Fails if there is none, or several and none of them has the service's name.
pub(super) fn workload<'a>(objects: &'a [Value], service: &ServiceName) -> Result<&'a Value, RenderError> {
    let found: Vec<&Value> = objects.iter().filter(|object| is_workload(object)).collect();
    let refused = |reason: String| Err(RenderError::input(format!("the objects of `{service}`"), reason));
    let named = |object: &&&Value| ObjectName::of(object).name == service.as_str();
    let mut of_its_name = found.iter().filter(named);
    match (found.as_slice(), of_its_name.next(), of_its_name.next()) {
        ([only], ..) => Ok(only),
        ([], ..) => {
            refused("hold no Deployment or StatefulSet; add the one that runs the service".to_owned())
        }
        (_, Some(named), None) => Ok(named),
        (several, ..) => {
            let names: Vec<String> =
                several.iter().take(5).map(|object| ObjectName::of(object).to_string()).collect();
            refused(format!(
                "hold several workloads ({}), and it is not clear which one runs the service; call it `{service}`, or make the \
                 others services of their own",
                names.join(", ")
            ))
        }
    }
}

/// Whether an object keeps pods of a service up.
pub(super) fn is_workload(object: &Value) -> bool {
    let name = ObjectName::of(object);
    name.group == "apps" && WORKLOADS.contains(&name.kind)
}

fn hook(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(HELM_HOOK)?.as_str()
}

fn hook_warning(object: &Value, hook: &str, place: &Place) -> Option<String> {
    let is_test = hook.split(',').all(|hook| hook.trim().starts_with("test"));
    let hook: String = hook.chars().take(80).flat_map(char::escape_debug).collect();
    (!is_test).then(|| {
        format!(
            "{place}: {} is a hook of Helm ({hook}) and is not run; make it a step of the pipeline, or part of `smoke`",
            ObjectName::of(object)
        )
    })
}

fn secret_warning(object: &Value, place: &Place) -> Option<String> {
    let name = ObjectName::of(object);
    let holds = |key| object.get(key).and_then(Value::as_object).is_some_and(|fields| !fields.is_empty());
    (name.group.is_empty() && name.kind == "Secret" && (holds("data") || holds("stringData"))).then(|| {
        format!(
            "{place}: {name} holds its values in plain text, as does every copy of the file; name the secret under `env` in \
             pilotage.yaml, or let an operator create it"
        )
    })
}

/// Services that reach the pods of every version at once, so that their requests do not follow the shares.
fn bypass_warnings(objects: &[Value], workload: &Value, service: &ServiceName) -> Vec<String> {
    let none = Map::new();
    let labels =
        workload.pointer("/spec/template/metadata/labels").and_then(Value::as_object).unwrap_or(&none);
    let reaches = |object: &&Value| {
        let name = ObjectName::of(object);
        let selector = object.pointer("/spec/selector").and_then(Value::as_object);
        let headless = object.pointer("/spec/clusterIP").and_then(Value::as_str) == Some("None");
        (name.group.is_empty() && name.kind == "Service" && name.name != service.as_str() && !headless)
            && selector.is_some_and(|selector| {
                !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            })
    };
    let warning = |object: &Value| {
        format!(
            "{} reaches the pods of every version at once, whatever their shares; let users use the Service `{service}`",
            ObjectName::of(object)
        )
    };
    objects.iter().filter(reaches).map(warning).collect()
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-');
    !text.is_empty() && text.len() <= NAME_LIMIT && text.chars().all(plain)
}
