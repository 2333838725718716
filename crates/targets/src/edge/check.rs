//! Refuses what the edge would refuse, and in words for those who wrote the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;

use pilotage_proxy::FULL_WEIGHT;
use pilotage_spec::{EdgeSettings, RouteSettings, Workload};

use super::listen::check_free;
use crate::{TargetError, Traffic};

/// Says why a workload cannot have this traffic beside what is `served`, if it cannot.
pub(super) fn check(
    workload: &Workload,
    traffic: &Traffic,
    served: &BTreeMap<Workload, Traffic>,
) -> Result<(), TargetError> {
    shares(workload, traffic)?;
    requests(workload, traffic, served)?;
    addresses(workload, traffic, served)?;
    let edge = traffic.edge.as_ref();
    edge.map_or(Ok(()), |edge| certificates(workload, edge, served))
}

fn shares(workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
    let sum: u64 = traffic.shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if traffic.shares.is_empty() || sum == u64::from(FULL_WEIGHT) {
        return Ok(());
    }
    Err(TargetError::Failed {
        doing: format!("route {workload}"),
        reason: format!("the shares add up to {sum}, not to {FULL_WEIGHT}"),
    })
}

/// A request has one workload that it is for.
pub(super) fn requests(
    workload: &Workload,
    traffic: &Traffic,
    served: &BTreeMap<Workload, Traffic>,
) -> Result<(), TargetError> {
    let Traffic { listen, route, .. } = traffic;
    for (holder, theirs) in served {
        if holder == workload || theirs.listen != *listen {
            continue;
        }
        let Some(host) = contested(route, &theirs.route) else { continue };
        let tells_apart = !(is_for_all(route) && is_for_all(&theirs.route));
        let Workload { environment, service } = workload;
        return Err(TargetError::Taken {
            workload: workload.to_string(),
            holder: holder.to_string(),
            host: host.to_owned(),
            path: route.path.to_string(),
            listen: *listen,
            mend: match tells_apart {
                true => format!(
                    "give one of them another `path` or `host`, in `services.{service}.route` or \
                     `environments.{environment}.services.{service}.route`"
                ),
                false => "give one of them another `port`".to_owned(),
            },
        });
    }
    Ok(())
}

fn is_for_all(route: &RouteSettings) -> bool {
    route.hosts.is_empty() && route.path.is_root()
}

/// The host for which two routes at an address would take the same requests.
fn contested<'a>(one: &'a RouteSettings, other: &RouteSettings) -> Option<&'a str> {
    if one.path != other.path {
        return None;
    }
    match (one.hosts.is_empty(), other.hosts.is_empty()) {
        (true, true) => Some("any host"),
        _ => one.hosts.iter().find(|host| other.hosts.contains(host)).map(|host| host.as_str()),
    }
}

/// Somebody else may listen where the edge does not listen yet. A port that is still to be chosen will be a free one.
fn addresses(
    workload: &Workload,
    traffic: &Traffic,
    served: &BTreeMap<Workload, Traffic>,
) -> Result<(), TargetError> {
    let used: BTreeSet<SocketAddr> = served
        .values()
        .flat_map(|traffic| std::iter::once(traffic.listen).chain(redirect(traffic)))
        .collect();
    let is_new = |address: &SocketAddr| address.port() != 0 && !used.contains(address);
    let Workload { environment, service } = workload;
    let listen = match traffic.edge {
        Some(_) => format!("`environments.{environment}.edge.listen`"),
        // An address that is shared and plain looks like a service's own.
        None => format!(
            "`services.{service}.port`, or in `environments.{environment}.edge.listen` if it shares an address"
        ),
    };
    if is_new(&traffic.listen) {
        check_free(traffic.listen, &listen)?;
    }
    if let Some(preview) = &traffic.preview {
        preview_address(workload, preview.listen, traffic, served)?;
    }
    match redirect(traffic).filter(is_new) {
        Some(redirect) => check_free(redirect, &format!("`environments.{environment}.edge.redirect`")),
        None => Ok(()),
    }
}

/// A preview has its address for itself: neither users nor another preview have it, and no other program.
fn preview_address(
    workload: &Workload,
    listen: SocketAddr,
    traffic: &Traffic,
    served: &BTreeMap<Workload, Traffic>,
) -> Result<(), TargetError> {
    let own = served.get(workload).and_then(|served| served.preview.as_ref());
    if own.is_some_and(|own| own.listen == listen) {
        return Ok(());
    }
    let key = "`preview` of the strategy";
    let others = served.iter().filter(|(other, _)| *other != workload).map(|(_, traffic)| traffic);
    let previews = others.filter_map(|traffic| Some(traffic.preview.as_ref()?.listen));
    let users =
        served.values().chain([traffic]).flat_map(|it| std::iter::once(it.listen).chain(redirect(it)));
    if previews.chain(users).any(|taken| taken == listen) {
        return Err(TargetError::PortServed { address: listen, key: key.to_owned() });
    }
    check_free(listen, key)
}

fn redirect(traffic: &Traffic) -> Option<SocketAddr> {
    traffic.edge.as_ref().and_then(|edge| edge.redirect)
}

/// The files of certificates that the edge does not use yet must be there. Those in use may go and come back: the edge keeps
/// what it has read of them.
fn certificates(
    workload: &Workload,
    edge: &EdgeSettings,
    served: &BTreeMap<Workload, Traffic>,
) -> Result<(), TargetError> {
    let in_use = |files| {
        let mut edges = served.values().filter_map(|traffic| traffic.edge.as_ref());
        edges.any(|other| other.listen == edge.listen && other.certificates.contains(files))
    };
    for (index, files) in edge.certificates.iter().enumerate().filter(|(_, files)| !in_use(*files)) {
        for (name, path) in [("chain", &files.chain), ("key", &files.key)] {
            let key = format!("`environments.{}.edge.certificates[{index}].{name}`", workload.environment);
            readable(path).map_err(|error| TargetError::CertificateFile {
                path: path.clone(),
                key,
                reason: error.to_string(),
            })?;
        }
    }
    Ok(())
}

/// What is in it is the edge's matter. A pipe is not opened: that would wait for its writer.
fn readable(path: &str) -> io::Result<()> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::open(path).map(drop)
}
