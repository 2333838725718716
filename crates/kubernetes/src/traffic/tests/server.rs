//! A namespace of a real API server, for one test.

use k8s_openapi::api::core::v1::{Namespace, Service, ServicePort, ServiceSpec};
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use pilotage_spec::{Digest, ReleaseId, Workload};
use pilotage_testing::rig::Kube;
use pilotage_testing::{Used, need_definitions, need_kube};
use serde_json::Value;

use super::super::kind::Kind;
use super::super::objects::Objects;
use super::super::testing::{version, workload};
use crate::cluster::Cluster;
use crate::names::{self, Owner};

/// A namespace that goes when the test is over.
pub(super) struct Server {
    pub(super) cluster: Cluster,
    pub(super) workload: Workload,
    pub(super) kube: Used<Kube>,
    client: Client,
}

impl Server {
    /// A namespace of its own with the published definitions, or `None` after having said that the test is skipped.
    pub(super) async fn new(suite: &str) -> Option<Self> {
        let kube = need_kube(suite)?;
        // Those that the rig has found are in the server.
        need_definitions(suite)?;
        let read = Kubeconfig::read_from(kube.kubeconfig()).unwrap();
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let namespace = Namespace {
            metadata: ObjectMeta { generate_name: Some("routes-".to_owned()), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        let created = Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        let owner = Owner { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() };
        let name = created.metadata.name.unwrap();
        let cluster =
            Cluster::new("the test cluster".to_owned(), client.clone(), name, "pilotage".to_owned(), owner);
        Some(Self { cluster, workload: workload(), kube, client })
    }

    /// Ends the namespace; what is in it goes in the background.
    pub(super) async fn end(self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.delete(self.cluster.namespace(), &DeleteParams::default()).await.unwrap();
    }

    /// The Services of these versions, as the target makes them.
    pub(super) async fn services(&self, versions: &[&str]) {
        let names = self.cluster.names(&self.workload);
        for text in versions {
            let version = version(text);
            let release = ReleaseId { version: version.clone(), digest: Digest::from_bytes([7; 32]) };
            let release = serde_json::to_string(&release).unwrap();
            let metadata = ObjectMeta {
                name: Some(names.of_version(&version)),
                labels: Some(names.version_labels(&version)),
                annotations: Some([(names::RELEASE.to_owned(), release)].into()),
                ..ObjectMeta::default()
            };
            let port = ServicePort { port: 80, ..ServicePort::default() };
            let spec = ServiceSpec {
                selector: Some(names.version_selector_labels(&version)),
                ports: Some(vec![port]),
                ..ServiceSpec::default()
            };
            let service = Service { metadata, spec: Some(spec), ..Service::default() };
            let api: Api<Service> = self.cluster.api();
            self.cluster.create(&api, &service).await.unwrap();
        }
    }

    /// The objects of a kind.
    pub(super) async fn objects(&self, kind: &Kind) -> Objects {
        Objects::need(&self.cluster, kind).await.unwrap()
    }

    /// Runs `kubectl` in the namespace, as a person would.
    pub(super) fn by_hand(&self, arguments: &[&str]) -> String {
        let mut all = vec!["--namespace", self.cluster.namespace()];
        all.extend(arguments);
        self.kube.kubectl(&all).unwrap()
    }

    /// Creates what a file of JSON says, as a person would.
    pub(super) fn create(&self, objects: &Value) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), objects.to_string()).unwrap();
        self.by_hand(&["create", "--filename", file.path().to_str().unwrap()]);
    }

    /// Applies an object on the server's side as another manager.
    pub(super) fn apply_as(&self, manager: &str, object: &Value) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), object.to_string()).unwrap();
        let path = file.path().to_str().unwrap();
        let words =
            ["apply", "--server-side", "--force-conflicts", "--field-manager", manager, "--filename", path];
        self.by_hand(&words);
    }

    /// The image of a Deployment's pods.
    pub(super) fn image(&self, deployment: &str) -> String {
        let path = "jsonpath={.spec.template.spec.containers[0].image}";
        self.by_hand(&["get", "deployment", deployment, "--output", path])
    }

    /// All definitions that the server has.
    pub(super) fn definitions(&self) -> Vec<Value> {
        let text = self.kube.kubectl(&["get", "customresourcedefinitions", "--output", "json"]).unwrap();
        let list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array().unwrap().clone()
    }
}
