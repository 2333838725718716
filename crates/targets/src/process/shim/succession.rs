//! A service that puts another process in its place, as an edge does that is replaced. It says so as sd_notify(3)
//! describes: `MAINPID=` and the number, before the first of the two ends.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::net::{RecvFlags, recv};
use tokio::net::UnixDatagram;
use tokio::time::sleep;

use crate::process::identity::{ProcessIdentity, ProcessStat};
use crate::process::tree::descendants;

/// Tells the service where to say it.
pub const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";

/// Messages are a few lines; what is longer is cut off, and then means nothing.
const LONGEST_MESSAGE: usize = 4096;

/// How often it is looked whether a process runs that another one is the parent of.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The processes that follow one another as the service.
#[derive(Debug, Default)]
pub struct Succession {
    /// `None`: the service stays one process.
    socket: Option<UnixDatagram>,
    /// The process that is the service now, if it is not the one that was started.
    current: Option<ProcessIdentity>,
}

/// What may happen.
#[derive(Debug)]
pub enum Change {
    /// Another process is the service from now on.
    Successor(ProcessIdentity),
    /// The process that had become the service has ended.
    Ended,
}

impl Succession {
    /// Listens at a path for what the service says; a socket that a dead shim left behind is replaced.
    pub fn listen(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixDatagram::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket: Some(socket), current: None })
    }

    /// Another first process has been started.
    pub fn begin(&mut self) {
        self.current = None;
    }

    /// Follows a process that has become the service.
    pub fn follow(&mut self, process: ProcessIdentity) {
        self.current = Some(process);
    }

    /// Waits for the next process, or for the end of the one that is followed.
    pub async fn changed(&self) -> Change {
        tokio::select! {
            biased;
            process = self.next() => Change::Successor(process),
            () = self.ended() => Change::Ended,
        }
    }

    /// A process that was named and not asked for yet.
    pub fn told(&self) -> Option<ProcessIdentity> {
        let socket = self.socket.as_ref()?;
        let mut text = [0; LONGEST_MESSAGE];
        // Past the runtime, which may not have looked at the socket since.
        while let Ok((_, length)) = recv(socket, &mut text[..], RecvFlags::DONTWAIT) {
            if let Some(process) = named(text.get(..length).unwrap_or_default()) {
                return Some(process);
            }
        }
        None
    }

    async fn next(&self) -> ProcessIdentity {
        let Some(socket) = &self.socket else { return std::future::pending().await };
        let mut text = [0; LONGEST_MESSAGE];
        loop {
            match socket.recv(&mut text).await {
                Ok(length) => {
                    if let Some(process) = named(text.get(..length).unwrap_or_default()) {
                        return process;
                    }
                }
                // A socket that is broken says nothing more.
                Err(_) => return std::future::pending().await,
            }
        }
    }

    async fn ended(&self) {
        let Some(process) = &self.current else { return std::future::pending().await };
        while process.is_alive() {
            if ProcessStat::read(process.pid).is_ok_and(|stat| stat.parent == std::process::id()) {
                // Its parent has ended, and it is ours to reap: the reaper hears of its end.
                return std::future::pending().await;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// The process that a message names, if it is one of ours.
fn named(message: &[u8]) -> Option<ProcessIdentity> {
    let text = std::str::from_utf8(message).ok()?;
    let pid = text.lines().find_map(|line| line.strip_prefix("MAINPID="))?.parse().ok()?;
    let ours = descendants(std::process::id()).iter().any(|stat| stat.pid == pid);
    ours.then(|| ProcessIdentity::of(pid).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram as Sender;
    use std::process::Command;

    use super::*;

    fn say(path: &Path, message: &str) {
        Sender::unbound().unwrap().send_to(message.as_bytes(), path).unwrap();
    }

    #[tokio::test]
    async fn a_process_below_this_one_that_is_named_is_followed_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note");
        let mut succession = Succession::listen(&path).unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        // Neither a message about something else nor a process that is not below this one.
        say(&path, "READY=1\n");
        say(&path, "MAINPID=1\n");
        say(&path, &format!("STATUS=moved\nMAINPID={}\n", child.id()));
        let Change::Successor(process) = succession.changed().await else { panic!("it ended") };
        assert_eq!(process.pid, child.id());
        assert!(succession.told().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        succession.follow(process);
        assert!(matches!(succession.changed().await, Change::Ended));
    }

    #[tokio::test]
    async fn what_was_said_just_before_an_end_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note");
        let succession = Succession::listen(&path).unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        say(&path, "MAINPID=none\n");
        say(&path, &format!("MAINPID={}\n", child.id()));
        assert_eq!(succession.told().map(|process| process.pid), Some(child.id()));
        assert!(succession.told().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
