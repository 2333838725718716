//! HTTP/1.1 over kept-alive connections, by wrk: each connection sends its next request when it has the answer before.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pilotage_testing::Part;

use super::{Load, LoadReport};
use crate::fault::{During, Fault};

/// How wrk is run.
#[derive(Debug, Clone)]
pub struct Wrk {
    pub connections: usize,
    pub path: &'static str,
    /// A file in Lua that makes the requests.
    pub script: Option<PathBuf>,
}

impl Wrk {
    /// Plain requests for `/` over 32 connections.
    pub fn plain() -> Self {
        Self { connections: 32, path: "/", script: None }
    }

    /// The same, with each connection waiting so long between an answer and its next request: then no processor is full, and
    /// every proxy gets as many requests. `folder`: where the script for wrk is written.
    pub fn thinking(folder: &Path, milliseconds: u32) -> Result<Self, Fault> {
        let script = folder.join("thinking.lua");
        fs::write(&script, format!("function delay() return {milliseconds} end\n"))
            .during(script.display())?;
        Ok(Self { script: Some(script), ..Self::plain() })
    }
}

impl Load for Wrk {
    fn run(&self, address: SocketAddr, duration: Duration) -> Result<LoadReport, Fault> {
        let part = Part::Wrk.find().ok_or_else(|| Fault::new("wrk is missing"))?;
        let mut command = Command::new(part);
        command.args(["--threads", "1", "--latency", "--timeout", "10s"]);
        command.arg("--connections").arg(self.connections.to_string());
        command.arg("--duration").arg(format!("{}s", duration.as_secs()));
        if let Some(script) = &self.script {
            command.arg("--script").arg(script);
        }
        let output = command.arg(format!("http://{address}{}", self.path)).output().during("running wrk")?;
        let said = String::from_utf8_lossy(&output.stdout);
        read(&said).ok_or_else(|| Fault::new(format!("wrk did not do its work: {}", said.trim())))
    }
}

/// Reads wrk's report; `None` if it is none, or tells of a failed request.
fn read(said: &str) -> Option<LoadReport> {
    if said.contains("Socket errors:") || said.contains("Non-2xx") {
        return None;
    }
    let after = |label: &str| said.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    let requests = said.lines().find_map(|line| line.trim().split_once(" requests in "))?.0;
    Some(LoadReport {
        requests: requests.parse().ok()?,
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        p99: duration(after("99%")?)?,
    })
}

/// Reads `930.00us`, `1.02ms`, `1.00s` or `1.00m`.
fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let seconds = match &text[number.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(number.parse::<f64>().ok()? * seconds))
}
