//! The file as it is written: one table of fields an object. What is left out stays out, names are not yet looked up.

mod environment;
mod project;
mod service;
mod strategy;
mod triggers;

pub(crate) use environment::{EnvironmentDraft, OverrideDraft};
pub(crate) use project::{ProjectDraft, project};
pub(crate) use service::{EnvDraft, ServiceDraft};
pub(crate) use strategy::strategy;
