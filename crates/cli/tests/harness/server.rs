//! The server as a process.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

pub struct Server(Child);

impl Server {
    pub fn start(program: &Path, folder: &Path, variables: &[(&str, &str)]) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
        let child = Command::new(program)
            .arg("serve")
            .current_dir(folder)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGTERM, and the end is waited for.
    pub fn terminate(mut self) {
        self.signal(Signal::TERM);
        let _ = self.0.wait();
    }

    /// SIGKILL, and the end is waited for.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        let _ = self.0.wait();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process(pid.unwrap(), signal);
    }

    /// Whether it ends by SIGKILL within the given time.
    pub async fn was_killed(&mut self, patience: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.signal() == Some(Signal::KILL.as_raw());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.0.try_wait().ok().flatten().is_none() {
            self.signal(Signal::KILL);
            let _ = self.0.wait();
        }
    }
}
