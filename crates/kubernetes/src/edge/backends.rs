//! Which instances of a version take traffic, as Kubernetes says of its Service.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{EndpointSubset, Endpoints, ObjectReference};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use pilotage_proxy::{Address, Endpoint, Protocol};

/// The label by which a slice names its Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";
/// The port of a Service that is meant when it has several.
const PORT_NAME: &str = "http";
/// What a port's `appProtocol` says of HTTP/2 without TLS
/// (<https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol>).
const H2C: &str = "kubernetes.io/h2c";
/// Names of ports that say the same, where that field is not used.
const HTTP2_NAMES: [&str; 3] = ["grpc", "h2c", "http2"];

/// The ready instances behind one Service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Backends {
    /// Each once, in order.
    pub(super) endpoints: BTreeSet<Endpoint>,
    pub(super) protocol: Protocol,
}

/// What is known of a port, in either kind of object.
struct Port<'a> {
    name: Option<&'a str>,
    number: u16,
    app_protocol: Option<&'a str>,
}

impl Backends {
    fn add(&mut self, port: &Port<'_>, address: &str, target: Option<&ObjectReference>) {
        let Ok(ip) = address.parse::<IpAddr>() else { return };
        let name = target.and_then(|target| target.name.clone());
        self.endpoints.insert(Endpoint {
            instance: name.unwrap_or_else(|| address.to_owned()),
            address: Address::Tcp(SocketAddr::new(ip, port.number)),
        });
        if port.app_protocol == Some(H2C) || port.name.is_some_and(|name| HTTP2_NAMES.contains(&name)) {
            self.protocol = Protocol::Http2;
        }
    }
}

/// The port called `http`, else the first.
fn chosen<'a>(ports: impl Iterator<Item = Port<'a>>) -> Option<Port<'a>> {
    let mut first = None;
    for port in ports {
        if port.name == Some(PORT_NAME) {
            return Some(port);
        }
        first.get_or_insert(port);
    }
    first
}

/// By the name of the Service, from `Endpoints`, which are called as it is.
pub(super) fn of_endpoints(objects: &BTreeMap<String, Arc<Endpoints>>) -> BTreeMap<String, Backends> {
    let of = |object: &Endpoints| {
        let mut backends = Backends::default();
        object.subsets.iter().flatten().for_each(|subset| add_subset(&mut backends, subset));
        backends
    };
    objects.iter().map(|(name, object)| (name.clone(), of(object))).collect()
}

fn add_subset(backends: &mut Backends, subset: &EndpointSubset) {
    let ports = subset.ports.iter().flatten().filter_map(|port| {
        let number = u16::try_from(port.port).ok()?;
        Some(Port { name: port.name.as_deref(), number, app_protocol: port.app_protocol.as_deref() })
    });
    let Some(port) = chosen(ports) else { return };
    for address in subset.addresses.iter().flatten() {
        backends.add(&port, &address.ip, address.target_ref.as_ref());
    }
}

/// By the name of the Service, from `EndpointSlices`, of which one Service may have several.
pub(super) fn of_slices(objects: &BTreeMap<String, Arc<EndpointSlice>>) -> BTreeMap<String, Backends> {
    let mut all: BTreeMap<String, Backends> = BTreeMap::new();
    for slice in objects.values() {
        let labels = slice.metadata.labels.as_ref();
        if let Some(service) = labels.and_then(|labels| labels.get(SERVICE_LABEL)) {
            add_slice(all.entry(service.clone()).or_default(), slice);
        }
    }
    all
}

fn add_slice(backends: &mut Backends, slice: &EndpointSlice) {
    let ports = slice.ports.iter().flatten().filter_map(|port| {
        let number = u16::try_from(port.port?).ok()?;
        Some(Port { name: port.name.as_deref(), number, app_protocol: port.app_protocol.as_deref() })
    });
    let Some(port) = chosen(ports) else { return };
    // A condition that is not known counts as ready, says the format.
    let ready = |endpoint: &&k8s_openapi::api::discovery::v1::Endpoint| {
        endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
    };
    for endpoint in slice.endpoints.iter().filter(ready) {
        // All addresses of one entry are the same instance; clients take the first.
        if let Some(address) = endpoint.addresses.first() {
            backends.add(&port, address, endpoint.target_ref.as_ref());
        }
    }
}
