//! The traffic of a workload, from what is recorded of it and of its environment.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use pilotage_engine::{Plan, Split, Step};
use pilotage_spec::{CertificateFiles, EdgeSettings, RouteSettings, Workload};
use pilotage_targets::Traffic;
use pilotage_views::{self as views, Served};

use crate::ConductorError;
use crate::conductor::Inner;

/// How long a request waits at the edge while no instance can take it.
const HOLD: Duration = Duration::from_secs(30);

/// A split at an address. How an address is served that several workloads share is recorded of their environment.
pub(crate) fn traffic(
    inner: &Inner,
    workload: &Workload,
    (listen, route): (SocketAddr, &RouteSettings),
    split: &Split,
) -> Result<Traffic, ConductorError> {
    let edge = views::edges(&inner.journal.reader(), &workload.environment)?.remove(&listen);
    Ok(assemble(inner, (listen, route), edge, split))
}

/// What a plan needs of addresses: those of the complete switch, and of previews on the way to it.
pub(crate) fn foreseen(inner: &Inner, plan: &Plan) -> Result<Vec<Traffic>, ConductorError> {
    let previews = plan.steps.iter().filter_map(|step| match step {
        Step::Route(split) => split.preview.is_some().then(|| split.clone()),
        _ => None,
    });
    let splits = previews.chain([Split::all(plan.candidate())]);
    splits.map(|split| planned(inner, plan, &split)).collect()
}

/// How the address is served may not be recorded yet.
fn planned(inner: &Inner, plan: &Plan, split: &Split) -> Result<Traffic, ConductorError> {
    match plan.request.edge.as_ref().filter(|edge| edge.listen == plan.reached(split).0) {
        Some(edge) => Ok(assemble(inner, plan.reached(split), Some(edge.clone()), split)),
        None => traffic(inner, &plan.request.workload, plan.reached(split), split),
    }
}

/// What would serve a workload by this route, at an address that is served like this.
pub(crate) fn served_by(
    inner: &Inner,
    served: &Served,
    route: &RouteSettings,
    edge: Option<&EdgeSettings>,
) -> Traffic {
    let edge = edge.filter(|edge| edge.listen == served.listen).cloned();
    assemble(inner, (served.listen, route), edge, &Split::all(&served.release.id.version))
}

fn assemble(
    inner: &Inner,
    (listen, route): (SocketAddr, &RouteSettings),
    edge: Option<EdgeSettings>,
    split: &Split,
) -> Traffic {
    let said = edge.filter(|edge| *edge != EdgeSettings::plain(listen));
    Traffic {
        shares: split.shares.clone(),
        cohorts: split.cohorts.clone(),
        mirror: split.mirror.clone(),
        preview: split.preview.clone(),
        hold_ms: HOLD.as_millis().try_into().unwrap_or(u64::MAX),
        route: route.clone(),
        edge: said.map(|edge| absolute(edge, &inner.folder)),
        ..Traffic::new(listen)
    }
}

/// What serves a workload gets all of its traffic.
pub(crate) fn wanted(inner: &Inner, workload: &Workload, served: &Served) -> Result<Traffic, ConductorError> {
    let all = Split::all(&served.release.id.version);
    traffic(inner, workload, (served.listen, &served.route), &all)
}

/// The same with the files named so that everybody finds them.
fn absolute(edge: EdgeSettings, folder: &Path) -> EdgeSettings {
    let file = |path: String| folder.join(path).to_string_lossy().into_owned();
    let files = |files: CertificateFiles| CertificateFiles { chain: file(files.chain), key: file(files.key) };
    EdgeSettings { certificates: edge.certificates.into_iter().map(files).collect(), ..edge }
}
