//! What Prometheus answers to an instant query.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::PrometheusError;

/// The envelope of every answer.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    /// `success` or `error`.
    pub(super) status: String,
    /// Present with `success`.
    data: Option<Data>,
    /// Present with `error`.
    pub(super) error: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: serde_json::Value,
}

/// One series of a vector.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    /// Its labels.
    pub(super) metric: BTreeMap<String, String>,
    value: Sample,
}

/// The time in seconds, and the value as text.
#[derive(Debug, Deserialize)]
struct Sample(#[expect(dead_code, reason = "the format has it")] f64, String);

/// Numbers of one moment.
#[derive(Debug)]
pub(super) enum Numbers {
    Rows(Vec<Row>),
    Scalar(String),
}

impl Envelope {
    /// The numbers in a successful answer. `malformed` makes the error for an answer of another form.
    pub(super) fn numbers(
        self,
        malformed: impl Fn(String) -> PrometheusError,
    ) -> Result<Numbers, PrometheusError> {
        let data = self.data.ok_or_else(|| malformed("its answer holds no data".to_owned()))?;
        let unreadable = |error: serde_json::Error| malformed(format!("its answer cannot be read ({error})"));
        match data.result_type.as_str() {
            "vector" => serde_json::from_value(data.result).map(Numbers::Rows).map_err(unreadable),
            "scalar" => {
                let Sample(_, value) = serde_json::from_value(data.result).map_err(unreadable)?;
                Ok(Numbers::Scalar(value))
            }
            _ => Err(PrometheusError::NotANumber { found: data.result_type }),
        }
    }
}

impl Numbers {
    /// The one number, or `None` if there is none.
    pub(super) fn one(self) -> Result<Option<f64>, PrometheusError> {
        match self {
            Self::Scalar(value) => finite(&value).map(Some),
            Self::Rows(rows) => match rows.as_slice() {
                [] => Ok(None),
                [row] => finite(&row.value.1).map(Some),
                [first, second, ..] => Err(PrometheusError::ManyRows {
                    rows: rows.len(),
                    examples: format!("{} and {}", labels(first, second), labels(second, first)),
                }),
            },
        }
    }
}

fn finite(text: &str) -> Result<f64, PrometheusError> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    value.ok_or_else(|| PrometheusError::NotFinite { value: text.to_owned() })
}

/// The labels of a series that another has not, as Prometheus writes them.
fn labels(row: &Row, other: &Row) -> String {
    let differing = row.metric.iter().filter(|(name, value)| other.metric.get(*name) != Some(*value));
    let pairs = differing.map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}
