//! What lies in `deploy/` is what the program prints, and the chart says the same as the plain manifests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::*;

fn deploy_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn server() -> ServerInstall {
    ServerInstall::new("shop", "registry.example.com/pilotage:1.0.0")
}

fn edge() -> EdgeInstall {
    EdgeInstall {
        namespace: "shop".into(),
        project: "shop".parse().unwrap(),
        environment: "production".parse().unwrap(),
        image: "registry.example.com/pilotage:1.0.0".into(),
        image_pull_secrets: vec![],
        replicas: 2,
        policy_v1: true,
        ours: false,
    }
}

/// A file of `deploy/` must say this; with the variable set, it is written so.
fn expect_file(path: &Path, text: &str) {
    if std::env::var_os("PILOTAGE_WRITE_DEPLOY").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} is not what the program prints; PILOTAGE_WRITE_DEPLOY=1 with this test writes it\n{text}",
        path.display()
    );
}

#[test]
fn the_plain_manifests_are_those_that_the_program_prints() {
    let folder = deploy_folder().join("kubernetes");
    expect_file(&folder.join("control-plane.yaml"), &manifests(&server_objects(&server())));
    expect_file(&folder.join("edge.yaml"), &manifests(&edge_objects(&edge())));
}

#[test]
fn the_chart_is_the_one_that_the_program_makes() {
    let folder = deploy_folder().join("charts/pilotage");
    let files = chart_files();
    for file in &files {
        expect_file(&folder.join(&file.path), &file.text);
    }
    let templates = fs::read_dir(folder.join("templates")).unwrap().count();
    assert_eq!(templates + 2, files.len(), "a template lies there that the program does not make");
}

/// As much of Helm as the chart uses.
fn rendered(template: &str, values: &BTreeMap<&str, &str>) -> String {
    let value = |path: &str| *values.get(path).unwrap_or_else(|| panic!("{path} has no value"));
    let mut text = String::new();
    // What `.` is; `None` where lines are left out.
    let mut inside: Vec<Option<&str>> = Vec::new();
    for line in template.lines() {
        if let Some(path) = line.strip_prefix("{{- if ").or_else(|| line.strip_prefix("{{- with ")) {
            let value = value(path.strip_suffix(" }}").unwrap());
            inside.push(Some(value).filter(|value| !value.is_empty() && *value != "false"));
        } else if line == "{{- end }}" {
            inside.pop().unwrap();
        } else if inside.iter().all(Option::is_some) {
            let mut rest = line;
            while let Some((before, action)) = rest.split_once("{{ ") {
                let (action, after) = action.split_once(" }}").unwrap();
                let mut words = action.rsplit(' ').filter(|word| *word != "|" && *word != "quote");
                let path = words.next().unwrap();
                let found = if path == "." { inside.last().unwrap().unwrap() } else { value(path) };
                text.push_str(before);
                text.push_str(&if action.ends_with("| quote") {
                    format!("{found:?}")
                } else {
                    found.to_owned()
                });
                rest = after;
            }
            text.push_str(rest);
            text.push('\n');
        }
    }
    text
}

/// Values that are quoted where they need not be are the same.
fn unquoted(text: &str) -> Vec<String> {
    text.lines().map(|line| line.replace('"', "")).collect()
}

#[test]
fn the_chart_says_the_same_as_the_plain_manifests() {
    for (storage_class, cluster_role) in [(None, false), (Some("fast"), true)] {
        let install =
            ServerInstall { storage_class: storage_class.map(str::to_owned), cluster_role, ..server() };
        let values = BTreeMap::from([
            (".Release.Namespace", "shop"),
            (".Release.Name", "pilotage"),
            (".Values.image", "registry.example.com/pilotage:1.0.0"),
            (".Values.projectConfigMap", "pilotage-project"),
            (".Values.tlsSecret", "pilotage-tls"),
            (".Values.storage", "2Gi"),
            (".Values.storageClass", storage_class.unwrap_or("")),
            (".Values.clusterRole", if cluster_role { "true" } else { "false" }),
        ]);
        let templates = chart_files().into_iter().filter(|file| file.path.starts_with("templates/"));
        let chart: Vec<String> = templates.map(|file| rendered(&file.text, &values)).collect();
        let chart: Vec<&String> = chart.iter().filter(|text| !text.is_empty()).collect();
        let plain = server_objects(&install);
        assert_eq!(chart.len(), plain.len());
        for (chart, plain) in chart.into_iter().zip(&plain) {
            assert_eq!(unquoted(chart), unquoted(&to_yaml(plain)));
        }
    }
}

#[test]
fn helm_renders_the_chart_as_the_plain_manifests() {
    // Helm is in no package of Debian; what it does here is done by `rendered` above, too.
    let Ok(helm) = Command::new("helm")
        .args(["template", "pilotage"])
        .arg(deploy_folder().join("charts/pilotage"))
        .args(["--namespace", "shop", "--set", "image=registry.example.com/pilotage:1.0.0"])
        .output()
    else {
        eprintln!("helm is not installed; its own rendering is not compared");
        return;
    };
    assert!(helm.status.success(), "{}", String::from_utf8_lossy(&helm.stderr));
    let written = String::from_utf8(helm.stdout).unwrap();
    let documents = |text: &str| {
        let kept = |part: &str| {
            let lines = part.lines().filter(|line| !line.starts_with("# Source") && !line.is_empty());
            lines.map(|line| line.replace('"', "")).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = text.split("---\n").map(kept).filter(|part| !part.is_empty()).collect();
        all.sort();
        all
    };
    assert_eq!(documents(&written), documents(&manifests(&server_objects(&server()))));
}

fn pod(objects: &[Value]) -> &Value {
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    &deployment["spec"]["template"]["spec"]
}

#[test]
fn no_pod_of_ours_may_more_than_it_needs() {
    for objects in [server_objects(&server()), edge_objects(&edge())] {
        let pod = pod(&objects);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let containers = pod["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1);
        let security = &containers[0]["securityContext"];
        assert_eq!(security["readOnlyRootFilesystem"], true);
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
    }
}

#[test]
fn no_role_is_granted_everything_or_may_raise_itself() {
    let objects = [server_objects(&ServerInstall { cluster_role: true, ..server() }), edge_objects(&edge())];
    let roles = objects.iter().flatten().filter(|object| object["kind"].as_str().unwrap().ends_with("Role"));
    let rules: Vec<&Value> = roles.flat_map(|role| role["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 20);
    for rule in rules {
        let words = ["apiGroups", "resources", "verbs"].map(|part| rule[part].as_array().unwrap());
        for word in words.into_iter().flatten() {
            assert!(!["*", "escalate", "bind", "impersonate"].contains(&word.as_str().unwrap()), "{rule}");
        }
    }
}

#[test]
fn what_the_control_plane_hands_to_the_edge_it_has_itself() {
    let covers = |rule: &Value| {
        let group = rule["apiGroups"][0].as_str().unwrap();
        let has = |resource: &str, verb: &str| {
            server_rules().any(|own| {
                own.group == group
                    && own.names.is_empty()
                    && own.resources.contains(&resource)
                    && own.verbs.contains(&verb)
            })
        };
        let words = |part: &str| rule[part].as_array().unwrap().clone();
        words("resources").iter().all(|resource| {
            words("verbs").iter().all(|verb| has(resource.as_str().unwrap(), verb.as_str().unwrap()))
        })
    };
    let objects = edge_objects(&edge());
    let role = objects.iter().find(|object| object["kind"] == "Role").unwrap();
    for rule in role["rules"].as_array().unwrap() {
        assert!(covers(rule), "{rule}");
    }
}

#[test]
fn the_page_shows_every_rule_and_what_it_is_for() {
    let page = fs::read_to_string(deploy_folder().join("../docs/in-cluster.md")).unwrap();
    for Rule { group, resources, verbs, why, .. } in server_rules() {
        let group = if group.is_empty() { "core" } else { group };
        let row = format!("| {group} | {} | {} | {why} |", resources.join(", "), verbs.join(", "));
        assert!(page.contains(&row), "docs/in-cluster.md lacks the row\n{row}");
    }
}

#[test]
fn a_pod_is_stopped_only_when_its_connections_had_time_to_end() {
    let objects = edge_objects(&edge());
    let pod = pod(&objects);
    let leaving = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"].as_array().unwrap();
    let seconds = |text: &str| text.strip_suffix('s').unwrap().parse::<u64>().unwrap();
    let leaves = seconds(leaving.last().unwrap().as_str().unwrap());
    let arguments = pod["containers"][0]["args"].as_array().unwrap();
    let grace = arguments.iter().position(|word| word == "--grace").unwrap();
    let grace = seconds(arguments[grace + 1].as_str().unwrap());
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > leaves + grace);
    // Readiness is asked for every two seconds: the API server hears of it well before the end of the pause.
    assert!(leaves >= 5);
}
