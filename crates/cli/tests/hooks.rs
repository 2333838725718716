//! Alerts from outside, delivered to the real server while a canary is under way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use pilotage_testing::{Part, need};
use pilotage_views::AuditLine;
use serde_json::{Value, json};
use sha2::Sha256;
use world::World;

const TOKEN: &str = "4f1a-hook-token";

/// What the server answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
}

/// Sends a delivery as any sender would: HTTP/1.1, over the server's socket.
fn deliver(world: &World, hook: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = UnixStream::connect(world.state().socket()).unwrap();
    let mut head = format!("POST /v1/hooks/{hook} HTTP/1.1\r\nHost: pilotage\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    // A body that is too long is refused before it has been read to its end.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) }
}

fn with_token(world: &World, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    deliver(world, "alerts", &[("Authorization", &bearer)], body.to_string().as_bytes())
}

/// Alertmanager's documented message about one alert that fires from now on.
fn firing(fingerprint: &str, service: &str, severity: &str) -> Value {
    let starts_at = pilotage_views::rfc3339(now());
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"CheckoutErrors\"}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "pilotage", "groupLabels": { "alertname": "CheckoutErrors" }, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://alertmanager.example:9093",
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": "CheckoutErrors", "severity": severity, "service": service, "environment": "dev" },
            "annotations": { "summary": "checkouts fail" },
            "startsAt": starts_at, "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph", "fingerprint": fingerprint,
        }],
    })
}

fn now() -> pilotage_spec::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    pilotage_spec::Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

fn audit(world: &World) -> Vec<AuditLine> {
    let said = world.pilotage(&["audit", "--output", "json"]).expect(0);
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn signed(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sample project with a hook, 1.0.0 in service and 1.1.0 in a canary that would take an hour.
fn canary() -> World {
    let world = World::sample("canary: { steps: [10, 100], watch: 1h, soak: 1h }");
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    let hooks = "\
hooks:
  alerts:
    alertmanager: { secret: \"file:hook.token\" }
    services: { shop-api: api }
  paging:
    pagerduty: { secret: \"file:paging.secret\" }
    services: { API Service: api }
    environment: dev
";
    world.write("pilotage.yaml", &format!("{file}{hooks}"));
    world.write("hook.token", &format!("{TOKEN}\n"));
    world.write("paging.secret", "pd-secret");
    world.deploy("1.0.0", &world.release("1.0.0", "")).expect(0);
    world
}

fn begin(world: &World, version: &str) {
    let artifact = world.release(version, "");
    world.pilotage(&["deploy", "api", version, "--artifact", &artifact, "--detach"]).expect(0);
    world.until("the watch", |status| {
        status.moving.as_ref().is_some_and(|moving| moving.activity == "watching")
    });
}

fn gone(world: &World) {
    world.until("the end", |status| status.moving.is_none());
    assert_eq!(world.serving(), "1.0.0");
}

#[test]
fn a_critical_alert_takes_a_canary_back_once_and_the_log_tells_why() {
    let world = canary();
    begin(&world, "1.1.0");
    let body = firing("f1", "shop-api", "critical");

    let forged = with_token(&world, "wrong", &body);
    assert_eq!(forged.status, 401, "{forged:?}");
    assert_eq!(deliver(&world, "alerts", &[], body.to_string().as_bytes()).status, 401);
    assert_eq!(with_token(&world, "", &body).status, 401);
    let unknown = deliver(&world, "nobody", &[("Authorization", "Bearer 4f1a-hook-token")], b"{}");
    assert_eq!((unknown.status, unknown.body), (401, forged.body), "names of hooks cannot be tried out");
    assert!(
        audit(&world).iter().all(|line| line.event != "alert.received"),
        "nothing is recorded of a forgery"
    );
    assert!(world.status().moving.is_some());

    let answer = with_token(&world, TOKEN, &body);
    assert_eq!(
        (answer.status, &answer.body["received"][0]["consequence"]["followed"]),
        (200, &json!("taken_back"))
    );
    gone(&world);
    let again = with_token(&world, TOKEN, &body);
    assert_eq!(
        (again.status, again.body),
        (200, json!({ "alerts": 1, "received": [] })),
        "a replay does nothing"
    );

    let lines = audit(&world);
    let received: Vec<&AuditLine> = lines.iter().filter(|line| line.event == "alert.received").collect();
    assert_eq!(received.len(), 1);
    let fields =
        (received[0].user.as_str(), received[0].environment.as_deref(), received[0].service.as_deref());
    assert_eq!(fields, ("hook:alerts", Some("dev"), Some("api")));
    assert_eq!((received[0].outcome.as_str(), received[0].rollback_triggered), ("taken_back", true));
    let rollback = lines.iter().find(|line| line.event == "deployment.rollback").unwrap();
    assert_eq!(rollback.detail["cause"]["cause"], "alert");
    assert_eq!(rollback.detail["cause"]["alert"]["alert"]["summary"], "checkouts fail");
    assert_eq!(rollback.detail["cause"]["alert"]["alert"]["labels"]["alertname"], "CheckoutErrors");
    let story = world.pilotage(&["explain"]).expect(0).stdout;
    assert!(story.contains("checkouts fail (alert by alerts, severity critical)"), "{story}");
    assert!(!story.contains(TOKEN) && !format!("{lines:?}").contains(TOKEN));
    world.pilotage(&["audit", "verify"]).expect(0);

    // The next deployment is none of this alert's business, and a restart does not forget that it was received.
    begin(&world, "1.2.0");
    assert_eq!(with_token(&world, TOKEN, &body).body["received"], json!([]));
    let mut resent = body;
    resent["alerts"][0]["fingerprint"] = json!("f2");
    let older = with_token(&world, TOKEN, &resent);
    assert_eq!(older.body["received"][0]["consequence"]["followed"], "older");
    assert!(world.status().moving.is_some());
}

#[test]
fn what_is_not_severe_not_known_or_over_is_recorded_and_does_nothing() {
    let world = canary();
    let idle = with_token(&world, TOKEN, &firing("idle", "api", "critical"));
    assert_eq!(idle.body["received"][0]["consequence"]["followed"], "nothing_moves");
    begin(&world, "1.1.0");
    let mut resolved = firing("over", "api", "critical");
    resolved["alerts"][0]["status"] = json!("resolved");
    let cases = [
        (firing("warn", "api", "warning"), "not_severe"),
        (firing("who", "somebody", "critical"), "unknown"),
        (firing("path", "../../etc/passwd", "critical"), "unknown"),
        (resolved, "resolved"),
    ];
    for (body, followed) in &cases {
        let answer = with_token(&world, TOKEN, body);
        assert_eq!(answer.body["received"][0]["consequence"]["followed"], *followed, "{answer:?}");
    }
    assert!(world.status().moving.is_some(), "none of them takes it back");
    let outcomes: Vec<String> = audit(&world)
        .into_iter()
        .filter(|line| line.event == "alert.received")
        .map(|line| line.outcome)
        .collect();
    assert_eq!(outcomes, ["nothing_moves", "not_severe", "unknown", "unknown", "resolved"]);

    assert_eq!(with_token(&world, TOKEN, &json!({ "version": "3", "alerts": [] })).status, 400);
    let long = vec![b' '; 300 << 10];
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(deliver(&world, "alerts", &[("Authorization", &bearer)], &long).status, 413);
    let statuses: Vec<u16> =
        (0..90).map(|n| with_token(&world, TOKEN, &firing(&format!("n{n}"), "api", "info")).status).collect();
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "a flood is held up");
}

#[test]
fn a_signed_incident_of_pagerduty_takes_a_canary_back() {
    let world = canary();
    begin(&world, "1.1.0");
    let created_at = pilotage_views::rfc3339(now());
    let body = json!({ "event": {
        "id": "01EVENT", "event_type": "incident.triggered", "resource_type": "incident", "occurred_at": created_at,
        "data": {
            "id": "PGR0VU2", "type": "incident", "title": "checkouts fail", "urgency": "high", "created_at": created_at,
            "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
            "service": { "id": "PF9KMXH", "summary": "API Service" },
        },
    } })
    .to_string();
    let right = format!("v1={}", signed(b"pd-secret", body.as_bytes()));
    let other = body.replace("high", "High");
    assert_eq!(deliver(&world, "paging", &[("X-PagerDuty-Signature", &right)], other.as_bytes()).status, 401);
    let answer = deliver(&world, "paging", &[("X-PagerDuty-Signature", &right)], body.as_bytes());
    assert_eq!(answer.body["received"][0]["consequence"]["followed"], "taken_back", "{answer:?}");
    gone(&world);
}

/// An Alertmanager of our own that hands every alert to the server's hook.
struct Alertmanager {
    process: Child,
    address: SocketAddr,
}

impl Alertmanager {
    fn start(program: &Path, folder: &Path, hook: SocketAddr) -> Self {
        let config = format!(
            "route: {{ receiver: pilotage, group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\n\
             receivers:\n- name: pilotage\n  webhook_configs:\n  - url: http://{hook}/v1/hooks/alerts\n    \
             http_config: {{ authorization: {{ credentials: {TOKEN} }} }}\n"
        );
        std::fs::write(folder.join("alertmanager.yml"), config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(program)
            .arg(format!("--config.file={}", folder.join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { process, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "Alertmanager does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        started
    }

    /// Hands it an alert, as Prometheus does.
    fn fire(&self, labels: &Value) {
        let body = json!([{ "labels": labels, "annotations": { "summary": "checkouts fail" } }]).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nHost: alertmanager\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Hands connections on to the server's socket, as a proxy in front of it does.
fn bridge(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = UnixStream::connect(&socket) else { continue };
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

#[test]
fn a_real_alertmanager_takes_a_canary_back() {
    let Some(program) = need("a_real_alertmanager_takes_a_canary_back", Part::Alertmanager) else { return };
    let world = canary();
    let alertmanager = Alertmanager::start(&program, world.root(), bridge(world.state().socket()));
    begin(&world, "1.1.0");
    alertmanager
        .fire(&json!({ "alertname": "Slow", "severity": "warning", "service": "api", "environment": "dev" }));
    alertmanager.fire(&json!({ "alertname": "Errors", "severity": "critical", "service": "shop-api", "environment": "dev" }));
    gone(&world);
    let taken = |line: &AuditLine| line.event == "alert.received" && line.outcome == "taken_back";
    let lines = audit(&world);
    assert_eq!(lines.iter().filter(|line| taken(line)).count(), 1);
    let rollback = lines.iter().find(|line| line.event == "deployment.rollback").unwrap();
    assert_eq!(rollback.detail["cause"]["alert"]["alert"]["labels"]["alertname"], "Errors");
}
