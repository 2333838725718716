//! Prometheus, asked in the background so that a slow answer never holds up a decision.

use std::sync::Arc;
use std::time::Duration;

use pilotage_engine::Plan;
use pilotage_engine::judge::{Known, MetricReading};
use pilotage_signals::PrometheusClient;
use pilotage_spec::{Metric, Prometheus, RollBackWhen, Version, Workload};
use tokio::task::JoinHandle;

use crate::conductor::lock;
use crate::readings::{SecretReader, Shared, copy};

/// The time between two rounds of queries.
const ROUND: Duration = Duration::from_secs(2);

/// The last answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    pub(crate) alerts: Known<Vec<String>>,
    pub(crate) metrics: Vec<MetricReading>,
}

/// Queries that are asked again and again until this is dropped.
pub(crate) struct Queries {
    answers: Shared<Answers>,
    task: JoinHandle<()>,
}

impl Drop for Queries {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Queries {
    /// Begins to ask, if the environment has a Prometheus and the strategy wants to know something of it.
    pub(crate) fn start(plan: &Plan, secrets: &SecretReader) -> Option<Self> {
        let prometheus = plan.request.prometheus.clone()?;
        let when = plan.roll_back_when().clone();
        if !when.critical_alerts && when.metrics.is_empty() {
            return None;
        }
        let answers = Shared::default();
        let asker = Asker {
            when,
            workload: plan.request.workload.clone(),
            version: plan.candidate().clone(),
            answers: Arc::clone(&answers),
        };
        let client = client(&prometheus, secrets);
        Some(Self { answers, task: tokio::spawn(asker.ask(client)) })
    }

    pub(crate) fn answers(&self) -> Answers {
        copy(&self.answers)
    }
}

fn client(prometheus: &Prometheus, secrets: &SecretReader) -> Result<PrometheusClient, String> {
    let token = prometheus.token.as_ref().map(|source| secrets(source)).transpose()?;
    PrometheusClient::new(&prometheus.url, token).map_err(|error| error.to_string())
}

struct Asker {
    when: RollBackWhen,
    workload: Workload,
    version: Version,
    answers: Shared<Answers>,
}

impl Asker {
    async fn ask(self, client: Result<PrometheusClient, String>) {
        loop {
            let answers = match &client {
                Ok(client) => {
                    Answers { alerts: self.alerts(client).await, metrics: self.metrics(client).await }
                }
                Err(reason) => self.unknown(reason),
            };
            *lock(&self.answers) = answers;
            tokio::time::sleep(ROUND).await;
        }
    }

    fn unknown(&self, reason: &str) -> Answers {
        let alerts =
            if self.when.critical_alerts { Known::Unknown(reason.to_owned()) } else { Known::NotAsked };
        let metric = |metric: &Metric| MetricReading {
            name: metric.name.clone(),
            value: Known::Unknown(reason.to_owned()),
        };
        Answers { alerts, metrics: self.when.metrics.iter().map(metric).collect() }
    }

    async fn alerts(&self, client: &PrometheusClient) -> Known<Vec<String>> {
        if !self.when.critical_alerts {
            return Known::NotAsked;
        }
        match client.critical_alerts(&self.workload).await {
            Ok(names) => Known::Value(names),
            Err(error) => Known::Unknown(error.to_string()),
        }
    }

    async fn metrics(&self, client: &PrometheusClient) -> Vec<MetricReading> {
        let mut readings = Vec::new();
        for metric in &self.when.metrics {
            let value = match client.metric(&metric.query, &self.workload, &self.version).await {
                Ok(Some(value)) => Known::Value(value),
                Ok(None) => Known::Unknown("the query returns nothing".to_owned()),
                Err(error) => Known::Unknown(error.to_string()),
            };
            readings.push(MetricReading { name: metric.name.clone(), value });
        }
        readings
    }
}
