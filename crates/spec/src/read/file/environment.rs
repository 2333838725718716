//! An environment.

use std::net::IpAddr;

use super::edge::{EdgeDraft, edge};
use super::policy::{PolicyDraft, policy};
use super::route::{Hosts, RouteDraft, hosts, route};
use super::service::{EnvDraft, env, port, replicas};
use super::target::{TargetDraft, target};
use super::token::token;
use crate::read::node::Spanned;
use crate::read::shape::{Fields, Hidden, ListOf, MapOf, Named, Object, Placed, field};
use crate::read::values::{address, base_url, label};
use crate::{EnvironmentName, Prometheus, ServiceName, StrategyName};

/// An environment as it is written.
pub(crate) struct EnvironmentDraft {
    pub target: Option<Spanned<TargetDraft>>,
    pub listen: Option<IpAddr>,
    pub hosts: Option<Hosts>,
    pub edge: Option<Spanned<EdgeDraft>>,
    pub strategy: Option<Spanned<StrategyName>>,
    pub policy: PolicyDraft,
    pub aliases: Vec<Spanned<EnvironmentName>>,
    pub services: Named<ServiceName, OverrideDraft>,
    pub prometheus: Option<Prometheus>,
}

/// What an environment changes of a service, as it is written.
pub(crate) struct OverrideDraft {
    pub port: Option<Spanned<u64>>,
    pub replicas: Option<u64>,
    pub env: EnvDraft,
    pub route: RouteDraft,
}

/// The shape of an environment.
pub(crate) const fn environment() -> Object<EnvironmentDraft> {
    Object { expected: "an environment", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<EnvironmentDraft> {
    Some(EnvironmentDraft {
        target: fields.or(
            field(
                "target",
                "What runs the instances: `process` (processes on this machine), `docker`, or one of `docker`, `swarm`, `kubernetes` \
                 and `command` with its settings.",
            ),
            &Placed(target()),
            "process",
        ),
        listen: fields.or(
            field("listen", "The address at which services with a port of their own are served; `0.0.0.0` for all of this machine."),
            &address(),
            "127.0.0.1",
        ),
        hosts: fields
            .optional(
                field("route", "What is common to the routes of the services that share the address of `edge`."),
                &Object { expected: "`route` of an environment", fields: common_route },
            )
            .flatten(),
        edge: fields.optional(
            field("edge", "The address that the services with a `path` or `host` share, and how it is served."),
            &Placed(edge()),
        ),
        strategy: fields.optional(
            field(
                "strategy",
                "How a release replaces another, unless a deployment says otherwise: `rolling`, `blue-green`, `canary`, \
                 `recreate` or a name under `strategies`. Default: rolling for `dev`, canary for `production`, else blue-green.",
            ),
            &Placed(label("the name of a strategy")),
        ),
        policy: fields
            .optional(
                field("policy", "What a deployment to this environment needs."),
                &policy(),
            )
            .unwrap_or_default(),
        aliases: fields
            .optional(
                field("aliases", "Other names of this environment.").example("[\"prod\"]"),
                &ListOf {
                    item: Placed(label("the name of an environment")),
                    at_least: 0,
                    expected: "a list of names",
                    example: "[prod]",
                },
            )
            .unwrap_or_default(),
        services: fields
            .optional(
                field("services", "What differs here from the services' own settings, by service."),
                &MapOf {
                    key: label("the name of a service"),
                    value: Object { expected: "a service's override", fields: service_override },
                    expected: "a mapping of services by name",
 at_least: 0,
                },
            )
            .unwrap_or_default(),
        prometheus: fields.optional(
            field("prometheus", "The Prometheus server that is asked for alerts and metrics."),
            &Hidden(Object { expected: "`prometheus`", fields: prometheus }),
        ),
    })
}

fn common_route(fields: &mut Fields<'_>) -> Option<Option<Hosts>> {
    let about =
        "The host, or the list of hosts, of the services that share the address and name none themselves.";
    Some(fields.optional(field("host", about).example("shop.example.com"), &hosts()))
}

fn service_override(fields: &mut Fields<'_>) -> Option<OverrideDraft> {
    Some(OverrideDraft {
        port: fields.optional(field("port", "The port at which the service is served here."), &port()),
        replicas: fields.optional(field("replicas", "How many instances run here."), &replicas()),
        env: fields
            .optional(field("env", "Environment variables added or replaced here."), &env())
            .unwrap_or_default(),
        route: fields
            .optional(
                field(
                    "route",
                    "What differs here from the service's own `route`; all else stays as it says.",
                ),
                &route(),
            )
            .unwrap_or_default(),
    })
}

fn prometheus(fields: &mut Fields<'_>) -> Option<Prometheus> {
    let url = fields.required(
        field("url", "Its base URL; credentials do not belong in it.").example("http://127.0.0.1:9090"),
        &base_url(),
    );
    let token = fields.optional(field("token", "A bearer token, if it wants one."), &token());
    Some(Prometheus { url: url?, token })
}
