//! `pilotage edge kubernetes`: this process is the edge of a pod, and feeds itself.

use std::net::IpAddr;

use pilotage_kubernetes::{FeederConfig, InCluster, in_cluster_client, run_edge_feeder};
use pilotage_proxy::EdgeConfig;
use pilotage_secrets::Known;

use crate::arguments::EdgeKubernetes;
use crate::commands::internal::write_log;
use crate::failure::{DONE, FAILED, Failure};

/// The name of the socket and of the folder of the last table, both in the state folder.
const SOCKET: &str = "edge.sock";
const TABLE_FOLDER: &str = "edge";

/// Carries traffic until the pod is told to end.
pub fn run(asked: EdgeKubernetes) -> Result<u8, Failure> {
    write_log(&Known::default());
    let socket = asked.state_folder.join(SOCKET);
    let feeder = FeederConfig {
        namespace: asked.namespace.clone().unwrap_or_default(),
        project: asked.project.clone(),
        environment: asked.environment.clone(),
        edge_socket: socket.clone(),
        status: asked.status,
        any: any_address(asked.status.ip()),
    };
    let mut config = EdgeConfig::new(socket, asked.state_folder.join(TABLE_FOLDER));
    config.admin = asked.admin;
    config.grace = asked.grace;
    std::thread::Builder::new().name("feeder".to_owned()).spawn(move || feed(feeder))?;
    pilotage_proxy::run(config).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(DONE)
}

/// Users are served on the same kind of addresses as the kubelet.
fn any_address(status: IpAddr) -> IpAddr {
    match status {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Feeds the edge until the process ends. A pod whose edge is fed no more would serve what was true once: it ends, and is
/// started again.
fn feed(config: FeederConfig) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => end(&error.to_string()),
    };
    let fed = runtime.block_on(async {
        let InCluster { client, namespace } = in_cluster_client()?;
        let namespace = Some(config.namespace.clone()).filter(|named| !named.is_empty()).unwrap_or(namespace);
        run_edge_feeder(FeederConfig { namespace, ..config }, client).await
    });
    match fed {
        Ok(()) => end("nothing feeds the edge any more"),
        Err(error) => end(&error.to_string()),
    }
}

fn end(reason: &str) -> ! {
    eprintln!("error: the edge cannot be fed: {reason}");
    // The edge runs on the main thread, which knows no other way to be ended by this one.
    std::process::exit(i32::from(FAILED))
}
