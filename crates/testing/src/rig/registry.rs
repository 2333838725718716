//! An image registry on 127.0.0.1, which engines trust there without a certificate.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::daemon::Daemon;
use super::program::REGISTRY;
use super::{RigError, folder, http, wait};

const READY_TIME: Duration = Duration::from_secs(30);

/// The registry, not yet started, with who may come in if not everybody may. Its configuration is YAML, of which JSON is a
/// part.
pub(crate) fn daemon(run: &Path, port: u16, access: Option<Value>) -> Result<Daemon, RigError> {
    let mut configuration = json!({
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {
            "filesystem": {"rootdirectory": run.join("registry")},
            "delete": {"enabled": true},
        },
        "http": {"addr": format!("127.0.0.1:{port}")},
    });
    if let Some(access) = access {
        configuration["auth"] = access;
    }
    let path = run.join("registry.yml");
    folder::write(&path, configuration.to_string())?;
    Ok(Daemon::new("registry", REGISTRY.path(), run).argument("serve").argument(folder::text(&path)))
}

/// Waits until it answers, be it that nobody comes in unknown.
pub(crate) fn ready(daemon: &Daemon, address: &str) -> Result<(), RigError> {
    wait::ready(daemon, READY_TIME, || {
        http::get(address, "/v2/").is_ok_and(|(status, _)| matches!(status, 200 | 401))
    })
}
