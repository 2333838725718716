//! Reading an edge.

use std::path::PathBuf;
use std::time::Instant;

use pilotage_proxy::{EdgeClient, EdgeClientError, EdgeStats, Identity, RoutingTable};
use pilotage_spec::{EnvironmentName, ServiceName};

use crate::arguments::Selection;
use crate::failure::Failure;

/// What an edge said of itself at one moment.
#[derive(Debug, Clone)]
pub struct Reading {
    pub at: Instant,
    pub stats: EdgeStats,
    pub table: RoutingTable,
    pub identity: Identity,
}

/// Where readings come from.
#[derive(Debug)]
pub struct Source {
    client: EdgeClient,
    chosen: Chosen,
}

impl Source {
    /// Connects to the edge behind a socket.
    pub async fn connect(socket: PathBuf, selection: &Selection) -> Result<Self, Failure> {
        let chosen = Chosen::new(selection)?;
        match EdgeClient::connect(&socket).await {
            Ok(client) => Ok(Self { client, chosen }),
            Err(EdgeClientError::Unreachable { .. }) => {
                let message = format!("no edge runs: nobody answers on {}", socket.display());
                Err(Failure::failed(message).hint("`pilotage up` starts it with what was deployed"))
            }
            Err(error) => Err(Failure::failed(error.to_string())),
        }
    }

    /// What the edge says now of the routes that were chosen. Connects again by itself when the edge was replaced.
    pub async fn read(&self) -> Result<Reading, EdgeClientError> {
        let identity = self.client.identify().await?;
        let mut table = self.client.table().await?;
        let mut stats = self.client.stats().await?;
        table.routes.retain(|route| self.chosen.takes(&route.name));
        stats.routes.retain(|route, _| self.chosen.takes(route));
        Ok(Reading { at: Instant::now(), stats, table, identity })
    }
}

/// Which routes are looked at. They are called `environment/service`.
#[derive(Debug, Default)]
struct Chosen {
    environment: Option<EnvironmentName>,
    service: Option<ServiceName>,
}

impl Chosen {
    fn new(selection: &Selection) -> Result<Self, Failure> {
        Ok(Self {
            environment: selection.env.as_deref().map(str::parse).transpose()?,
            service: selection.service.as_deref().map(str::parse).transpose()?,
        })
    }

    fn takes(&self, route: &str) -> bool {
        let (environment, service) = route.split_once('/').unwrap_or(("", route));
        self.environment.as_ref().is_none_or(|chosen| chosen.as_str() == environment)
            && self.service.as_ref().is_none_or(|chosen| chosen.as_str() == service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_chosen_by_environment_and_service() {
        let chosen = |env: Option<&str>, service: Option<&str>| {
            let owned = |name: &str| name.to_owned();
            Chosen::new(&Selection { env: env.map(owned), service: service.map(owned) }).unwrap()
        };
        assert!(chosen(None, None).takes("dev/api") && chosen(None, None).takes("odd"));
        assert!(chosen(Some("dev"), None).takes("dev/api") && !chosen(Some("dev"), None).takes("prod/api"));
        assert!(chosen(None, Some("api")).takes("dev/api") && !chosen(None, Some("api")).takes("dev/web"));
        assert!(!chosen(Some("dev"), Some("api")).takes("dev/web"));
    }
}
