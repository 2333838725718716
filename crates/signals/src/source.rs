//! One number, wherever it comes from.

use pilotage_spec::{Version, Workload};
use thiserror::Error;

use crate::{JsonClient, JsonError, PrometheusClient, PrometheusError};

/// Where one number comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A query to a Prometheus.
    Prometheus {
        /// The server.
        client: PrometheusClient,
        /// PromQL that yields one number.
        query: String,
    },
    /// A JSON document.
    Json(JsonClient),
}

/// Why a source says no number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// Prometheus does not.
    #[error(transparent)]
    Prometheus(#[from] PrometheusError),
    /// A query that yields no series.
    #[error("the query returns nothing")]
    Nothing,
    /// The document does not.
    #[error(transparent)]
    Json(#[from] JsonError),
}

impl Source {
    /// The finite number of one version at this moment.
    ///
    /// # Errors
    /// If the server cannot be asked, or does not answer with exactly one finite number.
    pub async fn number(&self, workload: &Workload, version: &Version) -> Result<f64, SourceError> {
        match self {
            Self::Prometheus { client, query } => {
                client.metric(query, workload, version).await?.ok_or(SourceError::Nothing)
            }
            Self::Json(client) => Ok(client.number(workload, version).await?),
        }
    }
}
