//! What production says about a deployment that is under way, gathered for the judge.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_engine::Plan;
use pilotage_engine::judge::{Counted, InstanceReading, MirrorReading, Reading};
use pilotage_proxy::EdgeStats;
use pilotage_signals::EdgeWindow;
use pilotage_spec::{Version, Workload};
use pilotage_targets::{Instance, InstanceState, Observation, Target};

use crate::conductor::Inner;
use crate::looks::Looks;
use crate::queries::{Answers, Queries};

/// So many samples in a row must lie above a limit before its use counts as sustained.
const SAMPLES: usize = 5;
/// The time between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Gathers readings for one deployment.
pub(crate) struct Readings {
    target: Arc<dyn Target>,
    workload: Workload,
    route: String,
    /// Since the shares last changed, for people to see.
    current: Option<EdgeWindow>,
    looks: Looks,
    restarts: HashMap<String, u32>,
    usage: HashMap<String, Usage>,
    queries: Queries,
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
            target: Arc::clone(&inner.target),
            workload: plan.request.workload.clone(),
            route: plan.request.workload.to_string(),
            current: None,
            looks: Looks::new(plan),
            restarts: HashMap::new(),
            usage: HashMap::new(),
            queries: Queries::start(plan, &inner.secrets),
        }
    }

    /// The shares have changed: what comes now is counted anew.
    pub(crate) fn restart(&mut self) {
        self.current = None;
        self.looks.shares_changed();
        self.restarts.clear();
    }

    /// Everything that is known now. What cannot be asked is said to be unknown.
    pub(crate) async fn take(&mut self, plan: &Plan, observation: &Observation) -> Reading {
        let blind = match self.target.stats(&self.workload).await {
            Ok(Some(stats)) => {
                self.count(&stats);
                self.looks.look(&stats, plan, observation);
                None
            }
            // Nothing is counted here: what is known comes from instances and from what else is asked.
            Ok(None) => None,
            Err(error) => Some(error.to_string()),
        };
        let Answers { alerts, metrics, goal } = self.queries.answers();
        self.looks.goal(&goal);
        let counted = |version: Option<&Version>| match (&self.current, version) {
            (Some(window), Some(version)) => counted(window, &self.route, version),
            _ => Counted::default(),
        };
        let (candidate, stable) = (counted(Some(plan.candidate())), counted(plan.reference()));
        let instances = observation.instances.iter().filter(|i| i.release.version == *plan.candidate());
        let instances = instances.map(|instance| self.instance(instance, plan)).collect();
        Reading {
            blind,
            candidate,
            stable,
            tests: Some(Box::new(self.looks.evidence().clone())),
            instances,
            alerts,
            metrics,
            mirror: self.mirror(plan, observation),
        }
    }

    /// What came of copies, while there are any.
    fn mirror(&self, plan: &Plan, observation: &Observation) -> Option<MirrorReading> {
        let mirror = observation.traffic.as_ref()?.mirror.as_ref()?;
        let window = self.current.as_ref()?;
        let copies = window.copies(&self.route, &plan.candidate().to_string()).cloned().unwrap_or_default();
        let quantile = |share: f64| copies.latency.quantile(share);
        Some(MirrorReading {
            copies: Counted {
                requests: copies.requests,
                failed: copies.failed,
                p50_micros: quantile(0.5),
                p95_micros: quantile(0.95),
                p99_micros: quantile(0.99),
            },
            unanswered: copies.unanswered,
            compared: copies.compared,
            differing_status: copies.differing_status,
            differing_body: copies.differing_body,
            uncompared: copies.uncompared,
            dropped: copies.dropped,
            writes: mirror.unsafe_methods,
        })
    }

    fn count(&mut self, stats: &EdgeStats) {
        match &mut self.current {
            Some(window) => window.update(stats),
            None => self.current = Some(EdgeWindow::new(stats.clone())),
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
