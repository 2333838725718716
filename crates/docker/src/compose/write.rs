//! The first `pilotage.yaml` of a project that had a Compose file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Remarks;
use super::service::{Service, Variable};
use super::trial::passes;

/// The text of the file. What its reader would refuse is left out, and said.
pub(super) fn file(project: &str, services: &BTreeMap<String, Service>, remarks: &mut Remarks) -> String {
    let mut text = String::from(
        "# How this project is deployed. Written from a Compose file; it is yours from here on.\n\
         # `pilotage check` checks it, `pilotage schema` tells editors what may stand here.\n",
    );
    text.push_str(&format!("project: {project}\n\nservices:\n"));
    for (name, service) in services {
        text.push_str(&format!("  {name}:\n"));
        for line in lines(name, service, remarks) {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text.push_str("\nenvironments:\n  dev:\n");
    text.push_str(&format!("    target: {{ docker: {{ {} }} }}\n", settings(services)));
    text.push_str("    strategy: rolling\n");
    if services.values().any(|service| service.port.is_some()) {
        text.push_str(
            "    # Services are reached from this machine alone. Compose publishes ports to everybody:\n",
        );
        text.push_str("    # listen: 0.0.0.0\n");
    }
    text
}

fn lines(name: &str, service: &Service, remarks: &mut Remarks) -> Vec<String> {
    let image = service.image.clone().unwrap_or_else(|| name.to_owned());
    let mut lines = vec![format!("image: {}", json!(image))];
    for (key, line) in fields(service) {
        if passes(&line, &service.place(key), remarks) {
            lines.push(line);
        }
    }
    if !service.needs.is_empty() {
        lines.push(format!("needs: [{}]", service.needs.join(", ")));
    }
    let variables = variables(service, remarks);
    if !variables.is_empty() {
        lines.push("env:".to_owned());
        lines.extend(variables);
    }
    lines
}

/// Lines of their own, each with the key of Compose that it comes from.
fn fields(service: &Service) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let quoted = |text: &String| json!(text.replace('$', "$$")).to_string();
    if !service.run.is_empty() {
        let words: Vec<String> = service.run.iter().map(quoted).collect();
        fields.push(("entrypoint", format!("run: [{}]", words.join(", "))));
    }
    fields.extend(service.port.map(|port| ("ports", format!("port: {port}"))));
    fields.extend(service.container_port.map(|port| ("ports", format!("container_port: {port}"))));
    if let Some(path) = &service.health {
        let mut probes = vec![format!("live: {}", json!(path)), format!("ready: {}", json!(path))];
        probes.extend(service.interval.as_ref().map(|interval| format!("interval: {interval}")));
        probes.extend(service.timeout.as_ref().map(|timeout| format!("timeout: {timeout}")));
        fields.push(("healthcheck", format!("health: {{ {} }}", probes.join(", "))));
    }
    fields.extend(service.replicas.map(|count| ("scale", format!("replicas: {count}"))));
    let resources: Vec<String> = [("cpu", &service.cpu), ("memory", &service.memory)]
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}: {}", json!(value))))
        .collect();
    if !resources.is_empty() {
        fields.push(("deploy", format!("resources: {{ {} }}", resources.join(", "))));
    }
    let grace = service.stop_grace.as_ref();
    fields.extend(grace.map(|grace| ("stop_grace_period", format!("stop_grace: {grace}"))));
    fields
}

/// The lines below `env`.
fn variables(service: &Service, remarks: &mut Remarks) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in &service.env {
        let value = match value {
            Variable::Plain(text) => json!(text).to_string(),
            Variable::Secret(reference) => format!("{{ secret: {} }}", json!(reference)),
        };
        let place = service.place(&format!("environment.{name}"));
        if passes(&format!("env: {{ {}: {value} }}", json!(name)), &place, remarks) {
            lines.push(format!("  {name}: {value}"));
        }
    }
    lines
}

/// What the environment's containers may do: what one of the services may do in Compose.
fn settings(services: &BTreeMap<String, Service>) -> String {
    let mut fields = Vec::new();
    if services.values().any(|service| !service.is_read_only) {
        fields.push("writable_root: true".to_owned());
    }
    let capabilities: BTreeSet<&String> =
        services.values().flat_map(|service| &service.capabilities).collect();
    if !capabilities.is_empty() {
        let words: Vec<String> = capabilities.into_iter().map(|word| json!(word).to_string()).collect();
        fields.push(format!("capabilities: [{}]", words.join(", ")));
    }
    if fields.is_empty() { "host: \"unix:///var/run/docker.sock\"".to_owned() } else { fields.join(", ") }
}
