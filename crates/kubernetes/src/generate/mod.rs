//! The objects of one version, made from what a release says: pure, so that the same release makes the same objects.

mod blueprint;
mod container;
mod pod;
mod probes;
mod secrets;
mod services;
mod workload;

pub(crate) use blueprint::{Blueprint, SecretNames};
pub(crate) use container::{CONTAINER, DEFAULT_PORT};
pub(crate) use probes::FAILURES;
pub(crate) use secrets::{ReadSecrets, SecretObjects, file_secrets};
pub(crate) use services::{SERVICE_PORT, pods_service, version_selector, version_service};
pub(crate) use workload::{deployment, stateful_set};
