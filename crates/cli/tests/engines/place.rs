//! Where the tests deploy to.

use std::path::{Path, PathBuf};

use pilotage_testing::rig::{Docker, Image, Kube};
use pilotage_testing::{Used, need_docker, need_kube};

/// An engine, and how an environment of it is written.
pub struct Place {
    docker: Used<Docker>,
    namespace: Option<Namespace>,
    /// The value of `target`.
    pub target: String,
}

/// A namespace that goes when the test ends.
struct Namespace {
    kube: Used<Kube>,
    name: String,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.kube.kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

pub fn on_docker(suite: &str) -> Option<Place> {
    let docker = need_docker(suite)?;
    let target = format!("{{ docker: {{ host: \"unix://{}\" }} }}", docker.socket().display());
    Some(Place { docker, namespace: None, target })
}

pub fn on_kubernetes(suite: &str) -> Option<Place> {
    let docker = need_docker(suite)?;
    let kube = need_kube(suite)?;
    let name = format!("e2e-{}", std::process::id());
    kube.kubectl(&["create", "namespace", &name]).unwrap();
    let target = kubernetes(kube.kubeconfig(), &name);
    Some(Place { docker, namespace: Some(Namespace { kube, name }), target })
}

fn kubernetes(kubeconfig: &Path, namespace: &str) -> String {
    let file = kubeconfig.display();
    format!("{{ kubernetes: {{ kubeconfig: {file}, namespace: {namespace}, traffic: host }} }}")
}

impl Place {
    /// Whether the engine has the image of a version by its name.
    pub fn has_image(&self, version: &str) -> bool {
        let image = format!("{}/{}:{version}", self.docker.registry(), name(self));
        let found = self.docker.client().args(["image", "inspect", &image]).output().unwrap();
        found.status.success()
    }

    /// The same cluster by a kubeconfig that the test may change: its text is copied to this file.
    pub fn by_own_kubeconfig(&self, file: &Path) -> Option<String> {
        let Namespace { kube, name } = self.namespace.as_ref()?;
        std::fs::copy(kube.kubeconfig(), file).unwrap();
        Some(kubernetes(file, name))
    }

    /// Has a kubeconfig lead to where nobody listens.
    pub fn lead_nowhere(&self, file: &Path) {
        let kube = &self.namespace.as_ref().unwrap().kube;
        let text = std::fs::read_to_string(file).unwrap();
        let nowhere = text.replace(&kube.server().unwrap(), "https://127.0.0.1:1");
        assert_ne!(text, nowhere);
        std::fs::write(file, nowhere).unwrap();
    }
}

/// Makes an image of the sample service that fails such a share of its requests.
pub fn image(place: &Place, version: &str, error_rate: &str) {
    let program = PathBuf::from(super::PROGRAM);
    let entrypoint = [
        "/bin/pilotage",
        "sample-service",
        "--version",
        version,
        "--host",
        "0.0.0.0",
        "--port",
        "8080",
        "--error-rate",
        error_rate,
    ];
    let name = name(place);
    place
        .docker
        .push_image(&Image {
            name: &name,
            version,
            program: Path::new(&program),
            entrypoint: &entrypoint,
            // The same image by another name would be the same image.
            environment: &[("IMAGE_OF", &name)],
            files: &[],
        })
        .unwrap();
}

/// Images of one test are nobody else's.
fn name(place: &Place) -> String {
    let place = place.namespace.as_ref().map_or("docker", |_| "kube");
    format!("{place}-{}/sample", std::process::id())
}

/// A project with one service and the environment `dev`.
pub fn project(place: &Place) -> String {
    format!(
        "project: e2e-{id}
services:
  api:
    image: {registry}/{name}
    health: /ready
    replicas: 2
    stop_grace: 3s
environments:
  dev: {{ strategy: quick, target: {target} }}
strategies:
  quick: {{ canary: {{ steps: [50, 100], watch: 2s, soak: 500ms }}, roll_back_when: {{ p99_vs_stable: off, p95_vs_stable: off }} }}
",
        id = std::process::id(),
        registry = place.docker.registry(),
        name = name(place),
        target = place.target,
    )
}
