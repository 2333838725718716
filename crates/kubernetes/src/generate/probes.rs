//! Probes, from the paths that a service says are to be asked.

use std::time::Duration;

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_spec::{HttpPath, Protocol};

use super::blueprint::Blueprint;

/// So many failures in a row are one too many, as with every other target.
pub(crate) const FAILURES: i32 = 3;

/// Whether it can take traffic: its path, or that it accepts connections.
pub(super) fn readiness(blueprint: &Blueprint<'_>) -> Probe {
    probe(blueprint, blueprint.instance().health.ready.as_ref())
}

/// Whether it works at all; without a path, that its process runs.
pub(super) fn liveness(blueprint: &Blueprint<'_>) -> Option<Probe> {
    let path = blueprint.instance().health.live.as_ref()?;
    Some(probe(blueprint, Some(path)))
}

/// As long as an instance may take to start, failing to be alive is no reason to start it anew.
pub(super) fn startup(blueprint: &Blueprint<'_>) -> Option<Probe> {
    let probe = liveness(blueprint)?;
    let period = u64::try_from(probe.period_seconds.unwrap_or(1)).unwrap_or(1).max(1);
    let attempts = blueprint.instance().start_timeout.as_secs().div_ceil(period).max(1);
    Some(Probe { failure_threshold: Some(i32::try_from(attempts).unwrap_or(i32::MAX)), ..probe })
}

/// The kubelet speaks HTTP/1.1 only: whoever does not is asked whether it accepts connections.
fn probe(blueprint: &Blueprint<'_>, path: Option<&HttpPath>) -> Probe {
    let health = &blueprint.instance().health;
    let path = path.filter(|_| blueprint.instance().protocol == Protocol::Http1);
    let port = IntOrString::Int(blueprint.port());
    let mut probe = Probe {
        period_seconds: Some(seconds(health.interval)),
        timeout_seconds: Some(seconds(health.timeout)),
        failure_threshold: Some(FAILURES),
        ..Probe::default()
    };
    match path {
        Some(path) => {
            let path = Some(path.to_string());
            probe.http_get = Some(HTTPGetAction { path, port, ..HTTPGetAction::default() });
        }
        None => probe.tcp_socket = Some(TCPSocketAction { port, ..TCPSocketAction::default() }),
    }
    probe
}

/// Whole seconds, at least one: Kubernetes knows no less.
pub(super) fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i32::MAX).max(1)
}
