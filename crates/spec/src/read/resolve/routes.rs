//! Routes: which services share the address of an environment, and for which requests.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::environments::Environments;
use super::ports::overlap;
use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::file::{EnvironmentDraft, Hosts, RouteDraft, ServiceDraft};
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{EdgeSettings, EnvironmentName, Exposure, PathPrefix, RouteSettings, ServiceName};

/// Services as they are written.
type Services = Named<ServiceName, ServiceDraft>;

const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// A service in an environment: what is written about its route in both places.
#[derive(Clone, Copy)]
pub(super) struct Routed<'a> {
    pub environment: &'a Spanned<EnvironmentName>,
    pub service: &'a ServiceName,
    own: &'a RouteDraft,
    here: Option<&'a RouteDraft>,
    environment_draft: &'a EnvironmentDraft,
}

impl<'a> Routed<'a> {
    /// Whether it shares the environment's address: whoever is to be told apart from others has a path or a host.
    pub fn at_edge(&self) -> bool {
        edge_span(self.environment_draft).is_some() && (self.path().is_some() || self.own_hosts().is_some())
    }

    fn path(&self) -> Option<&'a Spanned<PathPrefix>> {
        self.here.and_then(|here| here.path.as_ref()).or(self.own.path.as_ref())
    }

    fn own_hosts(&self) -> Option<&'a Hosts> {
        self.here.and_then(|here| here.hosts.as_ref()).or(self.own.hosts.as_ref())
    }

    fn hosts(&self) -> &'a [Spanned<crate::Host>] {
        let common = self.environment_draft.hosts.as_ref().filter(|_| self.at_edge());
        self.own_hosts().or(common).map_or(&[], Vec::as_slice)
    }

    /// Where it is written for which requests it is.
    fn span(&self) -> Option<&'a Span> {
        let host = || self.own_hosts().and_then(|hosts| hosts.first()).map(|host| &host.span);
        self.path().map(|path| &path.span).or_else(host)
    }

    fn exposure(&self) -> Exposure {
        let mut settings = RouteSettings::default();
        self.own.apply(&mut settings);
        if let Some(here) = self.here {
            here.apply(&mut settings);
        }
        settings.hosts = self.hosts().iter().map(|host| host.value.clone()).collect();
        settings.hosts.sort();
        settings.hosts.dedup();
        settings.path = self.path().map(|path| path.value.clone()).unwrap_or_default();
        Exposure { at_edge: self.at_edge(), settings }
    }
}

/// Every service of an environment, unless a fault of its own stands in the way.
pub(super) fn routed<'a>(
    environment: &'a Spanned<EnvironmentName>,
    draft: &'a EnvironmentDraft,
    services: &'a Services,
) -> impl Iterator<Item = Routed<'a>> {
    services.iter().filter_map(move |(service, own)| {
        let here = draft.services.iter().find(|(name, _)| name.value == service.value);
        Some(Routed {
            environment,
            service: &service.value,
            own: &own.as_ref()?.route,
            here: here.and_then(|(_, changed)| changed.as_ref()).map(|changed| &changed.route),
            environment_draft: draft,
        })
    })
}

/// Where it is written that services of the environment share an address.
fn edge_span(draft: &EnvironmentDraft) -> Option<&Span> {
    let host = || draft.hosts.as_ref().and_then(|hosts| hosts.first()).map(|host| &host.span);
    draft.edge.as_ref().map(|edge| &edge.span).or_else(host)
}

/// The address that services share, with where it is written.
pub(super) fn edge(draft: &EnvironmentDraft) -> Option<Spanned<EdgeSettings>> {
    let span = edge_span(draft)?;
    let written = draft.edge.as_ref().map(|edge| &edge.value);
    let certificates = written.map(|edge| edge.certificates.clone()).unwrap_or_default();
    let listen = written.and_then(|edge| edge.listen.as_ref());
    let port = if certificates.is_empty() { HTTP } else { HTTPS };
    let address = draft.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let value = EdgeSettings {
        listen: listen.map_or(SocketAddr::new(address, port), |listen| listen.value),
        certificates,
        redirect: written.and_then(|edge| edge.redirect.as_ref()).map(|redirect| redirect.value),
        trusted_proxies: written.map(|edge| edge.trusted_proxies.clone()).unwrap_or_default(),
    };
    Some(Spanned { value, span: listen.map_or(span, |listen| &listen.span).clone() })
}

/// How the services of an environment are reached, where that is not all defaults.
pub(super) fn exposures(
    environment: &Spanned<EnvironmentName>,
    draft: &EnvironmentDraft,
    services: &Services,
) -> BTreeMap<ServiceName, Exposure> {
    let exposures =
        routed(environment, draft, services).map(|routed| (routed.service.clone(), routed.exposure()));
    exposures.filter(|(_, exposure)| *exposure != Exposure::default()).collect()
}

/// What makes no sense in one environment, and requests that two services would be served.
pub(super) fn check(services: &Services, environments: &Environments, faults: &mut Faults) {
    let mut taken: BTreeMap<(SocketAddr, String, &str), Routed<'_>> = BTreeMap::new();
    for (name, draft) in environments.iter().filter_map(|(name, draft)| Some((name, draft.as_ref()?))) {
        let Some(edge) = edge(draft) else { continue };
        check_redirect(draft, &edge.value, faults);
        let sharing: Vec<_> = routed(name, draft, services).filter(Routed::at_edge).collect();
        if sharing.is_empty() && !services.iter().any(|(_, service)| service.is_none()) {
            report_unused(name, &edge, faults);
        }
        for routed in sharing {
            for key in requests(&routed, edge.value.listen) {
                if faults.is_full() {
                    return;
                }
                match taken.get(&key) {
                    Some(other) => report_conflict(&routed, other, &key, faults),
                    None => drop(taken.insert(key, routed)),
                }
            }
        }
    }
}

/// The requests that a service is served at an address, by host and path.
fn requests<'a>(routed: &Routed<'a>, listen: SocketAddr) -> Vec<(SocketAddr, String, &'a str)> {
    let path = routed.path().map_or("/", |path| path.value.as_str());
    let hosts = routed.hosts();
    match hosts.is_empty() {
        true => vec![(listen, "*".to_owned(), path)],
        false => hosts.iter().map(|host| (listen, host.value.to_string(), path)).collect(),
    }
}

fn check_redirect(draft: &EnvironmentDraft, edge: &EdgeSettings, faults: &mut Faults) {
    let Some(redirect) = draft.edge.as_ref().and_then(|edge| edge.value.redirect.as_ref()) else { return };
    if edge.certificates.is_empty() {
        faults
            .error(&redirect.span, "a redirect to `https` leads nowhere without a certificate")
            .help("add `certificates: [{ chain: …, key: … }]`, or remove `redirect`");
    } else if redirect.value.port() == edge.listen.port() && !overlap(redirect.value.ip(), edge.listen.ip()) {
        // Where they overlap, the port would be served twice, which is told there.
        faults
            .error(&redirect.span, format!("a redirect to `https` on its own port, {}", edge.listen.port()))
            .help("redirect from another port: those who write `http://` alone come to port 80");
    }
}

fn report_unused(environment: &Spanned<EnvironmentName>, edge: &Spanned<EdgeSettings>, faults: &mut Faults) {
    let listen = edge.value.listen;
    faults
        .error(
            &edge.span,
            format!("no service of {} is served at {listen}", quoted(environment.value.as_str())),
        )
        .help("a service shares this address if it has a path or a host: give one `route: { path: / }`");
}

fn report_conflict(
    routed: &Routed<'_>,
    other: &Routed<'_>,
    (listen, host, path): &(SocketAddr, String, &str),
    faults: &mut Faults,
) {
    let (Some(span), Some(other_span)) = (routed.span(), other.span()) else { return };
    let host = if host == "*" { "any host" } else { host };
    let fault = faults.error(
        span,
        format!(
            "requests for {host} and {path} at {listen} would go to two services: `{}` in `{}` and `{}` in `{}`",
            other.service, other.environment.value, routed.service, routed.environment.value
        ),
    );
    if span != other_span {
        fault.related(other_span, "the other one");
    }
    fault.help(format!(
        "give one of them another `path` or `host`, under `services.{}.route` or `environments.{}.services.{}.route`",
        routed.service, routed.environment.value, routed.service
    ));
}
