//! The engines that tests need: the rigs as they run, or what the environment names instead.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use crate::rig::kube::ApiServer;
use crate::rig::lock::{self, Lock, Use};
use crate::rig::{Docker, Kube, RigError, Swarm, docker, kube, swarm};
use crate::skip::skip;

/// The environment variable that says where a Docker Engine listens (`unix:///…`), for one that is not the rig's.
pub const DOCKER_VARIABLE: &str = "PILOTAGE_TEST_DOCKER_HOST";

/// The environment variable that says which registry that engine can push to and pull from (`127.0.0.1:5000`).
pub const REGISTRY_VARIABLE: &str = "PILOTAGE_TEST_REGISTRY";

/// The environment variable that names the kubeconfig of a cluster that is not the rig's.
pub const KUBECONFIG_VARIABLE: &str = "PILOTAGE_TEST_KUBECONFIG";

/// Finds a rig, whole again if parts of it had been killed; `None` if it is not up.
type Find<Engine> = fn() -> Result<Option<Engine>, RigError>;

/// An engine that a test uses. Tests that disturb the whole of it are kept away until this is dropped.
#[derive(Debug)]
pub struct Used<Engine> {
    engine: Engine,
    /// Starts again what the test killed, if it was alone.
    heal: Option<Find<Engine>>,
    /// Released last.
    _locks: Vec<Arc<Lock>>,
}

impl<Engine> Deref for Used<Engine> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl<Engine> Drop for Used<Engine> {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.heal.map(|heal| heal()) {
            // Who uses it next tries again, and fails with this.
            eprintln!("the rig is not whole: {error}");
        }
    }
}

/// A Docker Engine with a registry, or `None` after having said that the test is skipped; the test then returns.
///
/// ```no_run
/// # use pilotage_testing::need_docker;
/// let Some(docker) = need_docker("containers") else { return };
/// ```
///
/// # Panics
///
/// When there is none and nothing may be skipped, or when the rig is broken.
#[must_use]
pub fn need_docker(suite: &str) -> Option<Used<Docker>> {
    if let Some((host, registry)) = told(DOCKER_VARIABLE).zip(told(REGISTRY_VARIABLE)) {
        let socket = host.strip_prefix("unix://").unwrap_or(&host);
        return Some(foreign(Docker::at(PathBuf::from(socket), registry)));
    }
    used(suite, "docker", &[(lock::ENGINE, Use::Shared)], docker::healed)
}

/// The same for a test that kills parts of the rig: nobody else uses it meanwhile, Kubernetes neither. What the test has
/// killed and not started is started again when it ends.
///
/// # Panics
///
/// As [`need_docker`].
#[must_use]
pub fn need_docker_alone(suite: &str) -> Option<Used<Docker>> {
    used(suite, "docker", &[(lock::ENGINE, Use::Alone)], docker::healed)
}

/// A swarm of one engine, or `None` after having said that the test is skipped; the test then returns.
///
/// # Panics
///
/// As [`need_docker`].
#[must_use]
pub fn need_swarm(suite: &str) -> Option<Used<Swarm>> {
    used(suite, "swarm", &[(lock::ENGINE, Use::Shared), (lock::SWARM, Use::Shared)], swarm::healed)
}

/// The same for a test that kills parts of the swarm's engine.
///
/// # Panics
///
/// As [`need_docker`].
#[must_use]
pub fn need_swarm_alone(suite: &str) -> Option<Used<Swarm>> {
    used(suite, "swarm", &[(lock::ENGINE, Use::Shared), (lock::SWARM, Use::Alone)], swarm::healed)
}

/// A Kubernetes cluster, or `None` after having said that the test is skipped; the test then returns. A test makes a
/// namespace of its own in it.
///
/// # Panics
///
/// As [`need_docker`].
#[must_use]
pub fn need_kube(suite: &str) -> Option<Used<Kube>> {
    if let Some(kubeconfig) = told(KUBECONFIG_VARIABLE) {
        return Some(foreign(Kube::at(kubeconfig.into())));
    }
    used(suite, "kube", &[(lock::ENGINE, Use::Shared)], kube::healed)
}

/// The same for a test that kills parts of the rig, those of its Docker Engine included: nobody else uses it meanwhile.
/// What the test has killed and not started is started again when it ends.
///
/// # Panics
///
/// As [`need_docker`].
#[must_use]
pub fn need_kube_alone(suite: &str) -> Option<Used<Kube>> {
    used(suite, "kube", &[(lock::ENGINE, Use::Alone)], kube::healed)
}

/// A cluster of the test's own, without nodes, or `None` after having said that the test is skipped; the test then returns.
///
/// # Panics
///
/// When there can be none and nothing may be skipped, or when it does not start.
#[must_use]
pub fn need_api_server(suite: &str) -> Option<ApiServer> {
    if !kube::is_built() {
        skip(suite, "Kubernetes", "build it with `cargo xtask kube build`");
        return None;
    }
    Some(ApiServer::start().unwrap_or_else(|error| broken(suite, "an API server", &error)))
}

/// The folder of published custom resource definitions, or `None` after having said that the test is left out; the test then
/// returns. They are other people's files, so a run in which nothing may be skipped goes on without them.
#[must_use]
pub fn need_definitions(suite: &str) -> Option<PathBuf> {
    let found = kube::definitions_folder();
    if found.is_none() {
        eprintln!(
            "LEFT OUT: {suite}: set {} to a folder of published definitions",
            kube::DEFINITIONS_VARIABLE
        );
    }
    found
}

fn told(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn foreign<Engine>(engine: Engine) -> Used<Engine> {
    Used { engine, heal: None, _locks: Vec::new() }
}

fn used<Engine>(
    suite: &str,
    rig: &str,
    locks: &[(&'static str, Use)],
    find: Find<Engine>,
) -> Option<Used<Engine>> {
    let found = locks
        .iter()
        .map(|(name, how)| lock::for_test(name, *how))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|locks| Ok((locks, find()?)));
    match found {
        Ok((held, Some(engine))) => {
            let alone = locks.iter().any(|(_, how)| *how == Use::Alone);
            Some(Used { engine, heal: alone.then_some(find), _locks: held })
        }
        Ok((_, None)) => {
            skip(suite, &format!("the {rig} rig"), &format!("bring it up with `cargo xtask {rig} up`"));
            None
        }
        Err(error) => broken(suite, &format!("the {rig} rig"), &error),
    }
}

#[expect(clippy::panic, reason = "what is there and broken has to be seen; only tests come here")]
fn broken(suite: &str, what: &str, error: &RigError) -> ! {
    panic!("{suite}: {what} is broken: {error}")
}
