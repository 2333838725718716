//! The folder in which the demo plays, and its end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pilotage_server::{DownBody, StateFolder};
use serde_json::json;
use tempfile::TempDir;

use crate::commands::stop_all;
use crate::connect::connect;
use crate::failure::Failure;
use crate::place::Place;
use crate::printer::Printer;
use crate::reach::Reach;

/// The share of the requests that 1.2.0 fails.
const BAD_SHARE: f64 = 0.1;

/// The folder in which the demo plays.
pub struct Stage {
    folder: TempDir,
    pub place: Place,
}

impl Stage {
    /// Writes a project with three releases of the sample service.
    pub fn build() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("pilotage-demo-").tempdir()?;
        let root = fs::canonicalize(folder.path())?;
        let file = root.join("pilotage.yaml");
        fs::write(&file, project(&std::env::current_exe()?)?)?;
        for (version, error_rate) in [("1.0.0", 0.0), ("1.1.0", 0.0), ("1.2.0", BAD_SHARE)] {
            let release = root.join("releases").join(version);
            fs::create_dir_all(&release)?;
            let settings = json!({ "version": version, "error_rate": error_rate });
            fs::write(release.join("service.json"), settings.to_string())?;
        }
        let state = StateFolder::at(&root.join(".pilotage"))?;
        Ok(Self { folder, place: Place { file, state, reach: Reach::default() } })
    }

    /// The artifact of a version.
    pub fn release(&self, version: &str) -> PathBuf {
        self.root().join("releases").join(version)
    }

    fn root(&self) -> &Path {
        self.place.file.parent().unwrap_or(Path::new("/"))
    }

    /// Stops everything and removes the folder. A server that is not there is started once more: what it had started may
    /// still run.
    pub async fn strike(self, printer: &Printer) -> Result<(), Failure> {
        if self.place.state.journal().exists() {
            let client = connect(&self.place, &printer.silent()).await?;
            let body = DownBody { command: "pilotage demo".to_owned(), force: true };
            stop_all(&client, &body).await?;
        }
        self.folder
            .close()
            .map_err(|error| Failure::failed(format!("cannot remove the demo's folder: {error}")))
    }

    /// Leaves everything as it is, and says how to play with it.
    pub fn keep(self, printer: &Printer) {
        let folder = self.folder.keep();
        printer.say(format!("everything is left running in {}", folder.display()));
        printer.hint(format!("cd {}", folder.display()));
        printer.hint("pilotage status --watch");
        printer.hint("pilotage deploy api 1.3.0 --artifact releases/1.1.0");
        printer.hint("pilotage down, and remove the folder, to end it");
    }
}

/// Short times, so that everything is seen within half a minute. Latency is not compared: on a machine that is busy with
/// other things its tail says nothing about a release.
fn project(program: &Path) -> io::Result<String> {
    let program = serde_json::to_string(&program.to_string_lossy())?;
    Ok(format!(
        "\
# A project of the demo: `pilotage check` reads it, `pilotage status` shows it.
project: demo
services:
  api:
    run: [{program}, sample-service, --config, service.json]
    artifact: releases/1.0.0
    health: {{ live: /health, ready: /ready, interval: 200ms }}
    replicas: 2
    stop_grace: 2s
environments:
  dev: {{ strategy: quick-canary }}
strategies:
  quick-canary:
    canary: {{ steps: [10, 50, 100], watch: 3s, soak: 2s }}
    roll_back_when: {{ p99_vs_stable: off, p95_vs_stable: off }}
"
    ))
}
