//! The Services of a workload: one for each version, by which routes name it, and for StatefulSets the one that names pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_spec::Protocol;

use super::blueprint::Blueprint;
use super::container::PORT_NAME;

/// The port of the Service of a version: what routes name.
pub(crate) const SERVICE_PORT: i32 = 80;

/// By which the pods of the version are selected.
pub(crate) fn version_selector(blueprint: &Blueprint<'_>) -> BTreeMap<String, String> {
    blueprint.names.version_selector_labels(&blueprint.release.id.version)
}

/// The Service of one version; `selector` says which pods are of it.
pub(crate) fn version_service(blueprint: &Blueprint<'_>, selector: BTreeMap<String, String>) -> Service {
    let name = blueprint.names.of_version(&blueprint.release.id.version);
    let spec = ServiceSpec {
        selector: Some(selector),
        ports: Some(vec![port(blueprint, SERVICE_PORT)]),
        ..ServiceSpec::default()
    };
    Service { metadata: blueprint.metadata(name), spec: Some(spec), ..Service::default() }
}

fn port(blueprint: &Blueprint<'_>, port: i32) -> ServicePort {
    // Meshes tell from the name, newer servers from the field, what is spoken.
    let name = if blueprint.instance().protocol == Protocol::Http2 { "grpc" } else { PORT_NAME };
    ServicePort {
        name: Some(name.to_owned()),
        port,
        target_port: Some(IntOrString::Int(blueprint.port())),
        protocol: Some("TCP".to_owned()),
        ..ServicePort::default()
    }
}

/// The Service without an address of its own that gives the pods of a StatefulSet their names.
pub(crate) fn pods_service(blueprint: &Blueprint<'_>) -> Service {
    let mut metadata = blueprint.metadata(blueprint.names.beside("pods"));
    metadata.labels = Some(blueprint.names.labels());
    metadata.annotations = None;
    let spec = ServiceSpec {
        cluster_ip: Some("None".to_owned()),
        selector: Some(blueprint.names.selector_labels()),
        ports: Some(vec![port(blueprint, blueprint.port())]),
        publish_not_ready_addresses: Some(true),
        ..ServiceSpec::default()
    };
    Service { metadata, spec: Some(spec), ..Service::default() }
}
