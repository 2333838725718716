//! The network that the containers of an environment share.

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::InspectNetworkOptions;
use pilotage_targets::TargetError;

use crate::engine::{Engine, Fault};
use crate::names::Scope;

/// What a network is to be like.
pub(crate) struct WantedNetwork<'a> {
    pub scope: &'a Scope,
    pub name: &'a str,
    /// Whether it may be made if it is missing.
    pub is_ours: bool,
    /// `bridge`, or `overlay` for the services of a swarm.
    pub driver: &'a str,
}

/// Sees to it that the network is there.
pub(crate) async fn provide(engine: &Engine, wanted: &WantedNetwork<'_>) -> Result<(), TargetError> {
    let name = wanted.name;
    match engine.docker().inspect_network(name, None::<InspectNetworkOptions>).await {
        Ok(_) => return Ok(()),
        Err(error) => match engine.fault(&error) {
            Fault::NotFound { .. } if wanted.is_ours => {}
            Fault::NotFound { .. } => {
                return Err(TargetError::Failed {
                    doing: format!("find the network {name} on {}", engine.name()),
                    reason: "it is not there; create it, or leave out `network` and one is made".to_owned(),
                });
            }
            fault => return Err(engine.refused(&format!("look at the network {name}"), fault)),
        },
    }
    let request = NetworkCreateRequest {
        name: name.to_owned(),
        driver: Some(wanted.driver.to_owned()),
        labels: Some(wanted.scope.labels()),
        ..NetworkCreateRequest::default()
    };
    match engine.docker().create_network(request).await {
        Ok(_) => Ok(()),
        Err(error) => match engine.fault(&error) {
            // Somebody was faster.
            Fault::Conflict { .. } => Ok(()),
            fault => Err(engine.refused(&format!("create the network {name}"), fault)),
        },
    }
}

/// Removes a network of ours that nothing is in. One that is still used stays.
pub(crate) async fn remove_unused(engine: &Engine, scope: &Scope, name: &str) -> Result<(), TargetError> {
    let found = match engine.docker().inspect_network(name, None::<InspectNetworkOptions>).await {
        Ok(found) => found,
        Err(error) => {
            return match engine.fault(&error) {
                Fault::NotFound { .. } => Ok(()),
                fault => Err(engine.refused("look at a network", fault)),
            };
        }
    };
    if !found.labels.is_some_and(|labels| scope.owns(&labels)) {
        return Ok(());
    }
    match engine.docker().remove_network(name).await {
        Ok(()) => Ok(()),
        Err(error) => match engine.fault(&error) {
            // It has members; engines answer 403 or 409 then.
            Fault::NotFound { .. } | Fault::Conflict { .. } | Fault::Forbidden { .. } => Ok(()),
            fault => Err(engine.refused("remove a network", fault)),
        },
    }
}
