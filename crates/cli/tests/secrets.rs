//! What a service is told in confidence is nowhere but with the service: not in a file, not in a list of processes, not in an
//! answer, whatever the service, its smoke suite and its Prometheus say of it.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use world::{PILOTAGE, Said, World};

const PASSWORD: &str = "p4ss\"w0rd \\& $more";
const TOKEN: &str = "token-of-prometheus-4711";

/// Says the password in five encodings; needs nothing but what every system has.
const LEAK: &str = r#"leak() {
  printf 'raw %s\n' "$1"
  printf '%s' "$1" | base64
  printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; echo
  printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g'; echo
  printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | sed 's/.*/{"password":"&"}/'; echo
}
"#;

/// What must not be found, and what it is.
fn leaks() -> Vec<(&'static str, String)> {
    let hex = |byte: u8| format!("{byte:02x}");
    let base64 = "cDRzcyJ3MHJkIFwmICRtb3Jl".to_owned();
    vec![
        ("the password", PASSWORD.to_owned()),
        ("a part of the password", "p4ss\"w0rd".to_owned()),
        ("in Base64", base64),
        ("in hexadecimal", PASSWORD.bytes().map(hex).collect()),
        ("for a URL", PASSWORD.bytes().map(|byte| format!("%{}", hex(byte))).collect()),
        ("in JSON", "p4ss\\\"w0rd \\\\& $more".to_owned()),
        ("the token", TOKEN.to_owned()),
    ]
}

/// A Prometheus that says in every error what it should not. It ends with the test's process.
fn indiscreet_prometheus() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let told = head.iter().any(|line| line.contains(&format!("Bearer {TOKEN}")));
            let error = serde_json::json!({
                "status": "error", "errorType": "bad_data",
                "error": format!("told {told}: {} and {PASSWORD}", head.join("; ")),
            });
            let body = error.to_string();
            let head =
                format!("HTTP/1.1 400 X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = connection.write_all(format!("{head}{body}").as_bytes());
        }
    });
    url
}

fn project(prometheus: &str) -> World {
    let world = World::with(&format!(
        r#"project: world
services:
  api:
    run: [./serve.sh, "{PILOTAGE}"]
    artifact: releases/1.0.0
    health: {{ live: /health, ready: /ready, interval: 100ms }}
    smoke: [[./smoke.sh]]
    start_timeout: 5s
    stop_grace: 2s
    env: {{ PASSWORD: {{ secret: "file:confidential/password" }} }}
environments:
  dev:
    strategy: quick
    prometheus: {{ url: "{prometheus}", token: {{ secret: "command:token" }} }}
strategies:
  quick:
    canary: {{ steps: [100], watch: 3s, soak: 0s }}
    roll_back_when:
      min_requests: 20
      metrics: [ {{ name: orders, query: "orders", above: 5 }} ]
secrets:
  commands: {{ token: [cat, confidential/token] }}
"#
    ));
    world.write("confidential/password", &format!("{PASSWORD}\n"));
    world.write("confidential/token", TOKEN);
    world.write_program("smoke.sh", "#!/bin/sh\nexit 0\n", 0o755);
    world
}

fn release(world: &World, version: &str, then: &str) -> String {
    let artifact = world.release(version, "");
    let script = format!("#!/bin/sh\n{LEAK}leak \"$PASSWORD\"\nleak \"$PASSWORD\" >&2\n{then}\n");
    world.write_program(&format!("releases/{version}/serve.sh"), &script, 0o755);
    artifact
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            Ok(kind) if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

fn assert_clean(place: &str, bytes: &[u8]) {
    for (what, leak) in leaks() {
        let found = bytes.windows(leak.len()).any(|part| part == leak.as_bytes());
        assert!(!found, "{what} is in {place}");
    }
}

#[test]
fn a_secret_is_nowhere_but_with_the_service() {
    let world = project(&indiscreet_prometheus());
    let serve = "exec \"$1\" sample-service --config service.json";
    let mut said: Vec<Said> = vec![world.deploy("1.0.0", &release(&world, "1.0.0", serve))];
    assert!(matches!(said[0].code, Some(0 | 2)), "{said:?}");
    // Then a smoke suite that talks, and a service that ends with its last words.
    let talks = format!("#!/bin/sh\n{LEAK}leak \"$(cat confidential/password)\" >&2\nexit 1\n");
    world.write_program("smoke.sh", &talks, 0o755);
    said.push(world.deploy("1.1.0", &release(&world, "1.1.0", serve)));
    world.write_program("smoke.sh", "#!/bin/sh\nexit 0\n", 0o755);
    said.push(world.deploy("1.2.0", &release(&world, "1.2.0", "exit 3")));
    for arguments in [
        &["status"][..],
        &["history"],
        &["logs", "api"],
        &["audit"],
        &["explain", "api"],
        &["status", "--output", "json"],
        &["audit", "--output", "json"],
    ] {
        said.push(world.pilotage(arguments));
    }

    for path in files(world.state().root()) {
        let bytes = fs::read(&path).unwrap();
        assert_clean(&path.display().to_string(), &bytes);
    }
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(arguments) = fs::read(entry.path().join("cmdline")) {
            assert_clean(&entry.path().join("cmdline").display().to_string(), &arguments);
        }
    }
    for said in &said {
        assert_clean("what a command says", format!("{}{}", said.stdout, said.stderr).as_bytes());
    }
    for path in ["/v1/status", "/v1/history", "/v1/audit", "/v1/logs?service=api&environment=dev"] {
        let answer = world.ask(async |client| client.get::<serde_json::Value>(path).await);
        let answer = answer.map_or_else(|error| format!("{error:?}"), |answer| answer.to_string());
        assert_clean(path, answer.as_bytes());
    }
    // It was there to be found: in the log, and in the reasons of what failed.
    let logs = world.pilotage(&["logs", "api"]).expect(0).stdout;
    assert!(logs.contains("raw [masked]") && logs.contains("{\"password\":\"[masked]\"}"), "{logs}");
    let whole = said.iter().map(|said| format!("{}{}", said.stdout, said.stderr)).collect::<String>();
    assert!(whole.contains("smoke `./smoke.sh`: exit status: 1: raw [masked]"), "{whole}");
    assert!(whole.contains("[masked]"), "{whole}");
}

#[test]
fn a_service_gets_a_changed_secret_while_it_runs() {
    let world = World::with(&format!(
        r#"project: world
services:
  api:
    run: [./serve.sh, "{PILOTAGE}", "$KEY"]
    artifact: releases/1.0.0
    health: {{ live: /health, ready: /ready, interval: 100ms }}
    start_timeout: 5s
    stop_grace: 2s
    reload: SIGHUP
    env: {{ KEY: {{ secret: "file:confidential/key", as: file }} }}
environments: {{ dev: {{ strategy: rolling }} }}
secrets: {{ refresh: 1s }}
"#
    ));
    world.write("confidential/key", "first-value-of-the-key");
    let artifact = world.release("1.0.0", "");
    let script = r#"#!/bin/sh
seen() { cp "$KEY" "$PILOTAGE_DATA/seen.part"; mv "$PILOTAGE_DATA/seen.part" "$PILOTAGE_DATA/seen"; echo "the key: $(cat "$KEY")"; }
trap seen HUP
seen
echo "file $KEY"
"$1" sample-service --config service.json &
while kill -0 $!; do wait $!; done
"#;
    world.write_program("releases/1.0.0/serve.sh", script, 0o755);
    world.deploy("1.0.0", &artifact).expect(0);
    let seen =
        files(&world.state().root().join("instances")).into_iter().find(|path| path.ends_with("data/seen"));
    let seen = seen.unwrap();
    assert_eq!(fs::read_to_string(&seen).unwrap(), "first-value-of-the-key");
    let logs = world.pilotage(&["logs", "api"]).expect(0).stdout;
    let file = logs.lines().find_map(|line| line.split_once("file /")).unwrap();
    let file = PathBuf::from(format!("/{}", file.1.trim()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(file.starts_with(world.state().run()), "it is not among what is kept: {}", file.display());
    let before = world.status();

    world.write("confidential/key", "second-value-of-the-key");
    let begun = Instant::now();
    while fs::read_to_string(&seen).unwrap() != "second-value-of-the-key" {
        assert!(begun.elapsed() < Duration::from_secs(60), "it was never told");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "second-value-of-the-key");
    let begun = Instant::now();
    let audit = loop {
        let audit = world.pilotage(&["audit", "--output", "json"]).expect(0).stdout;
        if audit.contains("workload.secrets_rotated") {
            break audit;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it was never recorded: {audit}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(audit.contains("file:confidential/key") && !audit.contains("value-of-the-key"), "{audit}");
    let logs = world.pilotage(&["logs", "api"]).expect(0).stdout;
    assert_eq!(logs.matches("the key: [masked]").count(), 2, "{logs}");
    assert!(!logs.contains("value-of-the-key"), "{logs}");
    // The same process served all the while.
    assert_eq!(format!("{:?}", before.version), format!("{:?}", world.status().version));

    world.pilotage(&["down"]).expect(0);
    assert!(!file.exists(), "{} is still there", file.display());
}
