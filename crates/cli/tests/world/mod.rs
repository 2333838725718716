//! A project in a folder of its own, and the real binary. Whatever it starts ends with it.

#![allow(dead_code, reason = "each test file uses its own part of the world")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pilotage_server::{Client, DownBody, DownDone, Health, StateFolder, StatusReport};
use pilotage_views::WorkloadStatus;
use tempfile::TempDir;

pub const PILOTAGE: &str = env!("CARGO_BIN_EXE_pilotage");
/// No command of these tests takes nearly as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct World {
    folder: TempDir,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self { folder: tempfile::Builder::new().prefix("pw-").tempdir().unwrap() }
    }

    pub fn with(file: &str) -> Self {
        let world = Self::empty();
        world.write("pilotage.yaml", file);
        world
    }

    /// A project with the sample service as `api`, in `dev` by the given strategy, and in `production`.
    pub fn sample(strategy: &str) -> Self {
        Self::with(&format!(
            r#"project: world
services:
  api:
    run: ["{PILOTAGE}", sample-service, --config, service.json]
    artifact: releases/1.0.0
    health: {{ live: /health, ready: /ready, interval: 100ms }}
    replicas: 1
    start_timeout: 2s
    stop_grace: 2s
environments:
  dev: {{ strategy: quick }}
  production: {{ strategy: quick, policy: {{ level: open, confirm: true, gradual: true, inconclusive: raise }} }}
strategies:
  quick:
    {strategy}
    roll_back_when: {{ min_requests: 20, p99_vs_stable: off, p95_vs_stable: off }}
"#
        ))
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn write_program(&self, name: &str, text: &str, mode: u32) {
        let path = self.write(name, text);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A release of the sample service; the settings are fields of JSON, each followed by a comma.
    pub fn release(&self, version: &str, settings: &str) -> String {
        let path = self.write(
            &format!("releases/{version}/service.json"),
            &format!("{{ {settings} \"version\": \"{version}\" }}"),
        );
        path.parent().unwrap().to_str().unwrap().to_owned()
    }

    /// Runs a command in the project's folder, and waits for its end.
    pub fn pilotage(&self, arguments: &[&str]) -> Said {
        self.pilotage_in(".", arguments)
    }

    pub fn pilotage_in(&self, folder: &str, arguments: &[&str]) -> Said {
        wait(self.start_in(folder, arguments))
    }

    /// Runs a command, and does not wait.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.start_in(".", arguments)
    }

    fn start_in(&self, folder: &str, arguments: &[&str]) -> Child {
        Command::new(PILOTAGE)
            .args(arguments)
            .current_dir(self.root().join(folder))
            .env_remove("PILOTAGE_STATE")
            .env_remove("PILOTAGE_SERVER")
            .env_remove("PILOTAGE_TOKEN")
            .env_remove("PILOTAGE_ID_TOKEN")
            .env("XDG_CONFIG_HOME", self.root().join("config"))
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn deploy(&self, version: &str, artifact: &str) -> Said {
        self.pilotage(&["deploy", "api", version, "--artifact", artifact])
    }

    pub fn state(&self) -> StateFolder {
        StateFolder::at(&self.root().join(".pilotage")).unwrap()
    }

    pub fn ask<T>(&self, question: impl AsyncFnOnce(Client) -> T) -> T {
        let client = Client::new(self.state().socket());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(question(client))
    }

    /// `api` in `dev`, as the server says.
    pub fn status(&self) -> WorkloadStatus {
        let report: StatusReport =
            self.ask(async |client| client.get("/v1/status?environment=dev&service=api").await).unwrap();
        report.workloads.into_iter().next().unwrap()
    }

    pub fn serving(&self) -> String {
        self.status().version.map(|version| version.to_string()).unwrap_or_default()
    }

    pub fn server_pid(&self) -> u32 {
        self.ask(async |client| client.get::<Health>("/v1/health").await).unwrap().pid
    }

    /// Waits until the status is as wished.
    pub fn until(&self, what: &str, wished: impl Fn(&WorkloadStatus) -> bool) -> WorkloadStatus {
        let begun = Instant::now();
        loop {
            let status = self.status();
            if wished(&status) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} never came: {status:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What is always different, made always the same.
    pub fn tidy(&self, text: &str) -> String {
        let root = fs::canonicalize(self.root()).unwrap();
        text.replace(root.to_str().unwrap(), "[ROOT]").replace(PILOTAGE, "[PILOTAGE]")
    }
}

/// Waits for the end of a command; one that hangs is killed.
pub fn wait(mut child: Child) -> Said {
    fn read(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        })
    }
    let stdout = read(child.stdout.take().unwrap());
    let stderr = read(child.stderr.take().unwrap());
    let begun = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the command hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Said { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

impl Said {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Both outputs and the exit status, for a snapshot.
    pub fn whole(&self) -> String {
        format!("{}{}[exit {}]", self.stdout, self.stderr, self.code.unwrap_or(-1))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.state().journal().exists() {
            return;
        }
        // A server that was killed has left its instances behind; only another one knows them.
        let _ = wait(self.start(&["up"]));
        let down = self.ask(async |client| {
            let body = DownBody { command: "end of the test".to_owned(), force: true };
            client.post::<DownDone>("/v1/down", &body).await
        });
        if let (Err(error), false) = (down, std::thread::panicking()) {
            // Some tests break the journal on purpose; then nothing runs either.
            eprintln!("not stopped: {error}");
        }
        let begun = Instant::now();
        let gone = || self.ask(async |client| client.get::<Health>("/v1/health").await).is_err();
        while !gone() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
