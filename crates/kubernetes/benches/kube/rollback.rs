//! From the call that takes the traffic back to the last request that the bad version answers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pilotage_spec::{KubernetesTraffic, Release};
use pilotage_testing::need_kube;

use crate::Figure;
use crate::support::{World, get};

/// Requests at once, each on a connection of its own.
const CLIENTS: usize = 4;
/// Nobody is sent to the bad version any more if none was for so long.
const QUIET: Duration = Duration::from_secs(2);
/// The longest way back that is measured.
const LIMIT: Duration = Duration::from_secs(120);

pub async fn measure(quick: bool) {
    let Some(kube) = need_kube("the way back") else { return };
    let runs = if quick { 1 } else { 5 };
    let world = World::new(kube, KubernetesTraffic::Host).await;
    let (good, bad) = (world.release("1.0.0", &[]).await, world.release("2.0.0", &[]).await);
    let undo = undo(&world, &good, &bad, runs).await;
    for release in [&good, &bad] {
        world.ensure(release, 2).await;
        world.ready(&release.id.version.to_string(), 2).await;
    }
    let mut ways = Vec::new();
    for _ in 0..runs {
        let listen = world.route(&[("2.0.0", 10_000)]).await;
        ways.push(
            last_bad(listen, async {
                let _ = world.route(&[("1.0.0", 10_000)]).await;
            })
            .await,
        );
    }
    let ours = median(ways);
    Figure {
        name: "kube.rollback_edge_seconds",
        value: ours,
        unit: "s",
        peer: Some(("kubectl rollout undo", undo)),
        goal: Some(("< 2 and faster than its peer", ours < 2.0 && ours < undo)),
    }
    .print();
}

/// The same by `kubectl rollout undo` of a Deployment behind a Service.
async fn undo(world: &World, good: &Release, bad: &Release, runs: usize) -> f64 {
    let image = |release: &Release| release.instance.image.clone().unwrap().pinned(&release.id.digest);
    world.apply(&peer(&image(good)));
    world.kubectl(&["rollout", "status", "deployment/peer", "--timeout=120s"]);
    let address = world.kubectl(&["get", "service", "peer", "-o", "jsonpath={.spec.clusterIP}"]);
    let listen = SocketAddr::new(address.trim().parse().unwrap(), 80);
    let mut ways = Vec::new();
    for _ in 0..runs {
        world.kubectl(&["set", "image", "deployment/peer", &format!("service={}", image(bad))]);
        world.kubectl(&["rollout", "status", "deployment/peer", "--timeout=120s"]);
        let undone = async { drop(world.kubectl(&["rollout", "undo", "deployment/peer"])) };
        ways.push(last_bad(listen, undone).await);
        world.kubectl(&["rollout", "status", "deployment/peer", "--timeout=120s"]);
    }
    world.kubectl(&["delete", "deployment", "peer"]);
    median(ways)
}

fn peer(image: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: peer}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: peer}}}}
  template:
    metadata: {{labels: {{app: peer}}}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers:
      - name: service
        image: \"{image}\"
        ports: [{{containerPort: 8080}}]
        readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: peer}}
spec: {{selector: {{app: peer}}, ports: [{{port: 80, targetPort: 8080}}]}}
"
    )
}

/// Seconds from the beginning of `back` to the last request that was begun and then answered by 2.0.0.
async fn last_bad(listen: SocketAddr, back: impl Future<Output = ()>) -> f64 {
    let last = Arc::new(Mutex::new(Instant::now()));
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (last, done) = (Arc::clone(&last), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    let begun = Instant::now();
                    if get(listen).await.as_deref() == Some("2.0.0") {
                        let mut last = last.lock().unwrap();
                        *last = begun.max(*last);
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    back.await;
    while last.lock().unwrap().elapsed() < QUIET && begun.elapsed() < LIMIT {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    done.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let last = *last.lock().unwrap();
    last.saturating_duration_since(begun).as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
