//! What a target does, a file each.

mod ensure;
mod ensured;
mod foreign;
mod logs;
mod manifests;
pub(crate) mod record;
mod remove;
mod retire;
pub(crate) mod scale;
mod secrets;
mod stage;

use std::sync::Arc;

use pilotage_secrets::SecretReader;
use pilotage_spec::{KubernetesSettings, Timestamp};
use pilotage_targets::TargetError;

use crate::client::Connection;
use crate::cluster::Cluster;
use crate::observe::{Observer, Watches};
use crate::render::Renderer;
use crate::traffic::TrafficRoute;

pub(crate) use ensured::Ensured;
pub(crate) use retire::until_stopped;

/// Everything that the methods of a target share.
pub(crate) struct Actor {
    /// The way to the cluster.
    pub connection: Arc<Connection>,
    /// What the file says of the target.
    pub settings: KubernetesSettings,
    /// Reads the secrets of services.
    pub secrets: SecretReader,
    /// Makes objects of manifests.
    pub renderer: Renderer,
    /// How requests find a version.
    pub route: Box<dyn TrafficRoute>,
    /// Looks.
    pub observer: Observer,
    /// Says when to look.
    pub watches: Watches,
    /// How the releases are run that were ensured last.
    pub ensured: Ensured,
}

impl Actor {
    /// The cluster, by the credentials of this moment.
    pub async fn cluster(&self) -> Result<Cluster, TargetError> {
        self.connection.cluster().await
    }
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since.as_micros().try_into().unwrap_or(i64::MAX))
}
