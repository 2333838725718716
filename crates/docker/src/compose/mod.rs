//! Compose files as a starting point: what of one is understood becomes a first `pilotage.yaml`, and of all else it is said,
//! a line each, what was left out and what to do about it. The format is that of compose-spec.io.

mod fields;
mod hint;
mod interpolate;
mod service;
mod settle;
mod trial;
mod write;

use std::collections::BTreeMap;

use pilotage_spec::{Diagnostics, read_document};
use serde_json::Value;

use service::{Service, label};

/// What came of a Compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The text of a `pilotage.yaml`.
    pub file: String,
    /// Its services, those first that others need.
    pub services: Vec<String>,
    /// What was not taken over, a line each, with the place in the Compose file.
    pub remarks: Vec<String>,
}

/// What is not understood, in the order in which it was found.
#[derive(Debug, Default)]
struct Remarks(Vec<String>);

impl Remarks {
    fn add(&mut self, place: &str, words: impl AsRef<str>) {
        self.0.push(format!("{place}: {}", words.as_ref()));
    }
}

/// Top-level keys that need no word.
const SILENT: [&str; 3] = ["name", "services", "version"];

/// Reads a Compose file. `project` is its name where the file says none; `file_name` is how messages call the file.
///
/// # Errors
/// Every fault of its syntax, each with its place. Anchors and merge keys are such faults: write the values out.
pub fn convert(file_name: &str, text: &str, project: &str) -> Result<Converted, Diagnostics> {
    let document = read_document(file_name, text)?;
    let mut remarks = Remarks::default();
    let named = document["name"].as_str().unwrap_or(project);
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    for (name, written) in document["services"].as_object().into_iter().flatten() {
        let own = label(name);
        if own != *name {
            remarks.add(&format!("services.{name}"), format!("it is called `{own}` here"));
        }
        let service = Service::read(name, written, &mut remarks);
        if services.insert(own.clone(), service).is_some() {
            remarks.add(
                &format!("services.{name}"),
                format!("another service is called `{own}` too; rename one"),
            );
        }
    }
    if services.is_empty() {
        remarks.add("services", "there is none; name at least one in `pilotage.yaml`");
    }
    settle::settle(&mut services, &mut remarks);
    let file = write::file(&label(named), &services, &mut remarks);
    for (key, value) in document.as_object().into_iter().flatten() {
        if !SILENT.contains(&key.as_str()) && !key.starts_with("x-") && !is_empty(value) {
            remarks.add(key, top_level(key));
        }
    }
    Ok(Converted { file, services: settle::in_order(&services), remarks: remarks.0 })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

fn top_level(key: &str) -> &'static str {
    match key {
        "networks" => {
            "left out: each environment has a network of its own; `target.docker.network` names another"
        }
        "volumes" => {
            "left out: services keep nothing on disk; put what lasts into a database or an object store"
        }
        "secrets" => "left out: a service is given a secret in its `env`, with `as: file` as a file",
        "configs" => "left out: put the file into the image, or its values into `env`",
        "include" => "left out: convert that file too, and put its services here",
        _ => "left out: it is not known here",
    }
}

#[cfg(test)]
mod tests;
