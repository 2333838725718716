//! A project with the sample service, and its releases.

use std::path::{Path, PathBuf};

/// A release of the sample service.
#[derive(Clone)]
pub struct Sample {
    pub version: String,
    pub error_rate: f64,
    pub errors_after_ms: u64,
    pub latency_ms: u64,
    pub crash_after_ms: Option<u64>,
}

impl Sample {
    pub fn good(version: &str) -> Self {
        let version = version.to_owned();
        Self { version, error_rate: 0.0, errors_after_ms: 0, latency_ms: 0, crash_after_ms: None }
    }

    pub fn failing(version: &str, error_rate: f64) -> Self {
        Self { error_rate, ..Self::good(version) }
    }

    pub fn failing_later(version: &str, error_rate: f64, errors_after_ms: u64) -> Self {
        Self { errors_after_ms, ..Self::failing(version, error_rate) }
    }

    pub fn slow(version: &str, latency_ms: u64) -> Self {
        Self { latency_ms, ..Self::good(version) }
    }

    pub fn crashing(version: &str, after_ms: u64) -> Self {
        Self { crash_after_ms: Some(after_ms), ..Self::good(version) }
    }

    /// Writes the artifact, and says where.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let folder = folder.join(&self.version);
        std::fs::create_dir_all(&folder).unwrap();
        let settings = serde_json::json!({
            "version": self.version,
            "error_rate": self.error_rate,
            "errors_after_ms": self.errors_after_ms,
            "latency_ms": self.latency_ms,
            "crash_after_ms": self.crash_after_ms,
        });
        std::fs::write(folder.join("service.json"), settings.to_string()).unwrap();
        folder
    }
}

/// A file with the sample service as `api`, in `dev`, by the strategy whose lines are given.
pub fn sample_project(program: &str, replicas: u32, strategy: &str) -> String {
    format!(
        r#"project: world
services:
  api:
    run: ["{program}", "sample-service", "--settings", "service.json"]
    artifact: releases
    health: {{ live: /health, ready: /ready, interval: 100ms }}
    smoke: [["true", "$URL"]]
    replicas: {replicas}
environments:
  dev: {{ strategy: quick }}
strategies:
  quick:
    {strategy}
    roll_back_when: {{ min_requests: 20, p99_vs_stable: off, p95_vs_stable: off }}
"#
    )
}
