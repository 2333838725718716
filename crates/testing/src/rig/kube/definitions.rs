//! Custom resource definitions for an API server that is older than they are.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Kube;
use crate::rig::{RigError, command, folder};

/// The environment variable that names the folder of published definitions.
pub const DEFINITIONS_VARIABLE: &str = "PILOTAGE_TEST_CRDS";

/// Where they are else: beside the folder of the workspace, or beside the folder in which it lies with others of its kind.
const FOLDER: &str = "shared/crds";

/// The folder of published definitions (Gateway API, Istio, Traefik, Argo Rollouts, Flagger), if it is there.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(told) = std::env::var_os(DEFINITIONS_VARIABLE) {
        return Some(PathBuf::from(told)).filter(|folder| folder.is_dir());
    }
    // This crate is two folders below the workspace.
    let around = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(3).take(2);
    around.map(|parent| parent.join(FOLDER)).find(|folder| folder.is_dir())
}

/// The only annotation that means something to the API server.
const APPROVAL: &str = "api-approved.kubernetes.io";

impl Kube {
    /// Creates the definitions of all `.yaml` files of a folder that are not there yet, without what version 1.20 does not
    /// know, and waits until they are in use. Their names.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or what the API server says.
    pub fn install_definitions(&self, files: &Path) -> Result<Vec<String>, RigError> {
        let listed = self.kubectl(&["get", "customresourcedefinitions", "--output", "name"])?;
        let mut names = Vec::new();
        let mut new = Vec::new();
        for file in yaml_files(files)? {
            for mut definition in self.read_definitions(&file)? {
                mend(&mut definition);
                let name = definition["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                if !listed.lines().any(|line| line.ends_with(&format!("/{name}"))) {
                    new.push(definition);
                }
                names.push(name);
            }
        }
        if !new.is_empty() {
            self.create(&json!({"apiVersion": "v1", "kind": "List", "items": new}))?;
        }
        let mut wait = vec!["wait", "--for", "condition=established", "--timeout", "120s", "crd"];
        wait.extend(names.iter().map(String::as_str));
        self.kubectl(&wait)?;
        Ok(names)
    }

    /// `kubectl` reads the YAML, so that no reader of it is needed here.
    fn read_definitions(&self, file: &Path) -> Result<Vec<Value>, RigError> {
        let file = folder::text(file);
        let words =
            ["create", "--dry-run=client", "--validate=false", "--output", "json", "--filename", &file];
        let text = self.kubectl(&words)?;
        let read: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
        let read =
            read.map_err(|error| RigError::Content { path: file.into(), reason: error.to_string() })?;
        let items = |value: Value| match value.get("items").and_then(Value::as_array) {
            Some(items) => items.clone(),
            None => vec![value],
        };
        let objects = read.into_iter().flat_map(items);
        Ok(objects.filter(|object| object["kind"] == "CustomResourceDefinition").collect())
    }

    /// Creates objects. Not applied: some are larger than what an annotation may hold.
    fn create(&self, objects: &Value) -> Result<(), RigError> {
        let path = folder::run("kube")?.join(format!("create-{}.json", std::process::id()));
        folder::write(&path, objects.to_string())?;
        let created =
            command::output(self.client().args(["create", "--validate=false", "--filename"]).arg(&path));
        let _ = fs::remove_file(&path);
        created.map(drop)
    }
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, RigError> {
    let entries = fs::read_dir(folder).map_err(RigError::file(folder))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    Ok(files)
}

/// Takes out of a definition what a server of version 1.20 refuses.
fn mend(definition: &mut Value) {
    if let Some(annotations) = definition.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
    {
        annotations.retain(|name, _| name == APPROVAL);
    }
    if let Some(object) = definition.as_object_mut() {
        object.remove("status");
    }
    let versions = definition.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
            mend_schema(schema);
        }
    }
}

/// Bottom-up, since a list is judged by what is left of its items.
fn mend_schema(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(mend_schema),
        Value::Object(schema) => {
            schema.values_mut().for_each(mend_schema);
            schema.remove("x-kubernetes-validations");
            if schema.get("default").is_some_and(|default| default == "") {
                schema.remove("default");
            }
            if lacks_list_keys(schema) {
                schema.remove("x-kubernetes-list-map-keys");
                schema.insert("x-kubernetes-list-type".to_owned(), json!("atomic"));
            }
        }
        _ => {}
    }
}

/// Whether the items of a list may be without a key by which they are told apart.
fn lacks_list_keys(schema: &Map<String, Value>) -> bool {
    let Some(keys) = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array) else { return false };
    let items = schema.get("items").unwrap_or(&Value::Null);
    let required = |key: &Value| {
        items.get("required").and_then(Value::as_array).is_some_and(|required| required.contains(key))
    };
    let defaulted = |key: &Value| {
        key.as_str().is_some_and(|key| items.pointer(&format!("/properties/{key}/default")).is_some())
    };
    !keys.iter().all(|key| required(key) || defaulted(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_old_server_refuses_is_taken_out() {
        let mut definition = json!({
            "metadata": {"name": "x", "annotations": {"api-approved.kubernetes.io": "yes", "long": "text"}},
            "spec": {"versions": [{"schema": {"openAPIV3Schema": {"properties": {
                "group": {"type": "string", "default": "", "x-kubernetes-validations": [{"rule": "true"}]},
                "parents": {
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "group"],
                    "items": {"required": ["name"], "properties": {"group": {"type": "string", "default": ""}}},
                },
                "ports": {
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
                    "items": {"required": ["port"], "properties": {"protocol": {"default": "TCP"}}},
                },
            }}}}]},
        });
        mend(&mut definition);
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        assert_eq!(definition["metadata"]["annotations"], json!({"api-approved.kubernetes.io": "yes"}));
        assert_eq!(schema["group"], json!({"type": "string"}));
        assert_eq!(schema["parents"]["x-kubernetes-list-type"], "atomic");
        assert_eq!(schema["parents"].get("x-kubernetes-list-map-keys"), None);
        assert_eq!(schema["ports"]["x-kubernetes-list-type"], "map", "what is fine stays");
    }
}
