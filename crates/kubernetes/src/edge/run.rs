//! The feeder as a whole.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use pilotage_proxy::{EdgeClient, EdgeClientError};
use pilotage_spec::{EnvironmentName, ProjectName};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::config_map_name;
use super::feeder::Feeder;
use super::pages;
use super::state::State;
use super::watches::Watches;
use crate::names::Owner;

/// How long the edge of the same pod may take to start.
const EDGE_STARTS_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a feeder is started with.
#[derive(Debug, Clone)]
pub struct FeederConfig {
    /// Where the ConfigMap and the instances are.
    pub namespace: String,
    /// Whose workloads are served.
    pub project: ProjectName,
    /// Whose workloads are served.
    pub environment: EnvironmentName,
    /// The control socket of the edge in the same pod.
    pub edge_socket: PathBuf,
    /// Where it says what is in force.
    pub status: SocketAddr,
    /// All addresses of the pod: `0.0.0.0`, or `::` where pods have IPv6 alone.
    pub any: IpAddr,
}

/// Why a feeder cannot start.
#[derive(Debug, Error)]
pub enum FeederError {
    /// This is not a pod with a service account.
    #[error("the API server cannot be reached from here: {reason}; run this in a pod with a service account")]
    Place {
        /// Why.
        reason: String,
    },
    /// The edge did not start.
    #[error(transparent)]
    Edge(#[from] EdgeClientError),
    /// The address of its pages cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Feeds the edge of this pod until the process ends. An API server that is away is waited for, and then caught up with.
///
/// # Errors
/// Fails if the edge does not start, or the address of the pages cannot be had.
pub async fn run_edge_feeder(config: FeederConfig, client: Client) -> Result<(), FeederError> {
    let bind = |source| FeederError::Bind { address: config.status, source };
    let listener = TcpListener::bind(config.status).await.map_err(bind)?;
    let edge = edge_of(&config).await?;
    let state = Arc::new(State::default());
    let pages = tokio::spawn(pages::serve(listener, edge.clone(), Arc::clone(&state)));
    let name = config_map_name(&config.environment);
    let owner = Owner { project: config.project, environment: config.environment };
    let watches = Watches::start(client, &config.namespace, &name, &owner.selector());
    let feeder = Feeder::take_over(edge, owner, config.any, state).await?;
    tracing::info!(namespace = config.namespace, config_map = name, status = %config.status, "feeding the edge");
    feeder.run(watches).await;
    pages.abort();
    Ok(())
}

/// The edge starts beside the feeder, and may take a moment longer.
async fn edge_of(config: &FeederConfig) -> Result<EdgeClient, EdgeClientError> {
    let deadline = Instant::now() + EDGE_STARTS_WITHIN;
    loop {
        match EdgeClient::connect(&config.edge_socket).await {
            Err(_) if Instant::now() < deadline => sleep(LOOK_AGAIN).await,
            answered => return answered,
        }
    }
}
