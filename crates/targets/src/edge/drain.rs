//! Waits for requests that were sent before an instance was taken out of the table.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pilotage_proxy::{Address, EdgeClient};
use pilotage_spec::{Version, Workload};
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// `01` in the fourth field of `/proc/net/tcp`: ESTABLISHED; see proc_pid_net(5).
const ESTABLISHED: &str = "01";
/// The sixth field of `/proc/net/unix`, `socket_state` of linux/net.h: not accepted yet, and accepted.
const CONNECTING: &str = "02";
const CONNECTED: &str = "03";

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

/// Waits until no connection leads to an instance. The edge closes its connections to an endpoint that is in its table no
/// longer as soon as the last answer is through, so this tells one instance from the others of its version.
pub(super) async fn connections_closed(address: Option<Address>, limit: Duration) {
    let Some(address) = address else { return };
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    while Instant::now() < deadline && is_connected(&address) {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn is_connected(address: &Address) -> bool {
    let table = |name: &str| fs::read_to_string(name).unwrap_or_default();
    match address {
        Address::Tcp(address) => {
            let name = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
            leads_to(&table(name), *address)
        }
        Address::Unix(path) => {
            path.to_str().is_some_and(|path| leads_to_socket(&table("/proc/net/unix"), path))
        }
    }
}

/// Looks among the connections' beginnings: the far end of each is in the third field.
fn leads_to(table: &str, address: SocketAddr) -> bool {
    let remote = format!("{}:{:04X}", in_words(address.ip()), address.port());
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        fields.next() == Some(remote.as_str()) && fields.next() == Some(ESTABLISHED)
    })
}

/// An address as the kernel writes it there: each word of four bytes as a number of this machine.
fn in_words(address: IpAddr) -> String {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let words = bytes.as_chunks::<4>().0.iter();
    words.map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect()
}

/// Looks among the connections' ends, which have the path of the socket that took them: those that the service has open, and
/// those that wait to be accepted.
fn leads_to_socket(table: &str, path: &str) -> bool {
    table.lines().any(|line| {
        // Number, references, protocol, flags, type, state; then the inode, padded, and the path, which may hold spaces.
        let mut fields = line.splitn(7, ' ').skip(5);
        let state = fields.next();
        let found = fields.next().and_then(|rest| rest.trim_start().split_once(' '));
        matches!(state, Some(CONNECTING | CONNECTED)) && found.is_some_and(|(_, found)| found == path)
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn addresses_are_written_as_the_kernel_does() {
        // Numbers of this machine stand there, lowest byte first on most.
        let expected = u32::from_ne_bytes([172, 29, 0, 2]);
        let line = format!("0: 0100001D:1F90 {expected:08X}:1F90 01");
        assert!(leads_to(&line, ([172, 29, 0, 2], 8080).into()));
        assert!(!leads_to(&line, ([172, 29, 0, 3], 8080).into()));
    }

    #[test]
    fn an_open_connection_is_seen_until_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        assert!(!is_connected(&address));
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(is_connected(&address));
        drop(client);
        assert!(!is_connected(&address));
    }

    #[test]
    fn a_connection_to_a_socket_is_seen_from_the_queue_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a socket.http");
        let listener = UnixListener::bind(&path).unwrap();
        let address = Address::Unix(path.clone());
        assert!(!is_connected(&address));
        let client = UnixStream::connect(&path).unwrap();
        assert!(is_connected(&address), "it waits to be accepted");
        let (accepted, _) = listener.accept().unwrap();
        drop(client);
        assert!(is_connected(&address), "the service has not let go of it");
        drop(accepted);
        assert!(!is_connected(&address));
    }
}
