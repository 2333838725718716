//! What API servers answer when they have trouble of their own: a proxy in front of a real one says so in its place.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pilotage_spec::{ClusterReach, KubernetesTraffic};
use pilotage_targets::TargetError;
use pilotage_testing::need_kube;
use pilotage_testing::rig::Kube;
use serde_json::json;
use support::World;

/// What is answered instead of what the server would.
#[derive(Clone)]
struct Fault {
    /// Requests whose first line holds this.
    of: &'static str,
    status: u16,
    reason: &'static str,
    /// Seconds to wait, as the server says it.
    retry_after: Option<u32>,
    /// So many of them.
    times: usize,
}

/// A proxy that forwards to the API server, and injects faults.
struct Proxy {
    kubectl: Child,
    port: u16,
    faults: Arc<Mutex<Vec<Fault>>>,
}

impl Proxy {
    fn start(kube: &Kube) -> Self {
        let mut kubectl = kube.client().args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(kubectl.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let behind: u16 = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults: Arc<Mutex<Vec<Fault>>> = Arc::default();
        let injected = Arc::clone(&faults);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let injected = Arc::clone(&injected);
                std::thread::spawn(move || drop(serve(stream, behind, &injected)));
            }
        });
        Self { kubectl, port, faults }
    }

    fn inject(&self, fault: Fault) {
        self.faults.lock().unwrap().push(fault);
    }

    /// Whether all that was injected was met.
    fn is_spent(&self) -> bool {
        self.faults.lock().unwrap().iter().all(|fault| fault.times == 0)
    }

    fn reach(&self, world: &World) -> ClusterReach {
        let file = world.folder.path().join("proxy.kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": format!("http://127.0.0.1:{}", self.port)}}],
            "users": [{"name": "it", "user": {}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        });
        std::fs::write(&file, config.to_string()).unwrap();
        ClusterReach::Kubeconfig { file: Some(file.to_string_lossy().into_owned()), context: None }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

/// One connection, one request.
fn serve(mut client: TcpStream, behind: u16, faults: &Mutex<Vec<Fault>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let first = head.lines().next().unwrap_or_default().to_owned();
    let fault = {
        let mut faults = faults.lock().unwrap();
        let hit = faults.iter_mut().find(|fault| fault.times > 0 && first.contains(fault.of));
        hit.map(|fault| {
            fault.times -= 1;
            fault.clone()
        })
    };
    if let Some(fault) = fault {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": fault.status,
                            "reason": fault.reason, "message": "injected"});
        let wait = fault.retry_after.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
        let body = status.to_string();
        return write!(
            client,
            "HTTP/1.1 {} Fault\r\ncontent-type: application/json\r\n{wait}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            fault.status,
            body.len()
        );
    }
    let mut server = TcpStream::connect(("127.0.0.1", behind))?;
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    server.write_all(head.as_bytes())?;
    server.write_all(reader.buffer())?;
    let (mut up, mut down) = (server.try_clone()?, client.try_clone()?);
    let answers = std::thread::spawn(move || std::io::copy(&mut server, &mut down));
    let mut rest = [0; 16 * 1024];
    client.set_read_timeout(Some(Duration::from_millis(100)))?;
    while !answers.is_finished() {
        match client.read(&mut rest) {
            Ok(0) => break,
            Ok(read) => up.write_all(&rest[..read])?,
            Err(_) => {}
        }
    }
    client.shutdown(std::net::Shutdown::Both)
}

async fn behind_a_proxy() -> Option<(World, Proxy)> {
    let kube = need_kube("refusals of API servers")?;
    let mut world = World::new(kube, KubernetesTraffic::Service).await;
    let proxy = Proxy::start(&world.kube);
    world.config.settings.reach = proxy.reach(&world);
    world.restart_control_plane();
    Some((world, proxy))
}

#[tokio::test]
async fn passing_trouble_of_a_server_is_waited_for() {
    let Some((world, proxy)) = behind_a_proxy().await else { return };
    let release = world.release("1.0.0", &[]).await;
    let fault = |of, status, reason, retry_after| Fault { of, status, reason, retry_after, times: 1 };
    proxy.inject(fault("PATCH", 500, "InternalError", None));
    proxy.inject(fault("/deployments/", 429, "TooManyRequests", Some(1)));
    proxy.inject(fault("/services/", 503, "ServiceUnavailable", None));
    let begun = Instant::now();
    world.ensure(&release, 1).await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "the server asked for a pause of a second");
    world.ready("1.0.0", 1).await;
    assert!(proxy.is_spent());
}

#[tokio::test]
async fn a_server_that_goes_on_failing_is_told_as_one_that_is_away() {
    let Some((world, proxy)) = behind_a_proxy().await else { return };
    proxy.inject(Fault {
        of: "/pods",
        status: 500,
        reason: "InternalError",
        retry_after: None,
        times: 1_000,
    });
    let refused = world.target().observe(&world.workload()).await.unwrap_err();
    assert!(matches!(refused, TargetError::Unreachable { .. }), "{refused}");
    assert!(refused.to_string().contains("500"), "{refused}");
}

#[tokio::test]
async fn a_list_that_the_server_has_forgotten_and_a_change_that_came_between_are_begun_anew() {
    let Some((world, proxy)) = behind_a_proxy().await else { return };
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    proxy.inject(Fault {
        of: "GET /api/v1/namespaces",
        status: 410,
        reason: "Expired",
        retry_after: None,
        times: 1,
    });
    assert_eq!(world.observe().await.instances.len(), 1);
    world.route(&[("1.0.0", 10_000)]).await;
    proxy.inject(Fault { of: "PATCH", status: 409, reason: "Conflict", retry_after: None, times: 1 });
    world.route(&[]).await;
    assert!(world.observe().await.shares().is_empty());
    assert!(proxy.is_spent());
}
