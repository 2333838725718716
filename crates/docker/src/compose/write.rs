//! The first `pilotage.yaml` of a project that had a Compose file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::service::{Service, Variable};

/// The text of the file.
pub(super) fn file(project: &str, services: &BTreeMap<String, Service>) -> String {
    let mut text = String::from(
        "# How this project is deployed. Written from a Compose file; it is yours from here on.\n\
         # `pilotage check` checks it, `pilotage schema` tells editors what may stand here.\n",
    );
    text.push_str(&format!("project: {project}\n\nservices:\n"));
    for (name, service) in services {
        text.push_str(&format!("  {name}:\n"));
        for line in lines(name, service) {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text.push_str("\nenvironments:\n  dev:\n");
    text.push_str(&format!("    target: {{ docker: {{ {} }} }}\n", settings(services)));
    text.push_str("    strategy: rolling\n");
    text
}

fn lines(name: &str, service: &Service) -> Vec<String> {
    let image = service.image.clone().unwrap_or_else(|| name.to_owned());
    let mut lines = vec![format!("image: {}", json!(image))];
    let quoted = |text: &String| json!(text.replace('$', "$$")).to_string();
    if !service.run.is_empty() {
        let words: Vec<String> = service.run.iter().map(quoted).collect();
        lines.push(format!("run: [{}]", words.join(", ")));
    }
    lines.extend(service.port.map(|port| format!("port: {port}")));
    lines.extend(service.container_port.map(|port| format!("container_port: {port}")));
    if let Some(path) = &service.health {
        let mut fields = vec![format!("live: {}", json!(path)), format!("ready: {}", json!(path))];
        fields.extend(service.interval.as_ref().map(|interval| format!("interval: {interval}")));
        fields.extend(service.timeout.as_ref().map(|timeout| format!("timeout: {timeout}")));
        lines.push(format!("health: {{ {} }}", fields.join(", ")));
    }
    lines.extend(service.replicas.map(|count| format!("replicas: {count}")));
    let resources: Vec<String> = [("cpu", &service.cpu), ("memory", &service.memory)]
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}: {}", json!(value))))
        .collect();
    if !resources.is_empty() {
        lines.push(format!("resources: {{ {} }}", resources.join(", ")));
    }
    lines.extend(service.stop_grace.as_ref().map(|grace| format!("stop_grace: {grace}")));
    if !service.needs.is_empty() {
        lines.push(format!("needs: [{}]", service.needs.join(", ")));
    }
    if !service.env.is_empty() {
        lines.push("env:".to_owned());
        lines.extend(service.env.iter().map(|(name, value)| match value {
            Variable::Plain(text) => format!("  {name}: {}", json!(text)),
            Variable::Secret(reference) => format!("  {name}: {{ secret: {} }}", json!(reference)),
        }));
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
