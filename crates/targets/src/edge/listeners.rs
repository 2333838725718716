//! How addresses are served: from what environments say of them to the edge's listeners, and back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use pilotage_proxy::{Certificate, Listener, RoutingTable};
use pilotage_spec::{CertificateFiles, EdgeSettings, Network, Workload};

use crate::Traffic;

/// One listener for each address that is not plain HTTP. Several environments may share one: hosts tell them apart, so all
/// of their certificates are needed.
pub(super) fn build(traffic: &BTreeMap<Workload, Traffic>) -> Vec<Listener> {
    let mut listeners: BTreeMap<SocketAddr, Listener> = BTreeMap::new();
    for edge in traffic.values().filter_map(|traffic| traffic.edge.as_ref()) {
        let listener = listeners.entry(edge.listen).or_insert_with(|| Listener::plain(edge.listen));
        add_new(&mut listener.certificates, edge.certificates.iter().map(certificate));
        add_new(&mut listener.trusted, edge.trusted_proxies.iter().filter_map(network));
        if let Some(redirect) = edge.redirect {
            let listener = listeners.entry(redirect).or_insert_with(|| Listener::plain(redirect));
            listener.redirect_to_https = Some(edge.listen.port());
        }
    }
    listeners.into_values().filter(|listener| *listener != Listener::plain(listener.address)).collect()
}

/// Whatever an environment says of an address last holds for all of its workloads there.
pub(super) fn adopt(workload: &Workload, traffic: &Traffic, all: &mut BTreeMap<Workload, Traffic>) {
    for (other, theirs) in all {
        if other.environment == workload.environment && theirs.listen == traffic.listen {
            theirs.edge.clone_from(&traffic.edge);
        }
    }
}

fn add_new<T: PartialEq>(to: &mut Vec<T>, items: impl Iterator<Item = T>) {
    for item in items {
        if !to.contains(&item) {
            to.push(item);
        }
    }
}

fn certificate(files: &CertificateFiles) -> Certificate {
    Certificate { chain: PathBuf::from(&files.chain), key: PathBuf::from(&files.key) }
}

/// Both sides read ranges by the same rules.
fn network(network: &Network) -> Option<pilotage_proxy::Network> {
    network.to_string().parse().ok()
}

/// What an environment must have said of an address; `None` if nothing.
pub(super) fn read(table: &RoutingTable, address: SocketAddr) -> Option<EdgeSettings> {
    let listener = table.listeners.iter().find(|listener| listener.address == address);
    let redirects = || table.listeners.iter().filter(|other| other.redirect_to_https == Some(address.port()));
    // Of several, the one at the same IP address is the likeliest.
    let redirect =
        redirects().find(|other| other.address.ip() == address.ip()).or_else(|| redirects().next());
    let listener = listener?;
    Some(EdgeSettings {
        listen: address,
        certificates: listener.certificates.iter().map(read_certificate).collect(),
        redirect: redirect.filter(|_| listener.is_encrypted()).map(|redirect| redirect.address),
        trusted_proxies: listener.trusted.iter().filter_map(read_network).collect(),
    })
}

fn read_certificate(certificate: &Certificate) -> CertificateFiles {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    CertificateFiles { chain: text(&certificate.chain), key: text(&certificate.key) }
}

fn read_network(network: &pilotage_proxy::Network) -> Option<Network> {
    String::from(*network).parse().ok()
}
