//! Rights as a real API server with RBAC knows them.

use std::fs;
use std::path::Path;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use pilotage_spec::KubernetesTraffic;
use pilotage_targets::{TargetError, Verdict};
use pilotage_testing::need_kube;
use pilotage_testing::rig::Kube;
use pilotage_testing::rig::kube::{LIMITED, PILOTAGE};

use crate::cluster::Cluster;
use crate::identity::{ClusterIdentity, Identities};
use crate::names::Owner;
use crate::preflight::inspect::inspect_namespace;
use crate::preflight::{missing, needs};

/// A namespace that goes when the test ends.
struct Namespace<'a> {
    kube: &'a Kube,
    name: String,
}

impl<'a> Namespace<'a> {
    fn new(kube: &'a Kube, name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        kube.kubectl(&["create", "namespace", &name]).unwrap();
        Self { kube, name }
    }

    fn apply(&self, text: &str) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("objects.yaml");
        fs::write(&file, text).unwrap();
        self.kube.kubectl(&["apply", "--filename", file.to_str().unwrap()]).unwrap();
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        let _ = self.kube.kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

async fn config(kube: &Kube, user: &str) -> Config {
    let path = kube.kubeconfig_of(user).unwrap();
    let read = Kubeconfig::read_from(path).unwrap();
    Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap()
}

async fn cluster(kube: &Kube, user: &str, namespace: &str) -> Cluster {
    let client = Client::try_from(config(kube, user).await).unwrap();
    let owner = Owner { project: "shop".parse().unwrap(), environment: "dev".parse().unwrap() };
    Cluster::new("the cluster".to_owned(), client, namespace.to_owned(), "pilotage".to_owned(), owner)
}

#[tokio::test]
async fn what_is_missing_is_named_and_the_printed_role_allows_it() {
    let Some(kube) = need_kube("rights") else { return };
    let namespace = Namespace::new(&kube, "rights");
    let cluster = cluster(&kube, PILOTAGE, &namespace.name).await;
    let needs = needs(&namespace.name, &KubernetesTraffic::Edge, &[]);

    let found = missing(&cluster, &needs).await.unwrap();
    assert_eq!(
        found.needed.len() + found.optional.len(),
        needs.len(),
        "without any Role, nothing is allowed"
    );
    let Err(TargetError::Forbidden { what, rule }) = found.refuse() else { panic!("not refused") };
    assert!(what.contains(&namespace.name) && what.contains("deployments.apps"), "{what}");
    assert!(rule.contains("name: \"pilotage\""), "whoever asks is said: {rule}");

    // A part of it is allowed: only the rest is missing.
    let part = "- { apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, create] }\n";
    let role = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{ name: part, namespace: {0} }}\nrules:\n{part}---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{ name: part, namespace: {0} }}\n\
         roleRef: {{ kind: Role, name: part, apiGroup: rbac.authorization.k8s.io }}\n\
         subjects: [{{ kind: User, name: pilotage, apiGroup: rbac.authorization.k8s.io }}]\n",
        namespace.name
    );
    namespace.apply(&role);
    let rest = missing(&cluster, &needs).await.unwrap();
    let of_deployments: Vec<&str> = rest
        .needed
        .iter()
        .filter(|need| need.resource == "deployments")
        .map(|need| need.verb.as_str())
        .collect();
    assert_eq!(of_deployments, ["delete", "patch"]);

    namespace.apply(&rest.roles());
    let none = missing(&cluster, &needs).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
}

#[tokio::test]
async fn a_target_is_inspected_with_its_version_identity_namespace_and_rights() {
    let Some(kube) = need_kube("inspection") else { return };
    let namespace = Namespace::new(&kube, "inspected");
    let traffic = KubernetesTraffic::Istio { gateways: Vec::new() };
    let identity = ClusterIdentity { uid: Some("one".to_owned()), authority: None };

    let limited = cluster(&kube, LIMITED, &namespace.name).await;
    let inspection = inspect_namespace(&limited, &identity, &traffic).await;
    let found =
        |subject: &str| inspection.findings.iter().find(|finding| finding.subject == subject).unwrap();
    assert!(found("server").text.contains("v1."), "{}", found("server").text);
    assert_eq!((found("identity").verdict, found("namespace").verdict), (Verdict::Good, Verdict::Note));
    assert_eq!(found("rights").verdict, Verdict::Bad);
    let roles = inspection
        .findings
        .iter()
        .find_map(|finding| finding.mend.as_ref().filter(|mend| mend.contains("kind: Role")));
    assert!(roles.is_some_and(|roles| roles.contains("virtualservices")), "{inspection:?}");
    assert!(!inspection.is_good());

    let admin = cluster(&kube, pilotage_testing::rig::kube::ADMIN, &namespace.name).await;
    let inspection = inspect_namespace(&admin, &identity, &KubernetesTraffic::Service).await;
    assert!(inspection.is_good(), "{inspection:?}");
    let absent = cluster(&kube, pilotage_testing::rig::kube::ADMIN, "no-such-namespace").await;
    let inspection = inspect_namespace(&absent, &identity, &KubernetesTraffic::Service).await;
    let words: Vec<&str> = inspection.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert!(words.iter().any(|text| text.contains("no-such-namespace is not there")), "{words:?}");
}

#[tokio::test]
async fn a_real_cluster_is_known_again_and_another_one_in_its_place_refused() {
    let Some(kube) = need_kube("identity") else { return };
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::at(folder.path());
    let admin = config(&kube, pilotage_testing::rig::kube::ADMIN).await;
    let authorities = admin.root_cert.clone();
    let client = Client::try_from(admin).unwrap();
    let first = identities.verify("shop", &client, authorities.as_deref()).await.unwrap();
    assert!(first.uid.is_some() && first.authority.is_some(), "{first}");

    // Somebody who may read nothing knows it by its authority.
    let limited = config(&kube, LIMITED).await;
    let their_authorities = limited.root_cert.clone();
    let limited = Client::try_from(limited).unwrap();
    assert_eq!(identities.verify("shop", &limited, their_authorities.as_deref()).await.unwrap(), first);
    let unknown = identities.verify("unknown", &limited, None).await.unwrap_err();
    assert!(matches!(unknown, TargetError::Forbidden { .. }), "{unknown}");

    // The same name leads to another cluster: simulated by the record of one.
    let record = only_file(&folder.path().join("clusters"));
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace(first.uid.as_deref().unwrap(), "another")).unwrap();
    let error = identities.verify("shop", &client, authorities.as_deref()).await.unwrap_err();
    let TargetError::Identity { name, recorded, found } = &error else { panic!("{error}") };
    assert_eq!(name, "shop");
    assert!(recorded.contains("another") && found.contains(first.uid.as_deref().unwrap()), "{error}");
    identities.forget("shop").unwrap();
    assert_eq!(identities.verify("shop", &client, authorities.as_deref()).await.unwrap(), first);
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let [entry] = fs::read_dir(folder).unwrap().collect::<Result<Vec<_>, _>>().unwrap().try_into().unwrap();
    entry.path()
}
