//! Instances that become ready after a while, and may end by themselves.

use std::time::Duration;

use pilotage_spec::Timestamp;

use crate::judge::InstanceReading;
use crate::simulate::Random;

/// From start to ready, in milliseconds.
const START_MILLIS: (u64, u64) = (500, 4_000);
/// How long an instance in a crash loop stays up, in milliseconds.
const UP_MILLIS: (u64, u64) = (2_000, 10_000);
/// How long it takes to come back.
const BACK_MILLIS: (u64, u64) = (500, 3_000);
/// How long a request is worked on: those fail that are when an instance ends.
const WORK: Duration = Duration::from_millis(20);

/// The instances of one version.
#[derive(Debug, Clone, Default)]
pub(super) struct Instances(Vec<Instance>);

#[derive(Debug, Clone)]
struct Instance {
    name: String,
    ready_at: Timestamp,
    /// When it ends by itself, in a crash loop.
    ends_at: Option<Timestamp>,
    restarts: u32,
}

impl Instances {
    /// So many that have been ready for long.
    pub(super) fn ready(count: u32, now: Timestamp) -> Self {
        Self((1..=count).map(|number| Instance::new(number as usize, now)).collect())
    }

    /// Starts instances until so many are there.
    pub(super) fn start(&mut self, count: u32, now: Timestamp, random: &mut Random) {
        while self.0.len() < count as usize {
            let ready_at = now.plus(drawn(START_MILLIS, random));
            self.0.push(Instance::new(self.0.len() + 1, ready_at));
        }
    }

    /// Stops instances until so many are left.
    pub(super) fn stop(&mut self, keep: u32) {
        self.0.truncate(keep as usize);
    }

    pub(super) fn alive(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn count_ready(&self, now: Timestamp) -> u32 {
        let ready = self.0.iter().filter(|instance| instance.ready_at <= now).count();
        u32::try_from(ready).unwrap_or(u32::MAX)
    }

    /// Counts restarts anew, as is done with each switch.
    pub(super) fn forget_restarts(&mut self) {
        self.0.iter_mut().for_each(|instance| instance.restarts = 0);
    }

    /// Those that are due end by themselves, and come back later; says which share of the requests of this time fails by that:
    /// those that were worked on, or all, if nobody is left.
    pub(super) fn crash(&mut self, now: Timestamp, passed: Duration, random: &mut Random) -> f64 {
        let mut ended = 0_u32;
        for instance in &mut self.0 {
            let ends_at = *instance
                .ends_at
                .get_or_insert_with(|| instance.ready_at.max(now).plus(drawn(UP_MILLIS, random)));
            if ends_at <= now {
                instance.restarts += 1;
                instance.ready_at = now.plus(drawn(BACK_MILLIS, random));
                instance.ends_at = None;
                ended += 1;
            }
        }
        if self.count_ready(now) == 0 {
            return 1.0;
        }
        let all = f64::from(self.alive().max(1)) * passed.as_secs_f64();
        (f64::from(ended) * WORK.as_secs_f64() / all.max(WORK.as_secs_f64())).min(1.0)
    }

    /// No crash loop, or none any more: nothing fails by it.
    pub(super) fn recover(&mut self) -> f64 {
        self.0.iter_mut().for_each(|instance| instance.ends_at = None);
        0.0
    }

    /// What the judge is told of them.
    pub(super) fn tell(&self, readings: &mut Vec<InstanceReading>) {
        readings.resize_with(self.0.len(), InstanceReading::default);
        for (reading, instance) in readings.iter_mut().zip(&self.0) {
            if reading.name.is_empty() {
                reading.name.clone_from(&instance.name);
            }
            reading.restarts = instance.restarts;
        }
    }
}

impl Instance {
    fn new(number: usize, ready_at: Timestamp) -> Self {
        Self { name: number.to_string(), ready_at, ends_at: None, restarts: 0 }
    }
}

fn drawn((low, high): (u64, u64), random: &mut Random) -> Duration {
    Duration::from_millis(random.between(low, high))
}
