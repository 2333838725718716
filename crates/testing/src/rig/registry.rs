//! An image registry on 127.0.0.1, which engines trust there without a certificate.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::daemon::Daemon;
use super::program::REGISTRY;
use super::{RigError, folder, http, wait};

const READY_TIME: Duration = Duration::from_secs(30);

/// The registry, not yet started. Its configuration is YAML, of which JSON is a part.
pub(crate) fn daemon(run: &Path, port: u16) -> Result<Daemon, RigError> {
    let configuration = json!({
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {
            "filesystem": {"rootdirectory": run.join("registry")},
            "delete": {"enabled": true},
        },
        "http": {"addr": format!("127.0.0.1:{port}")},
    });
    let path = run.join("registry.yml");
    folder::write(&path, configuration.to_string())?;
    Ok(Daemon::new("registry", REGISTRY.path(), run).argument("serve").argument(folder::text(&path)))
}

/// Waits until it answers.
pub(crate) fn ready(daemon: &Daemon, address: &str) -> Result<(), RigError> {
    wait::ready(daemon, READY_TIME, || http::get(address, "/v2/").is_ok_and(|(status, _)| status == 200))
}
