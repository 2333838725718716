//! Waits for requests that were sent before an instance was taken out of the table.

use std::fs;
use std::time::Duration;

use pilotage_proxy::EdgeClient;
use pilotage_spec::{Version, Workload};
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// `01` in the fourth field of `/proc/net/tcp`: ESTABLISHED; see proc_pid_net(5).
const ESTABLISHED: &str = "01";

/// Waits until the edge has no request of a version in flight, for a version that gets no new ones.
pub(super) async fn nothing_in_flight(
    edge: &EdgeClient,
    workload: &Workload,
    version: &Version,
    limit: Duration,
) {
    let (route, version) = (workload.to_string(), version.to_string());
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    while Instant::now() < deadline {
        // An edge that does not answer has nothing in flight that could be waited for.
        let Ok(stats) = edge.stats().await else { return };
        let counted = stats.routes.get(&route).and_then(|route| route.versions.get(&version));
        if counted.is_none_or(|counted| counted.in_flight == 0) {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits until no local connection leads to a port. The edge closes its connections to an endpoint that is in its table
/// no longer as soon as the last answer is through, so this tells one instance from the others of its version.
pub(super) async fn connections_closed(port: Option<u16>, limit: Duration) {
    let Some(port) = port else { return };
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    while Instant::now() < deadline && is_connected(port) {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn is_connected(port: u16) -> bool {
    fs::read_to_string("/proc/net/tcp").is_ok_and(|table| leads_to(&table, port))
}

fn leads_to(table: &str, port: u16) -> bool {
    let remote = format!("0100007F:{port:04X}");
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        fields.next() == Some(remote.as_str()) && fields.next() == Some(ESTABLISHED)
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn an_open_connection_is_seen_until_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_connected(port));
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(is_connected(port));
        drop(client);
        assert!(!is_connected(port));
    }
}
