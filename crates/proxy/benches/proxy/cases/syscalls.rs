//! How often the edge calls the kernel for a request, counted by strace.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pilotage_testing::Part;

use crate::fault::{During, Fault};
use crate::figure::Figure;
use crate::load::{Load, Wrk};
use crate::machine::{LOAD, Program};
use crate::servers::Proxy;

/// How long strace may take to hold all threads.
const ATTACHING: Duration = Duration::from_millis(500);

/// Under strace everything is slow; what is counted does not depend on it.
const RUN: Duration = Duration::from_secs(2);

/// What is told, and the calls of which it is the sum.
const KINDS: [(&str, &[&str]); 3] = [
    ("sends", &["write", "writev", "sendto", "sendmsg"]),
    ("receives", &["read", "readv", "recvfrom", "recvmsg"]),
    ("epoll_wait", &["epoll_wait", "epoll_pwait", "epoll_pwait2"]),
];

/// Counts under plain load. Without strace nothing is told.
pub fn a_request(case: &str, edge: &Proxy, folder: &Path) -> Result<Vec<Figure>, Fault> {
    let Some(strace) = Part::Strace.find() else {
        eprintln!("  strace is not installed: system calls are not counted");
        return Ok(Vec::new());
    };
    let summary = folder.join("calls");
    let mut command = Command::new(strace);
    command.args(["--summary-only", "--follow-forks", "--attach"]).arg(edge.program.process().to_string());
    command.arg("--output").arg(&summary);
    let counting = Program::start("strace", LOAD, folder, command)?;
    std::thread::sleep(ATTACHING);
    let report = Wrk::plain().run(edge.address, RUN)?;
    // It writes its summary when it is ended.
    drop(counting);
    let text = fs::read_to_string(&summary).during(summary.display())?;
    let figure = |(kind, calls): (&str, &[&str])| {
        let sum: u64 = calls.iter().map(|call| count(&text, call)).sum();
        Figure::plain(
            format!("{case}.{}.{kind}", edge.name),
            sum as f64 / report.requests as f64,
            "a request",
        )
    };
    Ok(KINDS.into_iter().map(figure).collect())
}

/// Looks up one call in a table with the columns share, seconds, microseconds a call, calls, errors (or nothing), name.
fn count(table: &str, call: &str) -> u64 {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = rows.filter(|row| row.last() == Some(&call)).filter_map(|row| row.get(3)?.parse::<u64>().ok());
    own.sum()
}
