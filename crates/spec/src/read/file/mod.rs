//! The file as it is written: one table of fields an object. What is left out stays out, names are not yet looked up.

mod access;
mod approvals;
mod conditions;
mod edge;
mod environment;
mod hooks;
mod metrics;
mod policy;
mod project;
mod route;
mod secrets;
mod service;
mod strategy;
mod target;
mod tickets;
mod token;
mod triggers;
mod waves;
mod windows;

pub(crate) use access::{AccessDraft, GrantDraft, PrincipalDraft};
pub(crate) use approvals::by_name;
pub(crate) use conditions::Conditions;
pub(crate) use environment::{EnvironmentDraft, OverrideDraft};
pub(crate) use hooks::Hooks;
pub(crate) use policy::PolicyDraft;
pub(crate) use project::{ProjectDraft, project};
pub(crate) use route::{Hosts, RouteDraft};
pub(crate) use service::{EnvDraft, ServiceDraft};
pub(crate) use strategy::strategy;
pub(crate) use target::{KubernetesDraft, TargetDraft};
pub(crate) use waves::Waves;
