//! The world that a rehearsed rollout is played in: instances, traffic, faults, and what is seen of them.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_spec::{Timestamp, Version};

use super::conditions::{Begun, Conditions};
use super::course::Load;
use super::draw::{Behaviour, Traffic, side, together};
use super::fault::Fault;
use super::instances::Instances;
use crate::judge::{Counted, Evidence, Look, Reading, Side};
use crate::simulate::Random;
use crate::{Action, Facts, Plan, Split, TrafficState};

/// The least that passes between two looks.
const LEAST: Duration = Duration::from_millis(1);

/// The world of one rollout.
pub(super) struct Scene<'a> {
    plan: &'a Plan,
    traffic: Traffic,
    random: Random,
    now: Timestamp,
    /// What the engine is told.
    facts: Facts,
    instances: BTreeMap<Version, Instances>,
    faults: Begun<'a>,
    candidate: Load,
    /// What the candidate is compared with.
    reference: Load,
    first_request: Option<Timestamp>,
    steps: usize,
    switched_at: Timestamp,
    harm: Harm,
}

/// What users have met on the candidate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Harm {
    /// Failed requests.
    pub(super) failed: u64,
    /// Those beyond what the stable version would have failed.
    pub(super) beyond: f64,
}

impl<'a> Scene<'a> {
    /// The stable version serves, and has for a while; nothing else is there.
    pub(super) fn new(plan: &'a Plan, traffic: Traffic, faults: &'a [Fault], random: Random) -> Self {
        let now = Timestamp::default();
        let mut scene = Self {
            plan,
            traffic,
            random,
            now,
            facts: Facts::default(),
            instances: BTreeMap::new(),
            faults: Begun::none(faults),
            candidate: Load::default(),
            reference: Load::default(),
            first_request: None,
            steps: 0,
            switched_at: now,
            harm: Harm::default(),
        };
        let mut evidence = Evidence::new(&plan.request.strategy);
        if let Some(stable) = plan.stable() {
            evidence.known_before(&traffic.before(&mut scene.random));
            let up = Instances::ready(plan.request.stable_replicas, now);
            scene.instances.insert(stable.clone(), up);
        }
        scene.facts.reading = Some(Reading { tests: Some(Box::new(evidence)), ..Reading::default() });
        scene.switch(&plan.stable().map(Split::all).unwrap_or_default());
        scene.tell();
        scene
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) const fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) const fn harm(&self) -> Harm {
        self.harm
    }

    /// Switches that have given the candidate requests.
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    pub(super) fn since_first_request(&self) -> Duration {
        self.first_request.map_or(Duration::ZERO, |first| self.now.since(first))
    }

    /// How long nothing has changed: no share, and nothing that goes wrong.
    pub(super) fn calm_since(&self) -> Duration {
        let (changed, _) = self.faults.changes_around(self.now);
        let changed = changed.map_or(self.switched_at, |changed| changed.max(self.switched_at));
        if self.conditions().crash_loop { Duration::ZERO } else { self.now.since(changed) }
    }

    fn conditions(&self) -> Conditions {
        self.faults.conditions(&self.traffic, self.now)
    }

    /// Does what was asked, at once: what takes time is the start of instances.
    pub(super) fn act(&mut self, action: &Action) {
        match action {
            Action::Ensure { version, replicas } => {
                let instances = self.instances.entry(version.clone()).or_default();
                instances.start(*replicas, self.now, &mut self.random);
            }
            Action::Retire { version, keep } => {
                if let Some(instances) = self.instances.get_mut(version) {
                    instances.stop(*keep);
                }
            }
            Action::Route(split) => self.switch(split),
            Action::Smoke { .. } => {}
        }
        self.tell();
    }

    fn switch(&mut self, split: &Split) {
        self.candidate = Load::of(split, self.plan.candidate());
        self.reference = self.plan.reference().map(|version| Load::of(split, version)).unwrap_or_default();
        self.switched_at = self.now;
        self.facts.shares = split.shares.iter().cloned().collect();
        self.facts.beside = split.beside();
        let share = self.candidate.seen();
        if share > 0 {
            self.steps += 1;
            self.first_request.get_or_insert(self.now);
            self.faults.switched(self.now, self.steps, share);
        }
        self.instances.values_mut().for_each(Instances::forget_restarts);
        if let Some(reading) = &mut self.facts.reading {
            (reading.candidate, reading.stable) = (Counted::default(), Counted::default());
            if let Some(evidence) = &mut reading.tests {
                evidence.shares_changed();
            }
        }
    }

    /// Lets so much time pass, or less if something begins or ends to go wrong before that.
    pub(super) fn pass(&mut self, time: Duration) {
        let mut conditions = self.conditions();
        let (_, next) = self.faults.changes_around(self.now);
        let time = next.map_or(time, |next| time.min(next.since(self.now))).max(LEAST);
        self.now = self.now.plus(time);
        if let Some(candidate) = self.instances.get_mut(self.plan.candidate()) {
            let failing = if conditions.crash_loop {
                candidate.crash(self.now, time, &mut self.random)
            } else {
                candidate.recover()
            };
            let own = &mut conditions.candidate.failing;
            *own = 1.0 - (1.0 - *own) * (1.0 - failing);
        }
        let look = self.look(time, &conditions);
        if let Some(reading) = &mut self.facts.reading {
            count(&mut reading.candidate, &look.candidate);
            count(&mut reading.stable, &look.stable);
            if let Some(evidence) = &mut reading.tests {
                evidence.look(look);
            }
        }
        self.tell();
    }

    /// What both versions do in this time.
    fn look(&mut self, time: Duration, conditions: &Conditions) -> Look {
        let random = &mut self.random;
        let mut draw = |share: u32, behaviour: Behaviour| match share {
            0 => Side::default(),
            share => {
                side(conditions.requests_per_second * f64::from(share) / 10_000.0, time, behaviour, random)
            }
        };
        let users = draw(self.candidate.users, conditions.candidate);
        let copies = draw(self.candidate.copies, conditions.candidate);
        let stable = draw(self.reference.users, conditions.stable);
        self.harm.add(&users, conditions.stable.failing);
        Look {
            candidate: together(users, copies),
            stable,
            beside: self.reference.users > 0,
            micros: time.as_micros().try_into().unwrap_or(u64::MAX),
        }
    }

    /// Tells the engine what is there.
    fn tell(&mut self) {
        let Self { facts, instances, now, plan, .. } = self;
        for (version, instances) in instances.iter() {
            let state = facts.versions.entry(version.clone()).or_insert_with(|| {
                let digest = plan.release(version).map(|release| release.id.digest.clone());
                TrafficState { digest, ..TrafficState::default() }
            });
            state.ready = instances.count_ready(*now);
            state.alive = instances.alive();
        }
        if let (Some(reading), Some(candidate)) = (&mut facts.reading, instances.get(plan.candidate())) {
            candidate.tell(&mut reading.instances);
        }
    }
}

impl Harm {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    fn add(&mut self, users: &Side, usual: f64) {
        self.failed += users.failed;
        self.beyond += users.failed as f64 - users.requests as f64 * usual;
    }
}

fn count(counted: &mut Counted, side: &Side) {
    counted.requests += side.requests;
    counted.failed += side.failed;
}
