//! The team's own metrics.

use std::sync::Arc;

use pilotage_engine::Plan;
use pilotage_engine::judge::{Known, MetricReading};
use pilotage_secrets::SecretReader;
use pilotage_spec::{Metric, MetricSource, Prometheus, Version, Workload};
use tokio::sync::Semaphore;

use super::client::{Client, Document};
use super::old;
use super::repeated::{Last, Repeated};

const NO_PROMETHEUS: &str = "the environment has no `prometheus`";

/// All metrics of a strategy.
pub(super) struct Metrics(Vec<(Metric, Repeated<MetricReading>)>);

/// A metric of a deployment.
struct Question {
    name: String,
    /// Where its number comes from, or why it cannot be asked for.
    source: Result<Source, String>,
    workload: Workload,
    candidate: Version,
    /// The version that it is compared with, if it is.
    stable: Option<Version>,
}

impl Metrics {
    /// Begins to ask for all of them.
    pub(super) fn start(
        plan: &Plan,
        prometheus: Option<&Client>,
        secrets: &SecretReader,
        permits: &Arc<Semaphore>,
    ) -> Self {
        let metrics = plan.roll_back_when().metrics.iter().map(|metric| {
            let question = Arc::new(Question {
                name: metric.name.clone(),
                source: source(metric, prometheus, secrets),
                workload: plan.request.workload.clone(),
                candidate: plan.candidate().clone(),
                stable: plan.reference().filter(|_| !metric.compare.is_value()).cloned(),
            });
            let ask = move || {
                let question = Arc::clone(&question);
                async move { question.ask().await }
            };
            (metric.clone(), Repeated::start(Arc::clone(permits), ask))
        });
        Self(metrics.collect())
    }

    /// What is known of them by now.
    pub(super) fn answers(&self) -> Vec<MetricReading> {
        let reading = |(metric, answer): &(Metric, Repeated<MetricReading>)| {
            let without = |value| MetricReading { name: metric.name.clone(), value, stable: Known::NotAsked };
            match answer.last() {
                Last::None => without(Known::NotAsked),
                Last::Fresh(reading) => reading,
                Last::Old(age) => without(Known::Unknown(old(age))),
            }
        };
        self.0.iter().map(reading).collect()
    }
}

/// Where one number comes from.
pub(crate) enum Source {
    Query { prometheus: Client, query: String },
    Document(Document),
}

fn source(metric: &Metric, prometheus: Option<&Client>, secrets: &SecretReader) -> Result<Source, String> {
    Source::of(&metric.source, || prometheus.cloned(), secrets)
}

/// A source of its own, with the environment's Prometheus if it is a query.
pub(crate) fn source_of(
    source: &MetricSource,
    prometheus: Option<&Prometheus>,
    secrets: &SecretReader,
) -> Result<Source, String> {
    Source::of(source, || prometheus.map(|prometheus| Client::new(prometheus, secrets)), secrets)
}

impl Source {
    fn of(
        source: &MetricSource,
        prometheus: impl FnOnce() -> Option<Client>,
        secrets: &SecretReader,
    ) -> Result<Self, String> {
        match source {
            MetricSource::Query(query) => {
                Ok(Self::Query { prometheus: prometheus().ok_or(NO_PROMETHEUS)?, query: query.clone() })
            }
            MetricSource::Json(json) => Ok(Self::Document(Document::new(json, secrets))),
        }
    }

    /// The number of one version at this moment.
    pub(crate) async fn number(&self, workload: &Workload, version: &Version) -> Result<f64, String> {
        match self {
            Self::Query { prometheus, query } => prometheus.number(query, workload, version).await,
            Self::Document(document) => document.number(workload, version).await,
        }
    }
}

impl Question {
    /// Asks for both versions at once, so that what is compared is of one moment.
    async fn ask(&self) -> MetricReading {
        let stable = async {
            match &self.stable {
                Some(version) => self.number(version).await,
                None => Known::NotAsked,
            }
        };
        let (value, stable) = tokio::join!(self.number(&self.candidate), stable);
        MetricReading { name: self.name.clone(), value, stable }
    }

    async fn number(&self, version: &Version) -> Known<f64> {
        let source = match &self.source {
            Ok(source) => source,
            Err(reason) => return Known::Unknown(reason.clone()),
        };
        match source.number(&self.workload, version).await {
            Ok(number) => Known::Value(number),
            Err(reason) => {
                tracing::debug!(metric = self.name, %version, reason, "a metric is not known");
                Known::Unknown(reason)
            }
        }
    }
}
