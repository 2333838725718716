//! The process target keeps the contract.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::net::SocketAddr;

use async_trait::async_trait;
use pilotage_spec::{Release, Version, Workload};
use pilotage_targets::conformance::{Behaviour, Subject, check};
use pilotage_targets::{Instance, Target};
use support::{World, get, kill};

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
        kill(instance.pid.unwrap());
    }

    async fn answered_by(&self, listen: SocketAddr) -> Option<Version> {
        let answer = tokio::task::spawn_blocking(move || get(listen, "/")).await.unwrap();
        answer.ok().filter(|(status, _)| *status == 200).and_then(|(_, body)| body.parse().ok())
    }

    async fn reopen(&mut self) {
        self.restart_control_plane().await;
    }
}

#[tokio::test]
async fn the_process_target_keeps_the_contract() {
    let mut world = World::new().await;
    check(&mut world).await.unwrap();
}
