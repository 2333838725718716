//! HTTP/2 by h2load, over TLS or without it.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pilotage_testing::Part;

use super::{Load, LoadReport, p99};
use crate::fault::{During, Fault};

/// How h2load is run: 16 connections with 16 requests at a time on each.
#[derive(Debug, Clone)]
pub struct H2load {
    /// `https` or, by prior knowledge, `http`.
    pub scheme: &'static str,
    pub path: &'static str,
    /// A file that is sent as a unary gRPC call; without one, requests are GET.
    pub call: Option<PathBuf>,
    /// Where h2load may write a line a request.
    pub log: PathBuf,
}

impl Load for H2load {
    fn run(&self, address: SocketAddr, duration: Duration) -> Result<LoadReport, Fault> {
        let part = Part::H2load.find().ok_or_else(|| Fault::new("h2load is missing"))?;
        // It appends.
        fs::write(&self.log, "").during(self.log.display())?;
        let mut command = Command::new(part);
        command.args(["--threads=1", "--clients=16", "--max-concurrent-streams=16"]);
        command.arg(format!("--duration={}", duration.as_secs()));
        command.arg(format!("--log-file={}", self.log.display()));
        if let Some(call) = &self.call {
            command.arg(format!("--data={}", call.display()));
            command.args(["--header=content-type: application/grpc", "--header=te: trailers"]);
        }
        let output = command
            .arg(format!("{}://{address}{}", self.scheme, self.path))
            .output()
            .during("running h2load")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let log = fs::read_to_string(&self.log).during(self.log.display())?;
        read(&said, &log).ok_or_else(|| {
            let lines = said.lines().skip_while(|line| !line.starts_with("finished in")).take(3);
            Fault::new(format!("h2load did not do its work: {}", lines.collect::<Vec<_>>().join("; ")))
        })
    }
}

/// Reads h2load's report; `None` if it is none, or tells of a failed request.
///
/// The log has three columns: start, status, and microseconds until the end of the answer.
fn read(said: &str, log: &str) -> Option<LoadReport> {
    let after = |label: &str| said.lines().find_map(|line| line.strip_prefix(label));
    let counts = after("requests: ")?;
    let count = |name: &str| -> Option<u64> {
        counts.split(", ").find_map(|part| part.strip_suffix(name))?.trim().parse().ok()
    };
    let (done, succeeded) = (count("done")?, count("succeeded")?);
    let statuses = after("status codes: ")?;
    if done == 0 || succeeded != done || !statuses.contains(" 0 3xx, 0 4xx, 0 5xx") {
        return None;
    }
    let rate = after("finished in ")?.split(", ").nth(1)?.strip_suffix(" req/s")?;
    let latencies = log.lines().filter_map(|line| line.split('\t').nth(2)?.parse().ok()).collect();
    Some(LoadReport { requests: done, requests_per_second: rate.parse().ok()?, p99: p99(latencies) })
}
