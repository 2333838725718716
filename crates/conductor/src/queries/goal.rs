//! The goal of an A/B test: counters of both versions.

use std::sync::Arc;

use pilotage_engine::Plan;
use pilotage_engine::judge::{GoalCounts, GoalReading, Known};
use pilotage_signals::Source;
use pilotage_spec::{Goal, GoalQueries, StrategyKind, Version, Workload};
use tokio::sync::Semaphore;

use super::Client;
use super::repeated::Repeated;

/// The counters of a deployment's goal.
struct Question {
    /// Who is asked, or why nobody can be.
    client: Client,
    queries: GoalQueries,
    workload: Workload,
    candidate: Version,
    stable: Version,
}

/// Begins to ask, if the strategy has a goal that is asked for.
pub(super) fn start(
    plan: &Plan,
    prometheus: Option<&Client>,
    permits: &Arc<Semaphore>,
) -> Option<Repeated<Known<GoalReading>>> {
    let StrategyKind::Ab { trial } = &plan.request.strategy.kind else { return None };
    let Goal::Successes(queries) = &trial.goal else { return None };
    let question = Arc::new(Question {
        client: prometheus.cloned().unwrap_or_else(|| Err("the environment has no `prometheus`".to_owned())),
        queries: queries.clone(),
        workload: plan.request.workload.clone(),
        candidate: plan.candidate().clone(),
        stable: plan.reference()?.clone(),
    });
    Some(Repeated::start(Arc::clone(permits), move || {
        let question = Arc::clone(&question);
        async move { question.ask().await }
    }))
}

impl Question {
    /// Asks for both versions at once, so that what is compared is of one time.
    async fn ask(&self) -> Known<GoalReading> {
        let (candidate, stable) = tokio::join!(self.counts(&self.candidate), self.counts(&self.stable));
        match (candidate, stable) {
            (Ok(candidate), Ok(stable)) => Known::Value(GoalReading { candidate, stable }),
            (Err(reason), _) | (_, Err(reason)) => {
                tracing::debug!(reason, "the goal of an A/B test is not known");
                Known::Unknown(reason)
            }
        }
    }

    async fn counts(&self, version: &Version) -> Result<GoalCounts, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let number = async |query: &String| {
            let source = Source::Prometheus { client: client.clone(), query: query.clone() };
            source.number(&self.workload, version).await.map_err(|error| error.to_string())
        };
        // Successes first: a unit that succeeds between the two questions must not be a success without a unit.
        let counts = async {
            let successes =
                number(&self.queries.successes).await.map_err(|error| format!("successes: {error}"))?;
            let units = number(&self.queries.units).await.map_err(|error| format!("units: {error}"))?;
            GoalCounts::of(units, successes)
        };
        counts.await.map_err(|reason| format!("{version}: {reason}"))
    }
}
