//! `pilotage edge top`, and how the edge itself is started by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pilotage_load::{Load, LoadHandle, LoadPlan};
use pilotage_proxy::{EdgeClient, Endpoint, FULL_WEIGHT, Pool, Protocol, Route, RoutingTable};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use world::{PILOTAGE, World, wait};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// An edge of its own, with a service behind it and somebody who uses it.
struct Edge {
    folder: PathBuf,
    process: Child,
    load: Option<LoadHandle>,
}

impl Edge {
    fn start(world: &World) -> Self {
        let folder = world.root().to_owned();
        let process = run(&folder);
        let listen = free_address();
        apply(&folder, table(listen, service()));
        Self { folder, process, load: Some(Load::start(LoadPlan::open(listen, 100.0)).unwrap()) }
    }

    fn socket(&self) -> String {
        self.folder.join("edge.sock").to_str().unwrap().to_owned()
    }

    /// Another edge in its place, which starts from the table on disk.
    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = run(&self.folder);
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        drop(self.load.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &std::path::Path) -> Child {
    Command::new(PILOTAGE)
        .arg("edge")
        .args(["--socket".as_ref(), folder.join("edge.sock").as_os_str()])
        .args(["--state-folder".as_ref(), folder.join("state").as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn apply(folder: &std::path::Path, table: RoutingTable) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let begun = Instant::now();
        let client = loop {
            match EdgeClient::connect(folder.join("edge.sock")).await {
                Ok(client) => break client,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        client.apply(table).await.unwrap();
    });
}

fn table(listen: SocketAddr, service: SocketAddr) -> RoutingTable {
    let pool = |version: &str, weight| Pool {
        version: version.to_owned(),
        weight,
        protocol: Protocol::Http1,
        endpoints: vec![Endpoint { instance: "api-1".to_owned(), address: service.into() }],
    };
    let pools = vec![pool("2.0.0", 0), pool("1.0.0", FULL_WEIGHT)];
    let route = Route { pools, ..Route::new("dev/api", listen) };
    RoutingTable { epoch: 1, routes: vec![route], ..RoutingTable::empty() }
}

/// A service that answers whatever is asked, for as long as the test runs.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut read = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while matches!(read.read_line(&mut line), Ok(length) if length > 0) {
        if line == "\r\n" && stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").is_err() {
            return;
        }
        line.clear();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn once_shows_each_version_of_each_route() {
    let world = World::empty();
    let edge = Edge::start(&world);
    let arguments = ["edge", "top", "--once", "--interval", "2s", "--socket", &edge.socket()];
    let said = world.pilotage(&arguments).expect(0);
    let line = |start: &str| said.stdout.lines().find(|line| line.starts_with(start)).unwrap_or_default();
    assert!(line("  VERSION").contains("P99.9"), "{}", said.stdout);
    assert_eq!(line("dev/api"), "dev/api");
    assert!(line("▸ 1.0.0").contains("serving") && line("▸ 1.0.0").contains("100 %"), "{}", said.stdout);
    assert!(line("· 2.0.0").contains("standby"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "no terminal, no colours: {}", said.stdout);

    let said = world.pilotage(&[&arguments[..], &["--env", "prod"]].concat()).expect(0);
    assert!(said.stdout.contains("no routes"), "{}", said.stdout);
}

#[test]
fn programs_get_an_object_an_interval_and_a_new_edge_makes_nothing_negative() {
    let world = World::empty();
    let mut edge = Edge::start(&world);
    let socket = edge.socket();
    let arguments = ["edge", "top", "--interval", "200ms", "--output", "json", "--socket", &socket];
    let mut top = world.start(&arguments);
    let mut lines = BufReader::new(top.stdout.take().unwrap()).lines();
    let first = until_busy(&mut lines, edge.process.id());
    let version = &first["routes"][0]["versions"][1];
    assert_eq!((&first["routes"][0]["route"], &version["version"]), (&"dev/api".into(), &"1.0.0".into()));
    assert_eq!((&version["weight"], &version["share"]), (&1.0.into(), &1.0.into()));
    for figure in ["p50_micros", "p99_9_micros"] {
        assert!(version[figure].as_u64().is_some_and(|micros| micros > 0), "{figure}: {first}");
    }

    edge.restart();
    until_busy(&mut lines, edge.process.id());
    let pid = Pid::from_raw(i32::try_from(top.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let mut rest = String::new();
    lines.for_each(|line| rest.push_str(&line.unwrap()));
    assert_eq!(top.wait().unwrap().code(), Some(0));
}

/// Reads objects until the edge with this process has requests, and returns that one.
fn until_busy(lines: &mut impl Iterator<Item = std::io::Result<String>>, process: u32) -> Value {
    let begun = Instant::now();
    loop {
        let report: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert!(!has_negative(&report), "{report}");
        let busy = report["edge"]["requests_per_second"].as_f64().unwrap() > 0.0;
        if busy && report["edge"]["pid"] == process {
            return report;
        }
        assert!(begun.elapsed() < PATIENCE, "{report}");
    }
}

fn has_negative(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number < 0.0),
        Value::Array(values) => values.iter().any(has_negative),
        Value::Object(values) => values.values().any(has_negative),
        _ => false,
    }
}

#[test]
fn without_an_edge_it_says_how_to_get_one() {
    let world = World::with(
        "project: small\nservices: { api: { run: [./api], artifact: api } }\nenvironments: { dev: {} }\n",
    );
    let said = world.pilotage(&["edge", "top", "--once"]).expect(1);
    assert!(
        said.stderr.contains("no edge runs") && said.stderr.contains("hint: `pilotage up`"),
        "{}",
        said.stderr
    );
    assert!(!world.state().journal().exists(), "looking started a server");
    let said = world.pilotage(&["edge", "top", "--interval", "1ms"]).expect(64);
    assert!(said.stderr.contains("100 ms at least"), "{}", said.stderr);
}

#[test]
fn an_admin_address_that_others_reach_has_to_be_meant() {
    let world = World::empty();
    let edge = ["edge", "--socket", "edge.sock", "--state-folder", "state"];
    let said = world.pilotage(&[&edge[..], &["--admin", "0.0.0.0:9180"]].concat()).expect(64);
    assert!(
        said.stderr.contains("other machines") && said.stderr.contains("--admin-anywhere"),
        "{}",
        said.stderr
    );
    let said = world.pilotage(&[&edge[..], &["--admin", "here"]].concat()).expect(64);
    assert!(said.stderr.contains("neither a port nor an address"), "{}", said.stderr);
    world.pilotage(&["edge"]).expect(64);
}

#[test]
fn a_port_alone_is_for_this_machine() {
    let world = World::empty();
    let port = free_address().port();
    let log = world.root().join("access.log");
    let arguments =
        ["edge", "--socket", "edge.sock", "--state-folder", "state", "--admin", &port.to_string()];
    let mut edge = world.start(&[&arguments[..], &["--access-log", log.to_str().unwrap()]].concat());
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
    assert!(log.exists());

    // A signal to open files anew ends nothing.
    let pid = Pid::from_raw(i32::try_from(edge.id()).unwrap()).unwrap();
    std::fs::rename(&log, world.root().join("access.log.1")).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    while !log.exists() {
        assert!(begun.elapsed() < PATIENCE && edge.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(pid, Signal::TERM).unwrap();
    wait(edge).expect(0);
}
