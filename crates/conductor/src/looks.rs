//! From the edge's counters to what the judge's tests are fed with.

use std::time::Instant;

use pilotage_engine::Plan;
use pilotage_engine::judge::{Evidence, GoalReading, Known, Look, Side};
use pilotage_proxy::EdgeStats;
use pilotage_signals::EdgeWindow;
use pilotage_spec::Version;
use pilotage_targets::Observation;

/// Looks at the counters of one deployment, one after the other.
pub(crate) struct Looks {
    route: String,
    evidence: Evidence,
    last: Option<(EdgeStats, Instant)>,
}

impl Looks {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            route: plan.request.workload.to_string(),
            evidence: Evidence::new(&plan.request.strategy),
            last: None,
        }
    }

    pub(crate) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    pub(crate) fn shares_changed(&mut self) {
        self.evidence.shares_changed();
    }

    /// Takes in what was answered about the goal of an A/B test.
    pub(crate) fn goal(&mut self, answer: &Known<GoalReading>) {
        self.evidence.goal(answer);
    }

    /// Takes in what has happened since the last look. At the first one, what the edge remembers of the stable version is what was
    /// before.
    pub(crate) fn look(&mut self, stats: &EdgeStats, plan: &Plan, observation: &Observation) {
        let stats = self.own(stats);
        let now = Instant::now();
        let Some((last, at)) = self.last.replace((stats.clone(), now)) else {
            // An edge's counters begin at zero when it starts.
            let zero = EdgeStats { started_micros: stats.started_micros, ..EdgeStats::default() };
            return self.evidence.known_before(&self.side(&since(zero, &stats), plan.stable()));
        };
        let window = since(last, &stats);
        let share = |version: &Version| observation.shares().get(version).copied().unwrap_or(0);
        self.evidence.look(Look {
            candidate: self.side(&window, Some(plan.candidate())),
            stable: self.side(&window, plan.reference()),
            beside: plan.reference().is_some_and(|reference| share(reference) > 0),
            micros: now.duration_since(at).as_micros().try_into().unwrap_or(u64::MAX),
        });
    }

    /// The counters of this workload alone: an edge may have many.
    fn own(&self, stats: &EdgeStats) -> EdgeStats {
        let routes = stats.routes.get(&self.route).map(|route| (self.route.clone(), route.clone()));
        EdgeStats {
            started_micros: stats.started_micros,
            routes: routes.into_iter().collect(),
            ..EdgeStats::default()
        }
    }

    fn side(&self, window: &EdgeWindow, version: Option<&Version>) -> Side {
        let Some(version) = version.map(Version::to_string) else { return Side::default() };
        let counts = window.version(&self.route, &version);
        Side {
            requests: counts.requests,
            failed: counts.failed,
            failed_clients: counts.failed_clients,
            latencies: window.latency(&self.route, &version).bounded_counts().collect(),
        }
    }
}

fn since(before: EdgeStats, now: &EdgeStats) -> EdgeWindow {
    let mut window = EdgeWindow::new(before);
    window.update(now);
    window
}
