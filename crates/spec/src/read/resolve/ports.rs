//! A port of an address can be served once.

use std::net::IpAddr;

use super::environments::Environments;
use crate::read::fault::Faults;
use crate::read::file::ServiceDraft;
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{EnvironmentName, ServiceName};

/// A service of an environment, where it is served.
struct Served<'a> {
    environment: &'a EnvironmentName,
    service: &'a ServiceName,
    address: IpAddr,
    port: u64,
    span: &'a Span,
}

/// No two services may be served at the same place.
pub(super) fn check(
    services: &Named<ServiceName, ServiceDraft>,
    environments: &Environments,
    faults: &mut Faults,
) {
    let mut served: Vec<Served<'_>> = environments
        .iter()
        .flat_map(|(environment, _)| services.iter().map(move |(service, _)| (environment, service)))
        .filter_map(|(environment, service)| {
            place(&environment.value, &service.value, services, environments)
        })
        .collect();
    // Sorted by port, only neighbours can collide, and the file's order stays within a port.
    served.sort_by_key(|place| place.port);
    for (index, place) in served.iter().enumerate() {
        if faults.is_full() {
            return;
        }
        let same_port = served[..index].iter().rev().take_while(|other| other.port == place.port);
        if let Some(other) = same_port.filter(|other| overlap(other.address, place.address)).last() {
            report(place, other, faults);
        }
    }
}

fn place<'a>(
    environment: &'a EnvironmentName,
    service: &'a ServiceName,
    services: &'a Named<ServiceName, ServiceDraft>,
    environments: &'a Environments,
) -> Option<Served<'a>> {
    let draft = of(environments, environment)?;
    let overridden = of(&draft.services, service).and_then(|changed| changed.port.as_ref());
    let own = of(services, service).and_then(|draft| draft.port.as_ref());
    let Spanned { value: port, span } = overridden.or(own)?;
    Some(Served { environment, service, address: draft.listen?, port: *port, span })
}

fn of<'a, K: PartialEq, V>(named: &'a Named<K, V>, wanted: &K) -> Option<&'a V> {
    named.iter().find(|(name, _)| name.value == *wanted).and_then(|(_, value)| value.as_ref())
}

/// Whether listening on both at one port fails: the same address, or one that stands for all of its family. The
/// unspecified IPv6 address takes IPv4 as well.
fn overlap(a: IpAddr, b: IpAddr) -> bool {
    let covers = |wide: IpAddr, other: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || other.is_ipv4());
    a == b || covers(a, b) || covers(b, a)
}

fn report(place: &Served<'_>, other: &Served<'_>, faults: &mut Faults) {
    let fault = faults.error(
        place.span,
        format!(
            "port {} would be served twice: by `{}` in `{}` and by `{}` in `{}`",
            place.port, other.service, other.environment, place.service, place.environment
        ),
    );
    if place.span != other.span {
        fault.related(other.span, "the other one");
    }
    fault.help(format!(
        "give one of them another port, under `environments.{}.services.{}.port`, or another `listen` address",
        place.environment, place.service
    ));
}
