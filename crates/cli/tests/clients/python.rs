//! Clients that are written in Python.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::world::PATIENCE;

/// A script that says what it has done, a line each, and waits to be told to go on.
pub struct Script {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Script {
    pub fn start(python: &Path, script: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(python);
        // Isolated: what the machine's user has installed for another Python is of no use to this one.
        command.args(["-I", "-u", "-c", script]).args(arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    /// Waits for a line, and fails with what the script complains of if another comes.
    pub async fn says(&mut self, expected: &str) {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.output.read_line(&mut line)).await;
        read.unwrap_or_else(|_| panic!("the client hangs before `{expected}`")).unwrap();
        if line.trim_end() != expected {
            let mut complaint = String::new();
            let _ = self.child.start_kill();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut complaint).await;
            panic!("expected `{expected}`, not {line:?}: {complaint}");
        }
    }

    /// Lets the script go on.
    pub async fn go_on(&mut self) {
        self.input.write_all(b"\n").await.unwrap();
    }

    /// Waits for the end.
    pub async fn ends_well(mut self) {
        self.says("done").await;
        let status =
            timeout(PATIENCE, self.child.wait()).await.expect("the client hangs at its end").unwrap();
        assert!(status.success(), "{status}");
    }
}
