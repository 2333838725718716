//! Which way a target's settings choose.

use pilotage_spec::KubernetesTraffic;

use super::TrafficRoute;
use super::argo_rollouts::ArgoRollouts;
use super::flagger::Flagger;
use super::gateway::Gateway;
use super::istio::Istio;
use super::nginx::Nginx;
use super::object_route::ObjectRoute;
use super::traefik::Traefik;

/// The way by somebody else's routes; `None` where Pilotage moves the traffic by a Service or an edge of its own.
pub(crate) fn by_others(traffic: &KubernetesTraffic) -> Option<Box<dyn TrafficRoute>> {
    Some(match traffic {
        KubernetesTraffic::Service | KubernetesTraffic::Host | KubernetesTraffic::Edge => return None,
        KubernetesTraffic::Gateway { parent, namespace } => {
            let namespace = namespace.as_ref().map(ToString::to_string);
            Box::new(ObjectRoute::new(Gateway { parent: parent.clone(), namespace }))
        }
        KubernetesTraffic::Istio { gateways } => {
            Box::new(ObjectRoute::new(Istio { gateways: gateways.clone() }))
        }
        KubernetesTraffic::Nginx { class } => Box::new(Nginx { class: class.clone() }),
        KubernetesTraffic::Traefik { entry_points } => {
            Box::new(ObjectRoute::new(Traefik { entry_points: entry_points.clone() }))
        }
        KubernetesTraffic::ArgoRollouts => Box::new(ArgoRollouts),
        KubernetesTraffic::Flagger { provider } => Box::new(Flagger { provider: provider.clone() }),
    })
}
