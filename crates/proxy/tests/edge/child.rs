//! Edges as processes of their own, each started by this test binary or by the edge before it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use pilotage_proxy::{AccessLogTarget, EdgeClient, EdgeClientError, Identity, Replacement, run};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::world::{config, connect, eventually};

/// Names the folder of an edge that runs as a process of its own.
const FOLDER: &str = "PILOTAGE_TEST_EDGE_FOLDER";
/// How many workers it has.
const WORKERS: &str = "PILOTAGE_TEST_EDGE_WORKERS";
/// Its admin address. It writes an access log then, too.
const ADMIN: &str = "PILOTAGE_TEST_EDGE_ADMIN";
/// Among the arguments: it takes over from the edge that is there. To the test harness, the name of a test that is not there.
const TAKE_OVER: &str = "take-over";
const ARGUMENTS: [&str; 3] = ["--exact", "child::child_edge", "--nocapture"];

/// Not a test: the body of that process.
#[test]
fn child_edge() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut config = config(Path::new(&folder));
        config.take_over = std::env::args().any(|argument| argument == TAKE_OVER);
        config.successor = ARGUMENTS.iter().chain([&TAKE_OVER]).map(Into::into).collect();
        if let Some(workers) = std::env::var(WORKERS).ok().and_then(|count| count.parse().ok()) {
            config.workers = NonZeroUsize::new(workers).unwrap();
        }
        if let Some(admin) = std::env::var(ADMIN).ok().and_then(|address| address.parse().ok()) {
            config.admin = Some(admin);
            config.access_log = Some(AccessLogTarget::File(Path::new(&folder).join("access.log")));
        }
        if let Err(error) = run(config) {
            eprintln!("{error}");
            std::process::exit(3);
        }
    }
}

/// An edge as a process of its own, and those that have taken its place; killed with the value.
pub struct ChildEdge {
    pub client: EdgeClient,
    process: Child,
    successors: Mutex<Vec<u32>>,
}

impl ChildEdge {
    pub async fn start(folder: &Path) -> Self {
        Self::start_with(folder, 2, &[]).await
    }

    /// An edge with so many workers that takes the place of the one that is there.
    pub async fn take_over(folder: &Path, workers: usize) -> Self {
        Self::start_with(folder, workers, &[TAKE_OVER]).await
    }

    pub async fn start_with(folder: &Path, workers: usize, arguments: &[&str]) -> Self {
        Self::of(spawn(folder, workers, arguments), folder).await
    }

    /// An edge with an admin address, which writes `access.log` into its folder.
    pub async fn observed(folder: &Path, admin: SocketAddr) -> Self {
        let process = command(folder, 2, &[]).env(ADMIN, admin.to_string()).spawn().unwrap();
        Self::of(process, folder).await
    }

    /// An edge that was started, once it serves.
    pub async fn of(process: Child, folder: &Path) -> Self {
        let client = connect(&folder.join("edge.sock")).await;
        let mut edge = Self { process, client, successors: Mutex::default() };
        let pid = edge.process.id();
        edge.is_served_by(pid).await;
        assert!(edge.process.try_wait().unwrap().is_none());
        edge
    }

    /// The process that was started first.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The edge that serves now.
    pub async fn identity(&self) -> Identity {
        self.client.identify().await.unwrap()
    }

    pub async fn is_served_by(&self, pid: u32) {
        eventually("the new edge answers", || {
            let client = self.client.clone();
            async move { client.identify().await.is_ok_and(|identity| identity.pid == pid) }
        })
        .await;
    }

    pub async fn reload(&self) -> Replacement {
        self.try_reload(None).await.unwrap()
    }

    pub async fn try_reload(&self, executable: Option<&Path>) -> Result<Replacement, EdgeClientError> {
        let replacement = self.client.reload(executable).await?;
        self.note(replacement.to.pid);
        Ok(replacement)
    }

    /// A process that has taken over otherwise, to be ended with the others.
    pub fn note(&self, pid: u32) {
        self.successors.lock().unwrap().push(pid);
    }

    /// Waits for the end of the first process; says whether it ended well.
    pub async fn ended(mut self) -> bool {
        let waited = tokio::task::spawn_blocking(move || {
            let ended = self.process.wait().unwrap().success();
            (self, ended)
        });
        waited.await.unwrap().1
    }
}

impl Drop for ChildEdge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.successors.lock().unwrap().iter().for_each(|pid| signal(*pid, Signal::KILL));
    }
}

/// Starts such a process, and does not wait for anything.
pub fn spawn(folder: &Path, workers: usize, arguments: &[&str]) -> Child {
    command(folder, workers, arguments).spawn().unwrap()
}

fn command(folder: &Path, workers: usize, arguments: &[&str]) -> Command {
    command_of(&std::env::current_exe().unwrap(), folder, workers, arguments)
}

/// The command that makes a program such a process: this test binary, or a copy of it.
pub fn command_of(program: &Path, folder: &Path, workers: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(ARGUMENTS)
        .args(arguments)
        .env(FOLDER, folder)
        .env(WORKERS, workers.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

pub fn signal(pid: u32, signal: Signal) {
    // It may have ended already.
    let _ = kill_process(raw(pid), signal);
}

/// Whether a process is there. One that has ended and was not waited for by its parent does not count.
pub fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let is_zombie = stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'));
    test_kill_process(raw(pid)).is_ok() && !is_zombie
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}
