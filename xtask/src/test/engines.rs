//! The rigs for a run of tests: brought up where they can be, and taken down again unless they were up before.

use pilotage_testing::rig::{self, lock_for_run};
use pilotage_testing::{DOCKER_VARIABLE, KUBECONFIG_VARIABLE};

use crate::rig as task;

/// The rigs, in the order in which one stands on another.
const RIGS: [&str; 3] = ["docker", "swarm", "kube"];

/// What a run of tests has of the rigs. Held until the last test has ended.
#[derive(Debug, Default)]
pub struct Engines {
    /// Those that were not up before.
    brought: Vec<&'static str>,
    /// Those that could not be brought up.
    pub missing: Vec<&'static str>,
    run: Option<rig::Lock>,
}

impl Engines {
    /// Brings up what is not up, the first time on a machine after having built Kubernetes.
    pub fn bring_up() -> Self {
        // Another run that ends meanwhile leaves the rigs to us.
        let run = lock_for_run().map_err(|error| println!("{error}")).ok();
        let mut engines = Self { brought: Vec::new(), missing: Vec::new(), run };
        for name in RIGS.into_iter().filter(|name| !is_elsewhere(name)) {
            if is_up(name) {
                continue;
            }
            match task::up(name) {
                Ok(()) => engines.brought.push(name),
                Err(error) => {
                    println!("missing: the {name} rig: {error}");
                    engines.missing.push(name);
                }
            }
        }
        engines
    }

    /// Ends what was brought up, unless another run needs it.
    pub fn take_down(mut self) {
        drop(self.run.take());
        if self.brought.is_empty() || !rig::nobody_runs().unwrap_or(false) {
            return;
        }
        for name in self.brought.iter().rev() {
            if let Err(error) = task::down(name) {
                println!("{error}");
            }
        }
    }
}

/// Whether the environment names an engine that is not the rig's.
fn is_elsewhere(name: &str) -> bool {
    let variable = match name {
        "docker" => DOCKER_VARIABLE,
        "kube" => KUBECONFIG_VARIABLE,
        _ => return false,
    };
    std::env::var_os(variable).is_some()
}

fn is_up(name: &str) -> bool {
    let found = match name {
        "docker" => rig::docker::is_up(),
        "swarm" => rig::swarm::is_up(),
        _ => rig::kube::is_up(),
    };
    found.unwrap_or(false)
}
