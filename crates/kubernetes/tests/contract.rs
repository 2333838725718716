//! The target keeps the contract in a real cluster, whatever brings the traffic.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::net::SocketAddr;

use async_trait::async_trait;
use pilotage_spec::{KubernetesTraffic, Release, Version, Workload};
use pilotage_targets::conformance::{Behaviour, Subject, check};
use pilotage_targets::{Instance, Target};
use pilotage_testing::need_kube;
use support::{World, get};

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
        let run: &[&str] = match behaviour {
            Behaviour::Good => &[],
            Behaviour::EndsAtOnce => &["/bin/busybox", "false"],
        };
        World::release(self, &version.to_string(), run).await
    }

    async fn crash(&self, instance: &Instance) {
        World::crash(self, &instance.name);
    }

    async fn answered_by(&self, listen: SocketAddr) -> Option<Version> {
        get(listen).await.and_then(|body| body.parse().ok())
    }

    async fn reopen(&mut self) {
        self.restart_control_plane();
    }
}

#[tokio::test]
async fn the_target_keeps_the_contract_behind_the_edge_of_the_host() {
    let Some(kube) = need_kube("the Kubernetes target") else { return };
    let mut world = World::new(kube, KubernetesTraffic::Host).await;
    check(&mut world).await.unwrap();
}

#[tokio::test]
async fn the_target_keeps_the_contract_with_a_service() {
    let Some(kube) = need_kube("the Kubernetes target") else { return };
    let mut world = World::new(kube, KubernetesTraffic::Service).await;
    check(&mut world).await.unwrap();
}
