//! Stages, one after the other: what canaries, cohorts, shadows and a team's own steps are made of.

use std::time::Duration;

use pilotage_spec::{Cohort, Copies, Mirror, MirrorComparison, Release, Ring, Stage};

use super::request::{PlanRequest, needed};
use super::{Check, Step, baseline, blue_green};
use crate::Split;

/// All of the clients, in hundredths of a percent.
const ALL: u32 = 10_000;
/// Copies stop for the rest of a second when they have taken so many bytes.
const COPIED_BYTES_PER_SECOND: u64 = 16 << 20;
/// A request with a longer body is not copied.
const COPIED_BODY: u64 = 1 << 20;
/// Longer bodies of answers are not compared.
const COMPARED_BODY: u64 = 1 << 20;
/// How long a copy may take altogether.
const COPY_TIMEOUT: Duration = Duration::from_secs(10);

/// The steps of these stages, without what comes after the last one.
pub(super) fn steps(request: &PlanRequest, stages: &[Stage]) -> Vec<Step> {
    compared(request, None, stages)
}

/// The same beside a fresh copy of the stable version, which is stopped once the new version has everything.
pub(super) fn compared(request: &PlanRequest, baseline: Option<&Release>, stages: &[Stage]) -> Vec<Step> {
    let mut builder = Builder::new(request, baseline);
    for stage in stages {
        builder.take(stage);
    }
    builder.steps
}

/// Where the stages have come to.
struct Builder<'a> {
    request: &'a PlanRequest,
    baseline: Option<&'a Release>,
    steps: Vec<Step>,
    /// Instances of the new version.
    up: u32,
    split: Split,
}

impl<'a> Builder<'a> {
    fn new(request: &'a PlanRequest, baseline: Option<&'a Release>) -> Self {
        let split = request.stable.as_ref().map(|stable| Split::all(&stable.id.version));
        Self { request, baseline, steps: Vec::new(), up: 0, split: split.unwrap_or_default() }
    }

    fn take(&mut self, stage: &Stage) {
        match stage {
            Stage::Share { share, watch } => {
                self.bring_up(*share);
                self.give(*share);
                self.switch(*watch);
            }
            Stage::Cohort { cohort, watch } => {
                // How many clients it has is not known: all of them, perhaps.
                self.bring_up(cohort.share);
                let cohort = self.cohort(cohort);
                self.split.cohorts.push(cohort);
                self.switch(*watch);
            }
            Stage::Mirror { copies, watch } => {
                self.bring_up(copies.share);
                self.split.mirror = Some(self.mirror(copies));
                self.switch(*watch);
                self.split.mirror = None;
            }
            Stage::Hold => self.steps.push(Step::Hold),
            Stage::Smoke if self.up == 0 => self.bring_up(1),
            Stage::Smoke => {
                let version = self.request.candidate.id.version.clone();
                self.steps.push(Step::Check { version, check: Check::Smoke });
            }
        }
    }

    fn bring_up(&mut self, share: u32) {
        let replicas = needed(share, self.request.replicas);
        if replicas <= self.up {
            return;
        }
        let copy = self.baseline.map(|baseline| baseline.id.version.clone());
        self.steps.extend(copy.clone().map(|version| Step::Ensure { version, replicas }));
        self.steps.extend(blue_green::bring_up(self.request, replicas, self.up == 0));
        let ready = Check::Ready { replicas };
        self.steps.extend(copy.map(|version| Step::Check { version, check: ready }));
        self.up = replicas;
    }

    /// With everything, cohorts have nothing more to say.
    fn give(&mut self, share: u32) {
        let candidate = &self.request.candidate;
        self.split.shares = match (self.baseline, &self.request.stable) {
            (Some(copy), Some(stable)) => baseline::shares(candidate, copy, stable, share),
            (None, Some(stable)) if share < ALL => {
                vec![(candidate.id.version.clone(), share), (stable.id.version.clone(), ALL - share)]
            }
            _ => vec![(candidate.id.version.clone(), share)],
        };
        if share >= ALL {
            self.split.cohorts.clear();
        }
    }

    fn switch(&mut self, watch: Duration) {
        self.steps.push(Step::Route(self.split.clone()));
        let version = self.request.candidate.id.version.clone();
        if let Some(copy) = self.baseline.filter(|_| self.split.share(&version) == ALL) {
            self.steps.push(Step::Retire { version: copy.id.version.clone(), keep: 0 });
        }
        self.steps.push(Step::Watch { version, duration: watch, soak: false });
    }

    fn cohort(&self, ring: &Ring) -> Cohort {
        let Ring { name, when, share } = ring.clone();
        Cohort { name, when: vec![when], version: self.request.candidate.id.version.clone(), share }
    }

    fn mirror(&self, copies: &Copies) -> Mirror {
        Mirror {
            version: self.request.candidate.id.version.clone(),
            share: copies.share,
            bytes_per_second: COPIED_BYTES_PER_SECOND,
            max_body_bytes: COPIED_BODY,
            unsafe_methods: copies.writes,
            timeout: COPY_TIMEOUT,
            compare: Some(MirrorComparison {
                bodies: copies.bodies,
                ignore: copies.ignore.clone(),
                max_body_bytes: COMPARED_BODY,
            }),
        }
    }
}
