//! The simulated target, its instances and its traffic.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_spec::{Digest, Timestamp, Version};

use super::random::Random;
use super::scenario::{Behaviour, Scenario};
use crate::judge::{Counted, Evidence, GoalCounts, GoalReading, InstanceReading, Known, Look, Reading, Side};
use crate::{Action, Facts, Plan, Split, TrafficState};

struct Instance {
    ready_at: Timestamp,
    restarts: u32,
}

/// What is really there.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) split: Split,
    /// Since when the candidate has had all the traffic.
    pub(super) full_since: Option<Timestamp>,
    instances: BTreeMap<Version, Vec<Instance>>,
    digests: BTreeMap<Version, Digest>,
    candidate: Version,
    behaviour: Behaviour,
    rps: u64,
    counted: BTreeMap<Version, Counted>,
    evidence: Evidence,
    /// What a counter of somebody else's says of an A/B test's goal: requests that went well.
    goal: GoalReading,
}

impl World {
    pub(super) fn new(scenario: &Scenario, plan: &Plan) -> Self {
        let request = &scenario.request;
        let mut world = Self {
            now: Timestamp::from_micros(1_000_000_000),
            split: Split::nobody(),
            full_since: None,
            instances: BTreeMap::new(),
            digests: plan.releases().map(|r| (r.id.version.clone(), r.id.digest.clone())).collect(),
            candidate: request.candidate.id.version.clone(),
            behaviour: scenario.behaviour,
            rps: scenario.rps,
            counted: BTreeMap::new(),
            evidence: Evidence::new(&request.strategy),
            goal: GoalReading::default(),
        };
        let before = world.side(None, 10_000);
        world.evidence.known_before(&before);
        if let Some(stable) = &request.stable {
            let up = |_| Instance { ready_at: world.now, restarts: 0 };
            let instances = (0..request.stable_replicas).map(up).collect();
            world.instances.insert(stable.id.version.clone(), instances);
            world.split = Split::all(&stable.id.version);
        }
        world
    }

    /// Does what was asked. Doing it again changes nothing.
    pub(super) fn apply(&mut self, action: &Action, random: &mut Random) {
        match action {
            Action::Ensure { version, replicas } => {
                let ready_at = self.now.plus(Duration::from_millis(random.between(50, 4_000)));
                let instances = self.instances.entry(version.clone()).or_default();
                while instances.len() < *replicas as usize {
                    instances.push(Instance { ready_at, restarts: 0 });
                }
            }
            Action::Smoke { .. } => {}
            Action::Route(split) => {
                self.split.clone_from(split);
                self.counted.clear();
                self.evidence.shares_changed();
                let full = self.split.is_all(&self.candidate);
                self.full_since = if full { self.full_since.or(Some(self.now)) } else { None };
            }
            Action::Retire { version, keep } => {
                if let Some(instances) = self.instances.get_mut(version) {
                    instances.truncate(*keep as usize);
                }
            }
        }
    }

    /// Lets time pass: requests come, instances crash and come back.
    pub(super) fn pass(&mut self, duration: Duration, random: &mut Random) {
        self.now = self.now.plus(duration);
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut look = Look { micros: millis * 1_000, ..Look::default() };
        for (version, share) in self.load() {
            let requests = self.rps.saturating_mul(u64::from(share)).saturating_mul(millis) / 10_000 / 1_000;
            let side = self.side(Some(&version), requests);
            let counted = self.counted.entry(version.clone()).or_default();
            counted.requests += side.requests;
            counted.failed += side.failed;
            let is_candidate = version == self.candidate;
            let goal = if is_candidate { &mut self.goal.candidate } else { &mut self.goal.stable };
            *goal = GoalCounts {
                units: goal.units + side.requests,
                successes: goal.successes + side.requests - side.failed,
            };
            if is_candidate {
                look.candidate = side;
            } else {
                look.beside = share > 0;
                look.stable = side;
            }
        }
        self.evidence.look(look);
        self.evidence.goal(&Known::Value(self.goal));
        if self.behaviour == Behaviour::CrashLoop && self.split.reaches(&self.candidate) {
            let back = self.now.plus(Duration::from_millis(random.between(200, 2_000)));
            for instance in self.instances.get_mut(&self.candidate).into_iter().flatten() {
                instance.restarts += 1;
                instance.ready_at = back;
            }
        }
    }

    /// Users' requests by version, in hundredths of a percent of all: cohorts are small here.
    fn load(&self) -> BTreeMap<Version, u32> {
        const COHORT: u32 = 300;
        let mut load: BTreeMap<Version, u32> = self.split.shares.iter().cloned().collect();
        if load.is_empty() {
            return load;
        }
        for cohort in &self.split.cohorts {
            *load.entry(cohort.version.clone()).or_default() += COHORT * cohort.share / 10_000;
        }
        load
    }

    /// What so many requests to a version come to; to the stable one, if none is named.
    fn side(&self, version: Option<&Version>, requests: u64) -> Side {
        let is_candidate = version == Some(&self.candidate);
        let (failing, slowness) = match self.behaviour {
            Behaviour::Errors(percent) if is_candidate => (percent, 1),
            Behaviour::Slow(factor) if is_candidate => (0, factor),
            _ => (0, 1),
        };
        let failed = requests * failing / 100;
        let (slow, fast) = (requests / 100, requests - requests / 100);
        let latencies = vec![(10_000 * slowness, fast), (30_000 * slowness, slow)];
        Side { requests, failed, failed_clients: failed, latencies }
    }

    /// One instance of a version that is not the candidate ends by itself and comes back later.
    pub(super) fn crash_stable(&mut self, random: &mut Random) {
        let back = self.now.plus(Duration::from_millis(random.between(100, 3_000)));
        let stable = self.instances.iter_mut().find(|(version, _)| **version != self.candidate);
        if let Some(instance) = stable.and_then(|(_, instances)| instances.first_mut()) {
            instance.ready_at = back;
        }
    }

    pub(super) fn ready(&self, version: &Version) -> u32 {
        if *version == self.candidate
            && matches!(self.behaviour, Behaviour::NeverReady | Behaviour::ExitsAtOnce)
        {
            return 0;
        }
        let ready = |instances: &Vec<Instance>| instances.iter().filter(|i| i.ready_at <= self.now).count();
        self.instances.get(version).map_or(0, ready) as u32
    }

    pub(super) fn alive(&self, version: &Version) -> u32 {
        self.instances.get(version).map_or(0, Vec::len) as u32
    }

    pub(super) fn digest(&self, version: &Version) -> Option<&Digest> {
        self.digests.get(version)
    }

    /// What the conductor is told.
    pub(super) fn facts(&self, random: &mut Random) -> Facts {
        let exits =
            |version: &Version| self.behaviour == Behaviour::ExitsAtOnce && *version == self.candidate;
        let state = |version: &Version| {
            let alive = self.alive(version);
            let failed = if exits(version) && alive > 0 {
                vec!["it ended with status 1".to_owned()]
            } else {
                Vec::new()
            };
            TrafficState {
                ready: self.ready(version),
                alive,
                failed,
                digest: self.digests.get(version).cloned(),
            }
        };
        Facts {
            versions: self.instances.keys().map(|version| (version.clone(), state(version))).collect(),
            shares: self.split.shares.iter().cloned().collect(),
            beside: self.split.beside(),
            reading: Some(self.reading(random)),
        }
    }

    fn reading(&self, random: &mut Random) -> Reading {
        let counted = |version: &Version| self.counted.get(version).cloned().unwrap_or_default();
        let mut shared = self.split.shares.iter().map(|(version, _)| version);
        let stable = shared.find(|version| **version != self.candidate);
        let instances = self.instances.get(&self.candidate).into_iter().flatten();
        let flapping = |random: &mut Random| match self.behaviour {
            Behaviour::Flaps => random.between(0, 2) as u32,
            _ => 0,
        };
        Reading {
            candidate: counted(&self.candidate),
            stable: stable.map(counted).unwrap_or_default(),
            instances: instances
                .map(|instance| InstanceReading {
                    name: "api-1".to_owned(),
                    probe_failures: flapping(random),
                    restarts: instance.restarts,
                    memory_share: Some(match self.behaviour {
                        Behaviour::Leaks(percent) => percent as u32 * 100,
                        _ => 4_000,
                    }),
                    ..InstanceReading::default()
                })
                .collect(),
            tests: Some(Box::new(self.evidence.clone())),
            ..Reading::default()
        }
    }
}
