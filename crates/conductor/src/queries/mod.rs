//! Prometheus and other servers, asked in the background so that a slow answer never holds up a decision.

mod client;
mod goal;
mod metrics;
mod repeated;

use std::sync::Arc;

use pilotage_engine::Plan;
use pilotage_engine::judge::{GoalReading, Known, MetricReading};
use pilotage_secrets::SecretReader;
use tokio::sync::Semaphore;

use client::Client;
use metrics::Metrics;
pub(crate) use metrics::source_of;
use repeated::{Last, Repeated};

/// So many questions are under way at once.
const CONCURRENT: usize = 16;

/// The last answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    pub(crate) alerts: Known<Vec<String>>,
    pub(crate) metrics: Vec<MetricReading>,
    pub(crate) goal: Known<GoalReading>,
}

/// Questions that are asked again and again until this is dropped.
pub(crate) struct Queries {
    alerts: Option<Repeated<Known<Vec<String>>>>,
    metrics: Metrics,
    goal: Option<Repeated<Known<GoalReading>>>,
}

impl Queries {
    /// Begins to ask what the strategy wants to know.
    pub(crate) fn start(plan: &Plan, secrets: &SecretReader) -> Self {
        let permits = Arc::new(Semaphore::new(CONCURRENT));
        let prometheus = plan.request.prometheus.as_ref().map(|prometheus| Client::new(prometheus, secrets));
        let alerts = prometheus.clone().filter(|_| plan.roll_back_when().critical_alerts);
        Self {
            alerts: alerts.map(|prometheus| alerts_of(plan, prometheus, Arc::clone(&permits))),
            goal: goal::start(plan, prometheus.as_ref(), &permits),
            metrics: Metrics::start(plan, prometheus.as_ref(), secrets, &permits),
        }
    }

    pub(crate) fn answers(&self) -> Answers {
        let (alerts, goal) = (known(self.alerts.as_ref()), known(self.goal.as_ref()));
        Answers { alerts, metrics: self.metrics.answers(), goal }
    }
}

fn known<T: Clone + Send + 'static>(question: Option<&Repeated<Known<T>>>) -> Known<T> {
    match question.map(Repeated::last) {
        None | Some(Last::None) => Known::NotAsked,
        Some(Last::Fresh(answer)) => answer,
        Some(Last::Old(age)) => Known::Unknown(old(age)),
    }
}

fn old(age: std::time::Duration) -> String {
    format!("the last answer is from {} s ago", age.as_secs())
}

fn alerts_of(plan: &Plan, client: Client, permits: Arc<Semaphore>) -> Repeated<Known<Vec<String>>> {
    let workload = plan.request.workload.clone();
    let question = Arc::new((client, workload));
    Repeated::start(permits, move || {
        let question = Arc::clone(&question);
        async move {
            let (client, workload) = &*question;
            match client.critical_alerts(workload).await {
                Ok(names) => Known::Value(names),
                Err(reason) => Known::Unknown(reason),
            }
        }
    })
}
