//! Plans for the tests of this crate.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_spec::{
    Digest, Health, InstanceSpec, Policy, Release, ReleaseId, Resources, RollingUnit, Strategy, StrategyKind,
    Workload,
};

use super::{Plan, PlanRequest, Purpose};

pub(crate) fn strategy(name: &str) -> Strategy {
    let kind = match name {
        "canary" => StrategyKind::Canary { steps: vec![100, 500, 2_500, 5_000, 10_000] },
        "canary-at-once" => StrategyKind::Canary { steps: vec![10_000] },
        "blue-green" => StrategyKind::BlueGreen,
        "recreate" => StrategyKind::Recreate,
        _ => {
            StrategyKind::Rolling { max_surge: RollingUnit::Count(1), max_unavailable: RollingUnit::Count(0) }
        }
    };
    let (watch, soak) = (Duration::from_secs(300), Duration::from_secs(900));
    Strategy::new(kind, watch, soak)
}

pub(crate) fn release(version: &str) -> Release {
    Release {
        id: ReleaseId {
            version: version.parse().unwrap(),
            digest: Digest::from_bytes(
                [version.bytes().fold(7, |a: u8, b| a.wrapping_mul(31).wrapping_add(b)); 32],
            ),
        },
        instance: InstanceSpec {
            run: vec!["./api".to_owned()],
            env: BTreeMap::new(),
            health: Health {
                live: None,
                ready: None,
                interval: Duration::from_millis(500),
                timeout: Duration::from_secs(1),
            },
            resources: Resources::default(),
            stop_grace: Duration::from_secs(10),
            start_timeout: Duration::from_secs(30),
            reload: None,
            image: None,
            container_port: None,
            kubernetes: None,
            objects: None,
            smoke: vec![vec!["true".to_owned()]],
            listen: Default::default(),
            protocol: Default::default(),
        },
    }
}

/// 1.0.0 → 1.1.0 of `api` in `production`, by the named strategy.
pub(crate) fn request(strategy_name: &str, replicas: u32) -> PlanRequest {
    PlanRequest {
        workload: Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() },
        candidate: release("1.1.0"),
        stable: Some(release("1.0.0")),
        replicas,
        stable_replicas: replicas,
        listen: "127.0.0.1:8080".parse().unwrap(),
        stable_listen: Some("127.0.0.1:8080".parse().unwrap()),
        route: Default::default(),
        stable_route: None,
        edge: None,
        strategy_name: strategy_name.parse().unwrap(),
        strategy: strategy(strategy_name),
        policy: Policy { confirm: true, gradual: true, ..Policy::default() },
        prometheus: None,
        purpose: Purpose::Deploy,
    }
}

pub(crate) fn plan(strategy_name: &str) -> Plan {
    Plan::new(request(strategy_name, 3)).unwrap()
}
