//! The edge that users meet: a process, and those that take its place.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pilotage_proxy::{EdgeClient, Replacement, Route, RoutingTable};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::{Child, Command};

use super::PATIENCE;

/// How often something is looked for that is to come.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub struct Edge {
    program: PathBuf,
    socket: PathBuf,
    client: EdgeClient,
    table: tokio::sync::Mutex<RoutingTable>,
    /// The one that was started first; those that took its place are not children of ours.
    first: Child,
    successors: Mutex<Vec<OwnedFd>>,
}

impl Edge {
    /// Starts one without routes. What it says goes to a file in the folder.
    pub async fn start(program: &Path, folder: &Path) -> Self {
        let socket = folder.join("edge.sock");
        let log = File::create(folder.join("edge.log")).expect("a log");
        let mut command = Command::new(program);
        command.arg("edge").arg("--socket").arg(&socket).arg("--state-folder").arg(folder.join("edge"));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log).kill_on_drop(true);
        let first = command.spawn().expect("the edge");
        Self {
            program: program.to_owned(),
            client: connect(&socket).await,
            socket,
            table: tokio::sync::Mutex::new(RoutingTable::empty()),
            first,
            successors: Mutex::default(),
        }
    }

    /// Puts a new edge in the place of the one that runs, by the command.
    pub async fn replace(&self) {
        let mut command = Command::new(&self.program);
        command.args(["--output", "json", "edge", "reload", "--socket"]).arg(&self.socket);
        let done = command.stdin(Stdio::null()).output().await.expect("the command");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let Replacement { from, to, .. } = serde_json::from_slice(&done.stdout).expect("what was replaced");
        assert_ne!(from.pid, to.pid);
        let pid = i32::try_from(to.pid).ok().and_then(Pid::from_raw).expect("a process");
        let process = pidfd_open(pid, PidfdFlags::empty()).expect("the new edge");
        self.successors.lock().expect("no panic").push(process);
        let serving = self.client.identify().await.expect("the new edge");
        assert_eq!(serving.pid, to.pid, "another edge serves than the one that took over");
    }

    /// Has the edge use a route in place of the one of its name. Returns when every worker does.
    pub async fn apply(&self, route: Route) {
        let mut table = self.table.lock().await;
        table.routes.retain(|other| other.name != route.name);
        table.routes.push(route);
        table.epoch += 1;
        self.client.apply(table.clone()).await.expect("the table is applied");
    }

    /// When a version was last sent a request, on whichever edge, in microseconds since the epoch.
    pub async fn last_request_micros(&self, route: &str, version: &str) -> i64 {
        let stats = self.client.stats().await.expect("the counters");
        stats.routes[route].versions[version].last_request_micros
    }

    /// Waits until a version has nothing in flight, on whichever edge.
    pub async fn drained(&self, route: &str, version: &str) {
        let begun = Instant::now();
        loop {
            let stats = self.client.stats().await.expect("the counters");
            let versions = stats.routes.get(route).map(|route| &route.versions);
            let in_flight = versions.and_then(|versions| versions.get(version)).map_or(0, |v| v.in_flight);
            if in_flight == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{route} {version} still has {in_flight} in flight");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Stops the edge that serves; the ones before it have ended when nobody used them any more.
    pub async fn stop(mut self) {
        self.client.shutdown(Duration::from_secs(5)).await.expect("the edge stops");
        let first = tokio::time::timeout(PATIENCE, self.first.wait()).await.expect("the first edge ends");
        assert!(first.expect("the first edge").success());
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Whatever went wrong, no edge stays behind; most have ended already.
        if let Ok(successors) = self.successors.lock() {
            for process in successors.iter() {
                let _ = pidfd_send_signal(process, Signal::KILL);
            }
        }
    }
}

async fn connect(socket: &Path) -> EdgeClient {
    let begun = Instant::now();
    loop {
        match EdgeClient::connect(socket).await {
            Ok(client) => return client,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "the edge did not start: {error}"),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
