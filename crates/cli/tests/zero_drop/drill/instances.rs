//! The instances of one version: processes of the sample service.

use std::path::Path;
use std::process::Stdio;

use pilotage_proxy::{Address, Endpoint, Pool, Protocol};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::PATIENCE;

/// What the sample service says when it can be reached, before its address.
const LISTENING: &str = "sample service listening on ";

pub struct Instances {
    pub version: String,
    running: Vec<Instance>,
}

struct Instance {
    endpoint: Endpoint,
    process: Child,
    /// Kept open: the service may have more to say.
    _output: BufReader<ChildStdout>,
}

impl Instances {
    /// Starts two, one on a port and one on a unix socket, and waits until they listen.
    pub async fn start(program: &Path, folder: &Path, service: &str, version: &str) -> Self {
        let socket = folder.join(format!("{service}-{version}.sock"));
        let socket = socket.to_str().expect("a path in UTF-8");
        let places = [["--port", "0"], ["--socket", socket]];
        let mut running = Vec::new();
        for (number, place) in places.into_iter().enumerate() {
            running.push(Instance::start(program, version, format!("{service}-{number}"), place).await);
        }
        Self { version: version.to_owned(), running }
    }

    /// The version with a share of the users.
    pub fn pool(&self, weight: u32, protocol: Protocol) -> Pool {
        let endpoints = self.running.iter().map(|instance| instance.endpoint.clone()).collect();
        Pool { version: self.version.clone(), weight, protocol, endpoints }
    }

    /// Stops them as a supervisor does, and waits for their end.
    pub async fn stop(self) {
        for mut instance in self.running {
            let pid = instance.process.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
            kill_process(pid.expect("it has not ended"), Signal::TERM).expect("the signal");
            let ended = timeout(PATIENCE, instance.process.wait()).await.expect("the instance ends");
            assert!(ended.expect("the instance").success(), "{:?}", instance.endpoint);
        }
    }
}

impl Instance {
    async fn start(program: &Path, version: &str, name: String, place: [&str; 2]) -> Self {
        let mut command = Command::new(program);
        command.args(["sample-service", "--version", version, "--instance", &name]).args(place);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the sample service");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut line = String::new();
        let said = timeout(PATIENCE, output.read_line(&mut line)).await;
        said.expect("the sample service starts").expect("its first line");
        let address: Option<Address> =
            line.trim_end().strip_prefix(LISTENING).and_then(|text| text.parse().ok());
        let address = address.unwrap_or_else(|| panic!("the sample service says {line:?}"));
        Self { endpoint: Endpoint { instance: name, address }, process, _output: output }
    }
}
