//! A port of an address can be listened at once.

use std::fmt;
use std::net::IpAddr;

use super::environments::Environments;
use super::routes;
use crate::read::fault::Faults;
use crate::read::file::{EnvironmentDraft, ServiceDraft};
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{EdgeSettings, EnvironmentName, ServiceName};

/// An address that is listened at.
struct Place<'a> {
    who: Who<'a>,
    environment: &'a EnvironmentName,
    address: IpAddr,
    port: u16,
    span: Span,
}

/// For whom.
enum Who<'a> {
    /// One service alone.
    Service(&'a ServiceName),
    /// The services that share an address.
    Edge(EdgeSettings),
    /// Those who come without encryption, to be sent to this port.
    Redirect(u16),
}

/// No two may listen at the same place, unless they do it in the same way.
pub(super) fn check(
    services: &Named<ServiceName, ServiceDraft>,
    environments: &Environments,
    faults: &mut Faults,
) {
    let drafts = environments.iter().filter_map(|(name, draft)| Some((name, draft.as_ref()?)));
    let mut places: Vec<Place<'_>> =
        drafts.flat_map(|(environment, draft)| places(environment, draft, services)).collect();
    // Sorted by port, only neighbours can collide, and the file's order stays within a port.
    places.sort_by_key(|place| place.port);
    for (index, place) in places.iter().enumerate() {
        if faults.is_full() {
            return;
        }
        let same_port = places[..index].iter().rev().take_while(|other| other.port == place.port);
        let collides =
            |other: &&Place<'_>| overlap(other.address, place.address) && !goes_together(other, place);
        if let Some(other) = same_port.filter(collides).last() {
            report(place, other, faults);
        }
    }
}

fn places<'a>(
    environment: &'a Spanned<EnvironmentName>,
    draft: &'a EnvironmentDraft,
    services: &'a Named<ServiceName, ServiceDraft>,
) -> Vec<Place<'a>> {
    let own = routes::routed(environment, draft, services).filter(|routed| !routed.at_edge());
    let mut places: Vec<Place<'_>> =
        own.filter_map(|routed| own_place(&environment.value, routed.service, draft, services)).collect();
    if let Some(Spanned { value: edge, span }) = routes::edge(draft) {
        let place = |who, at: std::net::SocketAddr, span| Place {
            who,
            environment: &environment.value,
            address: at.ip(),
            port: at.port(),
            span,
        };
        let redirect = draft.edge.as_ref().and_then(|edge| edge.value.redirect.as_ref());
        let redirect = redirect.map(|at| place(Who::Redirect(edge.listen.port()), at.value, at.span.clone()));
        places.extend(redirect);
        places.push(place(Who::Edge(edge.clone()), edge.listen, span));
    }
    places
}

fn own_place<'a>(
    environment: &'a EnvironmentName,
    service: &'a ServiceName,
    draft: &EnvironmentDraft,
    services: &Named<ServiceName, ServiceDraft>,
) -> Option<Place<'a>> {
    let overridden = of(&draft.services, service).and_then(|changed| changed.port.as_ref());
    let own = of(services, service).and_then(|draft| draft.port.as_ref());
    let Spanned { value: port, span } = overridden.or(own)?;
    let (address, port) = (draft.listen?, u16::try_from(*port).ok()?);
    Some(Place { who: Who::Service(service), environment, address, port, span: span.clone() })
}

fn of<'a, K: PartialEq, V>(named: &'a Named<K, V>, wanted: &K) -> Option<&'a V> {
    named.iter().find(|(name, _)| name.value == *wanted).and_then(|(_, value)| value.as_ref())
}

/// Whether listening on both at one port fails: the same address, or one that stands for all of its family. The
/// unspecified IPv6 address takes IPv4 as well.
pub(super) fn overlap(a: IpAddr, b: IpAddr) -> bool {
    let covers = |wide: IpAddr, other: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || other.is_ipv4());
    a == b || covers(a, b) || covers(b, a)
}

/// Whether environments may share the place: hosts and paths tell their services apart, but a connection is either
/// encrypted or not before it is known for whom it is.
fn goes_together(one: &Place<'_>, other: &Place<'_>) -> bool {
    let same_way = match (&one.who, &other.who) {
        (Who::Edge(one), Who::Edge(other)) => {
            one.scheme() == other.scheme() && one.trusted_proxies == other.trusted_proxies
        }
        (Who::Redirect(one), Who::Redirect(other)) => one == other,
        _ => false,
    };
    same_way && one.address == other.address
}

fn report(place: &Place<'_>, other: &Place<'_>, faults: &mut Faults) {
    let message = format!("port {} would be served twice: by {other} and by {place}", place.port);
    let fault = faults.error(&place.span, message);
    if place.span != other.span {
        fault.related(&other.span, "the other one");
    }
    let environment = place.environment;
    let mend = match (&place.who, &other.who) {
        (Who::Service(service), _) => format!(
            "give one of them another port, under `environments.{environment}.services.{service}.port`, or another `listen` \
             address"
        ),
        (Who::Edge(_), Who::Edge(_)) => {
            "environments can share an address only if both have certificates or neither has, and both trust the same proxies; \
             or give one of them another `listen`"
                .to_owned()
        }
        (Who::Edge(_), _) => format!("give one of them another port, under `environments.{environment}.edge.listen`"),
        (Who::Redirect(_), _) => {
            format!("give one of them another port, under `environments.{environment}.edge.redirect`")
        }
    };
    fault.help(mend);
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = self.environment;
        match &self.who {
            Who::Service(service) => write!(f, "`{service}` in `{environment}`"),
            Who::Edge(_) => write!(f, "the edge of `{environment}`"),
            Who::Redirect(_) => write!(f, "the redirect of `{environment}`"),
        }
    }
}
