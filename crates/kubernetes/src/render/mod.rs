//! From plain manifests, Kustomize or Helm to objects.
//!
//! Kustomize and Helm are rendered by their own programs, shut off from network, credentials and home, on a copy of the files
//! that they need. What comes out is read as `kubectl` reads it, checked, and kept by its digest, so that a way back needs
//! neither the programs nor the files of then.

mod check;
mod error;
mod inputs;
mod job;
mod kustomization;
mod objects;
mod paths;
mod prepare;
mod program;
mod programs;
mod renderer;
mod sandbox;
mod scope;
mod store;
mod yaml;

pub(crate) use error::RenderError;
pub(crate) use objects::ObjectName;
pub(crate) use prepare::{Preparation, Prepared, prepare};
pub(crate) use programs::Programs;
pub(crate) use renderer::{Renderer, Rendering};

/// The objects of a text, for tests of what prints some.
#[cfg(test)]
pub(crate) fn read_objects(text: &str) -> Vec<serde_json::Value> {
    let documents = yaml::read_stream("text", text).unwrap_or_default();
    documents.into_iter().map(|document| document.value).collect()
}

#[cfg(test)]
mod tests;
