//! What production says about a deployment that is under way, gathered for the judge.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pilotage_engine::Plan;
use pilotage_engine::evidence::{ErrorSettings, ErrorTest, Gathered, Increment};
use pilotage_engine::judge::{Counted, InstanceReading, Reading};
use pilotage_proxy::{EdgeClient, EdgeStats};
use pilotage_signals::EdgeWindow;
use pilotage_spec::{SecretSource, Version};
use pilotage_targets::{Instance, InstanceState, Observation};

use crate::conductor::{Inner, lock};
use crate::queries::{Answers, Queries};

/// Reads a secret by its reference, or says why it cannot.
pub type SecretReader = Arc<dyn Fn(&SecretSource) -> Result<String, String> + Send + Sync>;

/// So many samples in a row must lie above a limit before its use counts as sustained.
const SAMPLES: usize = 5;
/// The time between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Gathers readings for one deployment.
pub(crate) struct Readings {
    edge: EdgeClient,
    route: String,
    /// As far back as the edge remembers.
    whole: Option<EdgeWindow>,
    /// Since the shares last changed.
    current: Option<EdgeWindow>,
    /// The stable version's requests up to then.
    before: Counted,
    errors: Option<Comparison>,
    restarts: HashMap<String, u32>,
    usage: HashMap<String, Usage>,
    queries: Option<Queries>,
}

/// The failures of both versions at the same time, compared look by look.
struct Comparison {
    test: ErrorTest,
    gathered: Gathered,
    /// What had been counted at the last look.
    last: Option<Increment>,
}

impl Comparison {
    /// Nothing if the plan does not ask for it, or tolerates more than can be tested for.
    fn of(plan: &Plan) -> Option<Self> {
        let tolerated = f64::from(plan.roll_back_when().errors_vs_stable?) / 1_000.0;
        let test = ErrorTest::new(ErrorSettings { tolerated, ..ErrorSettings::default() }).ok()?;
        Some(Self { test, gathered: Gathered::default(), last: None })
    }

    fn look(&mut self, candidate: &Counted, stable: &Counted) {
        let now = Increment {
            candidate_requests: candidate.requests,
            stable_requests: stable.requests,
            candidate_failed: candidate.failed,
            stable_failed: stable.failed,
        };
        let since = self.last.replace(now).map(|last| Increment::between(&last, &now));
        match since {
            Some(Ok(look)) => self.observe(|gathered| gathered.add(&look)),
            // Counters that have begun anew are compared from here on.
            Some(Err(error)) => tracing::warn!(%error, "a look at the counters is left out"),
            None => {}
        }
    }

    /// Looks of other shares do not go together with these.
    fn complete(&mut self) {
        self.observe(|gathered| Some(gathered.take()));
    }

    fn observe(&mut self, complete: impl FnOnce(&mut Gathered) -> Option<Increment>) {
        if let Some(Err(error)) = complete(&mut self.gathered).map(|increment| self.test.observe(&increment))
        {
            tracing::warn!(%error, "counts are not taken as evidence");
        }
    }
}

/// The last samples of one instance, newest last.
struct Usage {
    last: Instant,
    cpu: VecDeque<u32>,
    memory: VecDeque<u32>,
}

impl Readings {
    pub(crate) fn new(inner: &Inner, plan: &Plan) -> Self {
        Self {
            edge: inner.edge.clone(),
            route: plan.request.workload.to_string(),
            whole: None,
            current: None,
            before: Counted::default(),
            errors: Comparison::of(plan),
            restarts: HashMap::new(),
            usage: HashMap::new(),
            queries: Queries::start(plan, &inner.secrets),
        }
    }

    /// The shares have changed: what comes now is counted anew.
    pub(crate) fn restart(&mut self) {
        self.current = None;
        if let Some(errors) = &mut self.errors {
            errors.complete();
        }
        self.restarts.clear();
    }

    /// Everything that is known now. What cannot be asked is said to be unknown.
    pub(crate) async fn take(&mut self, plan: &Plan, observation: &Observation) -> Reading {
        let blind = match self.edge.stats().await {
            Ok(stats) => {
                self.count(&stats, plan);
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let counted = |version: Option<&Version>| match (&self.current, version) {
            (Some(window), Some(version)) => counted(window, &self.route, version),
            _ => Counted::default(),
        };
        let (candidate, stable) = (counted(Some(plan.candidate())), counted(plan.stable()));
        let instances = observation.instances.iter().filter(|i| i.release.version == *plan.candidate());
        let instances = instances.map(|instance| self.instance(instance, plan)).collect();
        let Answers { alerts, metrics } = self.queries.as_ref().map(Queries::answers).unwrap_or_default();
        Reading {
            blind,
            candidate,
            stable,
            before: self.before.clone(),
            evidence: self.errors.as_ref().map(|errors| Box::new(errors.test.clone())),
            instances,
            alerts,
            metrics,
        }
    }

    fn count(&mut self, stats: &EdgeStats, plan: &Plan) {
        // An edge's counters begin at zero when it starts.
        let zero = || EdgeStats { started_micros: stats.started_micros, ..EdgeStats::default() };
        let whole = self.whole.get_or_insert_with(|| EdgeWindow::new(zero()));
        whole.update(stats);
        if let (Some(errors), Some(stable)) = (&mut self.errors, plan.stable()) {
            let (candidate, stable) =
                (counted(whole, &self.route, plan.candidate()), counted(whole, &self.route, stable));
            errors.look(&candidate, &stable);
        }
        match &mut self.current {
            Some(window) => window.update(stats),
            None => {
                if let Some(stable) = plan.stable() {
                    self.before = counted(whole, &self.route, stable);
                }
                self.current = Some(EdgeWindow::new(stats.clone()));
            }
        }
    }

    fn instance(&mut self, instance: &Instance, plan: &Plan) -> InstanceReading {
        let first = *self.restarts.entry(instance.name.clone()).or_insert(instance.restarts);
        let limits = &plan.request.candidate.instance.resources;
        let share = |used: Option<u64>, limit: Option<u64>| {
            let share = used?.saturating_mul(10_000).checked_div(limit?)?;
            u32::try_from(share).ok()
        };
        let cpu = share(instance.cpu_millis.map(u64::from), limits.cpu_millis.map(u64::from));
        let memory = share(instance.memory_bytes, limits.memory_bytes);
        let usage = self.usage.entry(instance.name.clone()).or_insert_with(Usage::new);
        usage.sample(cpu, memory);
        InstanceReading {
            name: instance.name.clone(),
            probe_failures: instance.probe_failures,
            restarts: instance.restarts.saturating_sub(first),
            failed: match &instance.state {
                InstanceState::Failed { reason } => Some(reason.clone()),
                _ => None,
            },
            cpu_share: sustained(&usage.cpu),
            memory_share: sustained(&usage.memory),
        }
    }
}

impl Usage {
    fn new() -> Self {
        Self { last: Instant::now(), cpu: VecDeque::new(), memory: VecDeque::new() }
    }

    fn sample(&mut self, cpu: Option<u32>, memory: Option<u32>) {
        if self.last.elapsed() < SAMPLE_EVERY && !(self.cpu.is_empty() && self.memory.is_empty()) {
            return;
        }
        self.last = Instant::now();
        for (samples, sample) in [(&mut self.cpu, cpu), (&mut self.memory, memory)] {
            samples.extend(sample);
            if samples.len() > SAMPLES {
                samples.pop_front();
            }
        }
    }
}

/// What was used at least, over the last samples: a single peak is no sustained use.
fn sustained(samples: &VecDeque<u32>) -> Option<u32> {
    if samples.len() < SAMPLES { None } else { samples.iter().copied().min() }
}

fn counted(window: &EdgeWindow, route: &str, version: &Version) -> Counted {
    let version = version.to_string();
    let (counts, latency) = (window.version(route, &version), window.latency(route, &version));
    Counted {
        requests: counts.requests,
        failed: counts.failed,
        p50_micros: latency.quantile(0.50),
        p95_micros: latency.quantile(0.95),
        p99_micros: latency.quantile(0.99),
    }
}

/// A value that is changed by one task and read by another.
pub(crate) type Shared<T> = Arc<Mutex<T>>;

/// A copy of a shared value.
pub(crate) fn copy<T: Clone>(shared: &Shared<T>) -> T {
    lock(shared).clone()
}
