//! How to reach the API server: kubeconfig files. They are YAML, of which JSON is a part.

use std::path::Path;

use serde_json::{Value, json};

/// For a person or program that signs in by this token.
pub(crate) fn with_token(server: &str, authority: &Path, user: &str, token: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "rig",
        "clusters": [{"name": "rig", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": user}}],
    })
}
