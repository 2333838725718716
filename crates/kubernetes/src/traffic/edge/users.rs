//! The Services at which users reach a workload: they lead to edge pods.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_spec::Workload;
use pilotage_targets::{TargetError, Traffic};

use crate::cluster::Cluster;
use crate::edge::Entry;
use crate::install::edge_labels;

/// The port of users where the file leaves it open.
const USUAL_PORT: u16 = 80;
/// What the Service of a preview is called after its workload.
const PREVIEW: &str = "preview";

/// The port at which users reach an address.
pub(super) fn port_of(listen: SocketAddr) -> u16 {
    if listen.port() == 0 { USUAL_PORT } else { listen.port() }
}

/// Leads users to edge pods, and says where they reach the workload.
pub(super) async fn lead(
    cluster: &Cluster,
    workload: &Workload,
    entry: &Entry,
) -> Result<SocketAddr, TargetError> {
    let api = cluster.api::<Service>();
    let names = cluster.names(workload);
    let wanted = service(cluster, workload, names.service().to_owned(), (entry.traffic.listen, entry.port));
    let live = match cluster.get(&api, names.service()).await? {
        Some(live) if leads_to(&live, &wanted) => live,
        _ => cluster.apply(&api, &wanted).await?,
    };
    preview(cluster, workload, entry).await?;
    Ok(address(&live, &entry.traffic))
}

/// The Service of a preview comes and goes with it.
async fn preview(cluster: &Cluster, workload: &Workload, entry: &Entry) -> Result<(), TargetError> {
    let api = cluster.api::<Service>();
    let name = cluster.names(workload).beside(PREVIEW);
    match entry.traffic.preview.as_ref().zip(entry.preview_port) {
        Some((preview, port)) => {
            let wanted = service(cluster, workload, name, (preview.listen, port));
            cluster.apply(&api, &wanted).await?;
        }
        None => delete_own(cluster, workload, &name).await?,
    }
    Ok(())
}

/// Where users reach the workload, if its Service is there and leads to its port of the edge's pods.
pub(super) async fn found(
    cluster: &Cluster,
    workload: &Workload,
    entry: &Entry,
) -> Result<Option<SocketAddr>, TargetError> {
    let names = cluster.names(workload);
    let wanted = service(cluster, workload, names.service().to_owned(), (entry.traffic.listen, entry.port));
    let live = cluster.get(&cluster.api::<Service>(), names.service()).await?;
    Ok(live.filter(|live| leads_to(live, &wanted)).map(|live| address(&live, &entry.traffic)))
}

/// Deletes the Services of a workload, if they are ours.
pub(super) async fn forget(cluster: &Cluster, workload: &Workload) -> Result<(), TargetError> {
    let names = cluster.names(workload);
    delete_own(cluster, workload, names.service()).await?;
    delete_own(cluster, workload, &names.beside(PREVIEW)).await
}

async fn delete_own(cluster: &Cluster, workload: &Workload, name: &str) -> Result<(), TargetError> {
    let api = cluster.api::<Service>();
    let Some(live) = cluster.get(&api, name).await? else { return Ok(()) };
    if !cluster.names(workload).own(live.metadata.labels.as_ref()) {
        return Ok(());
    }
    cluster.delete(&api, name, live.metadata.uid.as_deref()).await
}

fn service(
    cluster: &Cluster,
    workload: &Workload,
    name: String,
    (listen, port): (SocketAddr, u16),
) -> Service {
    let owner = cluster.owner();
    let selector = edge_labels(&owner.project, &owner.environment);
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut service = Service::default();
    service.metadata.name = Some(name);
    service.metadata.labels = Some(cluster.names(workload).labels());
    service.spec = Some(ServiceSpec {
        selector: Some(selector.into_iter().map(|(name, value)| (name, text(value))).collect()),
        ports: Some(vec![ServicePort {
            name: Some("http".to_owned()),
            port: port_of(listen).into(),
            protocol: Some("TCP".to_owned()),
            target_port: Some(IntOrString::Int(port.into())),
            ..ServicePort::default()
        }]),
        ..ServiceSpec::default()
    });
    service
}

/// Whether a Service leads where it should; what else it says is its owner's affair.
fn leads_to(live: &Service, wanted: &Service) -> bool {
    let (Some(live), Some(wanted)) = (&live.spec, &wanted.spec) else { return false };
    let ways = |spec: &ServiceSpec| {
        let ports = spec.ports.iter().flatten();
        ports.map(|port| (port.port, port.target_port.clone())).collect::<Vec<_>>()
    };
    live.selector == wanted.selector && ways(wanted).iter().all(|way| ways(live).contains(way))
}

/// The address within the cluster. A workload of a shared address is reached there, and a Service without an address of its own
/// where the file says.
fn address(live: &Service, traffic: &Traffic) -> SocketAddr {
    let ip = live.spec.as_ref().and_then(|spec| spec.cluster_ip.as_ref()?.parse::<IpAddr>().ok());
    match ip.filter(|_| traffic.edge.is_none()) {
        Some(ip) => SocketAddr::new(ip, port_of(traffic.listen)),
        None => SocketAddr::new(traffic.listen.ip(), port_of(traffic.listen)),
    }
}
