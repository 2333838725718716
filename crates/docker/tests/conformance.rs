//! Both targets keep the contract, on real engines.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::net::SocketAddr;

use async_trait::async_trait;
use pilotage_spec::{Release, Version, Workload};
use pilotage_targets::conformance::{Behaviour, Subject, check};
use pilotage_targets::{Instance, Target};
use pilotage_testing::{need_docker, need_swarm};
use support::{Rig, World, address, get};

#[async_trait]
impl Subject for World {
    fn target(&self) -> &dyn Target {
        World::target(self)
    }

    fn workload(&self) -> Workload {
        World::workload(self)
    }

    fn listen(&self) -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    async fn release(&self, version: &Version, behaviour: Behaviour) -> Release {
        let faults: &[&str] = match behaviour {
            Behaviour::Good => &[],
            Behaviour::EndsAtOnce => &["exit=1"],
        };
        World::release(self, &version.to_string(), faults).await
    }

    async fn crash(&self, instance: &Instance) {
        let address = address(instance);
        let _ = tokio::task::spawn_blocking(move || get(address, "/crash")).await.unwrap();
    }

    async fn answered_by(&self, listen: SocketAddr) -> Option<Version> {
        let answer = tokio::task::spawn_blocking(move || get(listen, "/")).await.unwrap();
        answer.ok().filter(|(status, _)| *status == 200).and_then(|(_, body)| body.parse().ok())
    }

    async fn reopen(&mut self) {
        self.restart_control_plane();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_docker_target_keeps_the_contract() {
    let Some(docker) = need_docker("the Docker target") else { return };
    let mut world = World::new(Rig::Docker(docker)).await;
    check(&mut world).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_swarm_target_keeps_the_contract() {
    let Some(swarm) = need_swarm("the Swarm target") else { return };
    let mut world = World::new(Rig::Swarm(swarm)).await;
    check(&mut world).await.unwrap();
}
