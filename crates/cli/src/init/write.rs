//! The first `pilotage.yaml` of a project.

use super::Found;

/// The text of the file.
pub fn file(found: &Found) -> String {
    let Found { kind, name, run, artifact, build, .. } = found;
    let quoted = |text: &String| serde_json::to_string(text).unwrap_or_default();
    let run: Vec<String> = run.iter().map(quoted).collect();
    let run = run.join(", ");
    let artifact = quoted(artifact);
    let build = build.as_ref().map(|build| format!("\n    # built by: {build}")).unwrap_or_default();
    format!(
        "\
# How this project is deployed. Written by `pilotage init` for {kind}; it is yours from here on.
# `pilotage check` checks it, `pilotage schema` tells editors what may stand here.
project: {name}

services:
  {name}:
    # Program and arguments. The port to listen on is in the variable PORT, and stands for $PORT here.
    run: [{run}]
    # What is deployed: a file, a folder or an archive.{build}
    artifact: {artifact}
    # What is asked before an instance gets traffic, and ever after. Without it, an open port is enough.
    # health: {{ live: /health, ready: /ready }}
    # Two, so that one serves while the other is replaced.
    replicas: 2
    # env:
    #   LOG: info
    #   DATABASE_URL: {{ secret: \"env:DATABASE_URL\" }}

environments:
  # For trying things out.
  dev: {{ strategy: quick }}
  # A growing share of the users, watched at each step. By default it asks for two approvals, a change ticket, a smoke suite
  # and more: `pilotage gates` shows what is missing. While you are alone, `policy: {{ level: open }}` asks for nothing.
  production: {{ strategy: canary }}

strategies:
  # One instance at a time, each watched for two seconds; the old version stays ready for ten more.
  quick:
    rolling: {{ watch: 2s, soak: 10s }}
"
    )
}
