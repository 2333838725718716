//! The drill itself.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use pilotage_load::LoadReport;
use pilotage_proxy::Protocol;

use super::edge::Edge;
use super::service::Service;
use super::users::Users;

/// What must at least have happened before the end.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub requests: u64,
    /// Cut-overs and rollbacks together.
    pub changes: usize,
    pub replacements: usize,
}

/// What happened.
pub struct Drilled {
    pub reports: BTreeMap<&'static str, LoadReport>,
    pub cut_overs: usize,
    pub rollbacks: usize,
    pub replacements: usize,
    pub times: Times,
}

/// How long it took, each time, from handing over the table until the version that was left was sent its last request, in
/// milliseconds.
#[derive(Default)]
pub struct Times {
    pub switches: Vec<f64>,
    pub rollbacks: Vec<f64>,
}

/// Runs edges, services and users from this program until enough has happened.
pub async fn run(program: &str, size: &Size) -> Drilled {
    let program = Path::new(program);
    let folder = tempfile::Builder::new().prefix("pilotage-drill-").tempdir().expect("a folder");
    let edge = Edge::start(program, folder.path()).await;
    let place = (program, folder.path());
    let mut web = Service::start(&edge, place, "web", Protocol::Http1).await;
    let mut rpc = Service::start(&edge, place, "rpc", Protocol::Http2).await;
    let (web_users, rpc_users) = (Users::of_web(web.address), Users::of_rpc(rpc.address));
    let progress = Progress { size, users: [&web_users, &rpc_users], counts: Counts::default() };

    let (mut times, rpc_times, ()) =
        tokio::join!(change(&mut web, &progress), change(&mut rpc, &progress), replace(&edge, &progress));
    times.switches.extend(rpc_times.switches);
    times.rollbacks.extend(rpc_times.rollbacks);
    let Progress { counts, .. } = progress;
    let mut reports = web_users.stop().await;
    reports.extend(rpc_users.stop().await);
    web.stop().await;
    rpc.stop().await;
    edge.stop().await;
    Drilled {
        reports,
        cut_overs: counts.cut_overs.get(),
        rollbacks: counts.rollbacks.get(),
        replacements: counts.replacements.get(),
        times,
    }
}

/// How far the drill has come.
struct Progress<'a> {
    size: &'a Size,
    users: [&'a Users; 2],
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    cut_overs: Cell<usize>,
    rollbacks: Cell<usize>,
    replacements: Cell<usize>,
}

impl Progress<'_> {
    fn changes(&self) -> usize {
        self.counts.cut_overs.get() + self.counts.rollbacks.get()
    }

    fn requests(&self) -> u64 {
        self.users.iter().map(|users| users.requests()).sum()
    }

    fn is_over(&self) -> bool {
        self.changes() >= self.size.changes
            && self.counts.replacements.get() >= self.size.replacements
            && self.requests() >= self.size.requests
    }
}

fn count(of: &Cell<usize>) {
    of.set(of.get() + 1);
}

/// Takes every second new version back, and keeps the others.
async fn change(service: &mut Service<'_>, progress: &Progress<'_>) -> Times {
    let mut times = Times::default();
    let mut goes_back = true;
    while !progress.is_over() {
        let (next, moved) = service.cut_over().await;
        count(&progress.counts.cut_overs);
        tokio::time::sleep(SETTLE).await;
        times.switches.push(service.lasted_millis(&moved).await);
        if goes_back {
            let moved = service.roll_back(next).await;
            count(&progress.counts.rollbacks);
            times.rollbacks.push(service.lasted_millis(&moved).await);
        } else {
            service.keep(next).await;
        }
        goes_back = !goes_back;
        eprintln!("{} cut-overs and rollbacks, {} requests", progress.changes(), progress.requests());
    }
    times
}

/// How long a new version has everybody before it is taken back or stays.
const SETTLE: Duration = Duration::from_millis(200);

/// Puts a new edge in the place of the one that runs, spread evenly over the changes.
async fn replace(edge: &Edge, progress: &Progress<'_>) {
    let Progress { size, counts, .. } = progress;
    let due = |replacements: usize| (replacements + 1) * size.changes / (size.replacements + 1);
    while !progress.is_over() {
        let replacements = counts.replacements.get();
        if replacements < size.replacements && progress.changes() >= due(replacements) {
            edge.replace().await;
            count(&counts.replacements);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
