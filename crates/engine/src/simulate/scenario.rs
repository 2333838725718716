//! What is played: drawn from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_spec::{
    Digest, Health, Inconclusive, InstanceSpec, Policy, Release, ReleaseId, Resources, Workload,
};

use super::random::Random;
use super::strategy::strategy;
use crate::plan::{PlanRequest, Purpose};

/// How the new version behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// As the old one.
    Good,
    /// So many percent of its requests fail.
    Errors(u64),
    /// So many times as slow.
    Slow(u64),
    /// It never becomes ready.
    NeverReady,
    /// It ends at once and is given up.
    ExitsAtOnce,
    /// Its instances end again and again once they have traffic.
    CrashLoop,
    /// Its memory is at so many percent of its limit.
    Leaks(u64),
    /// Single probes fail now and then, which means nothing.
    Flaps,
}

/// A fault planted into the engine, to see that the checks find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Traffic is routed before instances are ready.
    RouteEarly,
    /// The old version goes before the new one has soaked.
    RetireEarly,
    /// Refused plans are carried out.
    IgnoreGates,
    /// The judge's verdicts are not heard.
    IgnoreVerdicts,
    /// The last step of the way back is forgotten.
    StopHalfway,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::RouteEarly, Self::RetireEarly, Self::IgnoreGates, Self::IgnoreVerdicts, Self::StopHalfway];
}

/// A whole scenario.
pub(super) struct Scenario {
    pub(super) request: PlanRequest,
    pub(super) behaviour: Behaviour,
    /// Requests per second, all versions together.
    pub(super) rps: u64,
    /// How many percent of the effects meet a fault.
    pub(super) faults: u64,
    /// How many percent of the decisions meet a person who asks for something.
    pub(super) requests: u64,
    /// Whether the environment's name is confirmed.
    pub(super) confirmed: bool,
}

impl Scenario {
    pub(super) fn draw(random: &mut Random) -> Self {
        let replicas = random.between(1, 5) as u32;
        let first = random.percent(5);
        let behaviour = match random.between(0, 9) {
            0..=3 => Behaviour::Good,
            4 => Behaviour::Errors(random.between(10, 90)),
            5 => Behaviour::Slow(random.between(3, 20)),
            6 => Behaviour::Leaks(random.between(95, 99)),
            7 => Behaviour::Flaps,
            8 => Behaviour::CrashLoop,
            _ => random.pick([Behaviour::NeverReady, Behaviour::ExitsAtOnce]),
        };
        let strategy = strategy(random);
        let (_, inconclusive) = random.pick(Inconclusive::WORDS);
        let policy = Policy { confirm: true, gradual: random.percent(30), inconclusive, ..Policy::default() };
        let request = PlanRequest {
            workload: Workload { environment: name("production"), service: name("api") },
            candidate: release("1.1.0", 2),
            stable: (!first).then(|| release("1.0.0", 1)),
            replicas,
            stable_replicas: if first { 0 } else { random.between(1, 5) as u32 },
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 8080)),
            stable_listen: None,
            route: Default::default(),
            stable_route: None,
            edge: None,
            strategy_name: name("drawn"),
            strategy,
            policy,
            prometheus: None,
            purpose: if !first && random.percent(5) { Purpose::Restore } else { Purpose::Deploy },
        };
        Self {
            request,
            behaviour,
            rps: random.pick([0, 1, 20, 100, 1_000]),
            faults: random.pick([0, 0, 5, 30]),
            requests: random.pick([0, 0, 0, 3]),
            confirmed: random.percent(97),
        }
    }
}

#[expect(clippy::expect_used, reason = "the names and versions are constants of this file that parse")]
fn name<T: std::str::FromStr<Err = E>, E: std::fmt::Debug>(text: &str) -> T {
    text.parse().expect("a well-formed constant")
}

fn release(version: &str, digest: u8) -> Release {
    Release {
        id: ReleaseId { version: name(version), digest: Digest::from_bytes([digest; 32]) },
        instance: InstanceSpec {
            run: vec!["./api".to_owned()],
            env: BTreeMap::new(),
            health: Health {
                live: None,
                ready: None,
                interval: Duration::from_millis(500),
                timeout: Duration::from_secs(1),
            },
            resources: Resources { cpu_millis: None, memory_bytes: Some(1 << 30) },
            stop_grace: Duration::from_secs(10),
            start_timeout: Duration::from_secs(30),
            reload: None,
            image: None,
            container_port: None,
            kubernetes: None,
            objects: None,
            smoke: vec![vec!["./smoke".to_owned()]],
            listen: Default::default(),
            protocol: Default::default(),
        },
    }
}
