//! The Helm chart of the control plane: the plain manifests, with what differs from one installation to the next taken from
//! Helm's values.

use serde_json::Value;

use super::server::{ServerInstall, server_objects};
use super::to_yaml;

/// A file of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// Its path in the chart's folder.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// What Helm puts in the place of a word of ours.
struct Slot {
    word: &'static str,
    value: &'static str,
}

const NAMESPACE: Slot = Slot { word: "slot-of-namespace", value: ".Release.Namespace" };
const NAME: Slot = Slot { word: "slot-of-name", value: ".Release.Name" };
const IMAGE: Slot = Slot { word: "slot-of-image", value: ".Values.image" };
const PROJECT: Slot = Slot { word: "slot-of-project", value: ".Values.projectConfigMap" };
const TLS: Slot = Slot { word: "slot-of-tls", value: ".Values.tlsSecret" };
const STORAGE: Slot = Slot { word: "slot-of-storage", value: ".Values.storage" };
const STORAGE_CLASS: Slot = Slot { word: "slot-of-storage-class", value: ".Values.storageClass" };
/// The longer of two that begin alike comes first.
const SLOTS: [Slot; 6] = [NAMESPACE, NAME, IMAGE, PROJECT, TLS, STORAGE];

/// The files of the chart.
pub fn chart_files() -> Vec<ChartFile> {
    let install = ServerInstall {
        name: NAME.word.to_owned(),
        project_config_map: PROJECT.word.to_owned(),
        tls_secret: TLS.word.to_owned(),
        storage: STORAGE.word.to_owned(),
        storage_class: Some(STORAGE_CLASS.word.to_owned()),
        cluster_role: true,
        ..ServerInstall::new(NAMESPACE.word, IMAGE.word)
    };
    let mut files = vec![file("Chart.yaml", chart()), file("values.yaml", VALUES.to_owned())];
    files.extend(server_objects(&install).iter().map(template));
    files
}

fn file(path: &str, text: String) -> ChartFile {
    ChartFile { path: path.to_owned(), text }
}

fn chart() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "apiVersion: v2\nname: pilotage\ndescription: The control plane of Pilotage\ntype: application\n\
         version: {version}\nappVersion: {version}\nkubeVersion: \">=1.20.0-0\"\n"
    )
}

const VALUES: &str = "\
# The image that holds `pilotage`, with tag or digest. Edge pods get the same.
image: \"\"
# The ConfigMap with pilotage.yaml and the files that it names.
projectConfigMap: pilotage-project
# The Secret with tls.crt and tls.key, of type kubernetes.io/tls.
tlsSecret: pilotage-tls
# The size of the volume of the journal.
storage: 2Gi
# The class of that volume; empty leaves the choice to the cluster.
storageClass: \"\"
# Also a ClusterRole that may read the UID of the namespace kube-system, by which one cluster is told from another.
clusterRole: false
";

fn template(object: &Value) -> ChartFile {
    let kind = object["kind"].as_str().unwrap_or_default();
    let text: String = to_yaml(object).lines().map(filled).collect();
    let text = if kind.starts_with("Cluster") {
        format!("{{{{- if .Values.clusterRole }}}}\n{text}{{{{- end }}}}\n")
    } else {
        text
    };
    ChartFile { path: format!("templates/{}.yaml", dashed(kind)), text }
}

/// A line with Helm's words in the place of ours. A whole value is quoted, so that a name such as `123` stays a text.
fn filled(line: &str) -> String {
    let (beginning, value) = match line.rfind(' ') {
        Some(space) => line.split_at(space + 1),
        None => ("", line),
    };
    if value == STORAGE_CLASS.word {
        return format!(
            "{{{{- with {} }}}}\n{beginning}{{{{ . | quote }}}}\n{{{{- end }}}}\n",
            STORAGE_CLASS.value
        );
    }
    // A chart without an image would start nothing, and say so only in the pods.
    if value == IMAGE.word {
        return format!(
            "{beginning}{{{{ required \"image: which image holds pilotage?\" {} | quote }}}}\n",
            IMAGE.value
        );
    }
    let whole = SLOTS.iter().find(|slot| slot.word == value);
    if let Some(slot) = whole {
        return format!("{beginning}{{{{ {} | quote }}}}\n", slot.value);
    }
    let words = |text: String, slot: &Slot| text.replace(slot.word, &format!("{{{{ {} }}}}", slot.value));
    format!("{}\n", SLOTS.iter().fold(line.to_owned(), words))
}

/// `ServiceAccount` as `service-account`.
fn dashed(kind: &str) -> String {
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
