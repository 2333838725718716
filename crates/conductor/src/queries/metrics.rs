//! The team's own metrics.

use std::sync::Arc;

use pilotage_engine::Plan;
use pilotage_engine::judge::{Known, MetricReading};
use pilotage_signals::{JsonClient, Source};
use pilotage_spec::{JsonSource, Metric, MetricSource, Prometheus, Version, Workload};
use tokio::sync::Semaphore;

use super::repeated::{Last, Repeated};
use super::{Client, old};
use crate::readings::SecretReader;

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

fn source(metric: &Metric, prometheus: Option<&Client>, secrets: &SecretReader) -> Result<Source, String> {
    match &metric.source {
        MetricSource::Query(query) => {
            let client = prometheus.ok_or(NO_PROMETHEUS)?.clone()?;
            Ok(Source::Prometheus { client, query: query.clone() })
        }
        MetricSource::Json(json) => in_json(json, secrets),
    }
}

/// A source of its own, with the environment's Prometheus if it is a query.
pub(crate) fn source_of(
    source: &MetricSource,
    prometheus: Option<&Prometheus>,
    secrets: &SecretReader,
) -> Result<Source, String> {
    match source {
        MetricSource::Query(query) => {
            let client = super::client(prometheus.ok_or(NO_PROMETHEUS)?, secrets)?;
            Ok(Source::Prometheus { client, query: query.clone() })
        }
        MetricSource::Json(json) => in_json(json, secrets),
    }
}

fn in_json(json: &JsonSource, secrets: &SecretReader) -> Result<Source, String> {
    let token = json.token.as_ref().map(|source| secrets(source)).transpose()?;
    let client = JsonClient::new(json.clone(), token).map_err(|error| error.to_string())?;
    Ok(Source::Json(client))
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
            Err(error) => {
                tracing::debug!(metric = self.name, %version, %error, "a metric is not known");
                Known::Unknown(error.to_string())
            }
        }
    }
}
