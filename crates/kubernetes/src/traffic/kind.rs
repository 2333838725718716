//! The kinds of objects that routes are made of.

/// One kind. Which version of it is written is what the server prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    /// What brings it into a cluster.
    pub(super) from: &'static str,
}

/// A rule of the Gateway API.
pub(super) const HTTP_ROUTE: Kind =
    Kind { group: "gateway.networking.k8s.io", kind: "HTTPRoute", from: "the Gateway API" };
/// What routes of the Gateway API hang on.
pub(super) const GATEWAY: Kind = Kind { kind: "Gateway", ..HTTP_ROUTE };

/// Istio's routes.
pub(super) const VIRTUAL_SERVICE: Kind =
    Kind { group: "networking.istio.io", kind: "VirtualService", from: "Istio" };
/// Istio's settings for what is behind a route.
pub(super) const DESTINATION_RULE: Kind = Kind { kind: "DestinationRule", ..VIRTUAL_SERVICE };

/// The Ingress that every cluster knows.
pub(super) const INGRESS: Kind =
    Kind { group: "networking.k8s.io", kind: "Ingress", from: "Kubernetes from 1.19 on" };

/// Traefik's routes.
pub(super) const INGRESS_ROUTE: Kind = Kind { group: "traefik.io", kind: "IngressRoute", from: "Traefik" };
/// Traefik's services that stand for others.
pub(super) const TRAEFIK_SERVICE: Kind = Kind { kind: "TraefikService", ..INGRESS_ROUTE };

/// Argo's workloads.
pub(super) const ROLLOUT: Kind = Kind { group: "argoproj.io", kind: "Rollout", from: "Argo Rollouts" };
/// Argo's measurements.
#[cfg(test)]
pub(super) const ANALYSIS_TEMPLATE: Kind = Kind { kind: "AnalysisTemplate", ..ROLLOUT };

/// Flagger's rollouts.
pub(super) const CANARY: Kind = Kind { group: "flagger.app", kind: "Canary", from: "Flagger" };
/// Flagger's measurements.
#[cfg(test)]
pub(super) const METRIC_TEMPLATE: Kind = Kind { kind: "MetricTemplate", ..CANARY };
