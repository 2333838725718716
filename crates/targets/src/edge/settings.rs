//! What is done for requests: from the settings of a route to the edge's words, and back.

use std::time::Duration;

use pilotage_proxy as edge;
use pilotage_spec::{ClientKey, Ejection, Limits, Retries, RouteSettings, Timeouts};

/// The route with these settings.
pub(super) fn apply(settings: &RouteSettings, route: edge::Route) -> edge::Route {
    let defaults = RouteSettings::default();
    // What the edge does by itself need not be said.
    let said = settings.sticky != defaults.sticky;
    edge::Route {
        hosts: settings.hosts.iter().map(ToString::to_string).collect(),
        path: settings.path.to_string(),
        client_keys: settings.sticky.iter().filter(|_| said).map(client_key).collect(),
        timeouts: timeouts(&settings.timeouts),
        limits: limits(&settings.limits),
        retries: edge::Retries {
            attempts: settings.retries.attempts,
            budget_percent: settings.retries.budget_percent,
            ..edge::Retries::default()
        },
        ejection: ejection(&settings.eject),
        slow_start_ms: millis(settings.slow_start),
        tunnel_drain_ms: millis(settings.drain),
        ..route
    }
}

/// The settings of a route; `None` if it was not made of any.
pub(super) fn read(route: &edge::Route) -> Option<RouteSettings> {
    let keys = route.client_keys.iter().map(read_client_key).collect::<Option<Vec<_>>>()?;
    Some(RouteSettings {
        hosts: route.hosts.iter().map(|host| host.parse().ok()).collect::<Option<_>>()?,
        path: route.path.parse().ok()?,
        timeouts: read_timeouts(&route.timeouts),
        limits: read_limits(&route.limits),
        retries: Retries { attempts: route.retries.attempts, budget_percent: route.retries.budget_percent },
        eject: read_ejection(&route.ejection),
        slow_start: Duration::from_millis(route.slow_start_ms),
        drain: Duration::from_millis(route.tunnel_drain_ms),
        sticky: if keys.is_empty() { RouteSettings::default().sticky } else { keys },
    })
}

fn client_key(key: &ClientKey) -> edge::ClientKey {
    match key {
        ClientKey::Cookie => edge::ClientKey::Cookie,
        ClientKey::Header(name) => edge::ClientKey::Header(name.to_string()),
        ClientKey::Address => edge::ClientKey::Address,
    }
}

fn read_client_key(key: &edge::ClientKey) -> Option<ClientKey> {
    Some(match key {
        edge::ClientKey::Cookie => ClientKey::Cookie,
        edge::ClientKey::Header(name) => ClientKey::Header(name.parse().ok()?),
        edge::ClientKey::Address => ClientKey::Address,
    })
}

fn timeouts(timeouts: &Timeouts) -> edge::Timeouts {
    edge::Timeouts {
        connect_ms: millis(timeouts.connect),
        first_byte_ms: millis(timeouts.first_byte),
        idle_ms: millis(timeouts.idle),
        total_ms: timeouts.total.map(millis),
    }
}

fn read_timeouts(timeouts: &edge::Timeouts) -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(timeouts.connect_ms),
        first_byte: Duration::from_millis(timeouts.first_byte_ms),
        idle: Duration::from_millis(timeouts.idle_ms),
        total: timeouts.total_ms.map(Duration::from_millis),
    }
}

fn limits(limits: &Limits) -> edge::RouteLimits {
    edge::RouteLimits {
        max_body_bytes: limits.body,
        max_in_flight: limits.in_flight,
        queue: limits.queue,
        queue_ms: millis(limits.queue_for),
    }
}

fn read_limits(limits: &edge::RouteLimits) -> Limits {
    Limits {
        body: limits.max_body_bytes,
        in_flight: limits.max_in_flight,
        queue: limits.queue,
        queue_for: Duration::from_millis(limits.queue_ms),
    }
}

fn ejection(eject: &Ejection) -> edge::Ejection {
    edge::Ejection {
        consecutive_failures: eject.after.unwrap_or(0),
        pause_ms: millis(eject.pause),
        floor_percent: eject.keep_percent,
    }
}

fn read_ejection(ejection: &edge::Ejection) -> Ejection {
    Ejection {
        after: Some(ejection.consecutive_failures).filter(|failures| *failures > 0),
        pause: Duration::from_millis(ejection.pause_ms),
        keep_percent: ejection.floor_percent,
    }
}

/// Milliseconds, as the edge counts.
pub(super) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
