//! Metrics of a team's own, and how they are weighed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::SecretSource;

/// A weight of 1, in thousandths.
pub const WEIGHT_ONE: u32 = 1_000;

/// A number that is asked for and must stay within limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What it is called in messages.
    pub name: String,
    /// Where the number comes from.
    #[serde(flatten)]
    pub source: MetricSource,
    /// What is judged: the number itself, or how it stands to the stable version's.
    #[serde(default, skip_serializing_if = "Comparison::is_value")]
    pub compare: Comparison,
    /// When that is bad.
    pub limit: MetricLimit,
    /// Whether it takes the release back by itself. Otherwise it counts in the score.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub critical: bool,
    /// How much it counts within its group, in thousandths.
    #[serde(default = "weight_one", skip_serializing_if = "is_weight_one")]
    pub weight: u32,
    /// The group that it counts in; those without one are a group together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it is only reported, and never decides anything.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dry_run: bool,
}

// The limits are finite, so that each equals itself.
impl Eq for Metric {}

/// Where a metric's number comes from. `$SERVICE`, `$ENVIRONMENT` and `$VERSION` are substituted; `$$` is a dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricSource {
    /// PromQL that yields one number, asked of the environment's Prometheus.
    Query(String),
    /// A document in JSON that holds the number.
    Json(JsonSource),
}

/// A number in a JSON document that is served over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonSource {
    /// Where the document is, `http://…` or `https://…`. Names are put in behind the host only.
    pub url: String,
    /// Where the number is in it, as a JSON pointer (RFC 6901); the empty one is the whole document.
    pub pointer: String,
    /// A bearer token, if the server wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
}

/// What of a metric is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The number itself.
    #[default]
    Value,
    /// The new version's number divided by the stable version's.
    Ratio,
    /// The new version's number less the stable version's.
    Difference,
}

/// When a metric is bad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricLimit {
    /// Above this finite number.
    Above(f64),
    /// Below this finite number.
    Below(f64),
    /// Outside a range of finite numbers; the bounds themselves are good.
    Outside {
        /// Bad below this.
        below: f64,
        /// Bad above this, which is the greater one.
        above: f64,
    },
}

/// How metrics that are not critical are drawn together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The share of good metrics, in hundredths of a percent, from which on they pass together. Default 95 %.
    pub pass: u32,
    /// The share below which they fail together; between the two they prove nothing. Default 75 %.
    pub marginal: u32,
    /// How much each group counts, in thousandths; a group that is not named counts 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, u32>,
}

impl Default for Score {
    fn default() -> Self {
        Self { pass: 9_500, marginal: 7_500, groups: BTreeMap::new() }
    }
}

impl Score {
    /// Whether nothing differs from the defaults.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Comparison {
    /// Whether the number is judged by itself, so that the stable version need not be asked for.
    pub fn is_value(&self) -> bool {
        *self == Self::Value
    }
}

impl MetricSource {
    /// The text that names are put into.
    pub fn template(&self) -> &str {
        match self {
            Self::Query(query) => query,
            Self::Json(source) => &source.url,
        }
    }
}

fn yes() -> bool {
    true
}

fn weight_one() -> u32 {
    WEIGHT_ONE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_weight_one(weight: &u32) -> bool {
    *weight == WEIGHT_ONE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_metric_recorded_before_there_were_other_kinds_is_read_and_written_as_it_was() {
        let recorded = json!({ "name": "queue", "query": "sum(queue)", "limit": { "above": 1000.0 } });
        let metric: Metric = serde_json::from_value(recorded.clone()).unwrap();
        assert_eq!(metric.source, MetricSource::Query("sum(queue)".to_owned()));
        assert_eq!(metric.limit, MetricLimit::Above(1000.0));
        assert!(metric.critical && metric.compare.is_value() && metric.weight == WEIGHT_ONE);
        assert_eq!(serde_json::to_string(&metric).unwrap(), recorded_text());
    }

    fn recorded_text() -> &'static str {
        r#"{"name":"queue","query":"sum(queue)","limit":{"above":1000.0}}"#
    }

    #[test]
    fn a_metric_with_everything_survives_being_recorded() {
        let metric = Metric {
            name: "orders".to_owned(),
            source: MetricSource::Json(JsonSource {
                url: "https://shop/$VERSION".to_owned(),
                pointer: "/orders/0".to_owned(),
                token: Some("env:SHOP_TOKEN".parse().unwrap()),
            }),
            compare: Comparison::Ratio,
            limit: MetricLimit::Outside { below: 0.8, above: 1.5 },
            critical: false,
            weight: 2_500,
            group: Some("business".to_owned()),
            dry_run: true,
        };
        let text = serde_json::to_string(&metric).unwrap();
        assert_eq!(serde_json::from_str::<Metric>(&text).unwrap(), metric);
    }
}
