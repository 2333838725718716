//! A program that runs beside the bench.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::processors::{LOAD, pin_this_thread};
use crate::fault::{During, Fault};

/// How long a program may take to listen.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How long it may take to end when asked to, before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(3);

const PAUSE: Duration = Duration::from_millis(10);

/// A running program, which is ended with this value.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program on one processor; what it says goes to a file in the folder.
    pub fn start(name: &str, processor: usize, folder: &Path, mut command: Command) -> Result<Self, Fault> {
        let log = folder.join("output.log");
        let output = File::create(&log).during(log.display())?;
        let errors = output.try_clone().during(log.display())?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // A child inherits the processors of the thread that starts it.
        pin_this_thread(processor)?;
        let child = command.spawn();
        pin_this_thread(LOAD)?;
        Ok(Self { name: name.to_owned(), child: child.during(format_args!("starting {name}"))?, log })
    }

    /// Waits until the program listens on an address.
    pub fn wait_until_listening(&mut self, address: SocketAddr) -> Result<(), Fault> {
        self.wait_until(|| TcpStream::connect(address).is_ok())
    }

    /// Waits until something holds that comes with the program's start.
    pub fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), Fault> {
        let begun = Instant::now();
        while !ready() {
            let ended = self.child.try_wait().during(&self.name)?;
            if ended.is_some() || begun.elapsed() > START_LIMIT {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(Fault::new(format!("{} did not start: {}", self.name, said.trim())));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Its process and those that this has started in turn.
    pub fn processes(&self) -> Vec<Pid> {
        let mut found = vec![self.process()];
        let mut next = 0;
        while let Some(process) = found.get(next) {
            let path = format!("/proc/{process}/task/{process}/children");
            let children = fs::read_to_string(path).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)));
            next += 1;
        }
        found
    }

    /// The process that was started.
    pub fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Program {
    /// First by SIGTERM, on which nginx also ends its workers; what does not end is killed with what it started.
    fn drop(&mut self) {
        let processes = self.processes();
        let _ = kill_process(self.process(), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        for process in processes {
            let _ = kill_process(process, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// An address on which nobody listens. Another program could take it first; while figures are taken, none should run.
pub fn free_address() -> Result<SocketAddr, Fault> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .during("looking for a free port")
}
