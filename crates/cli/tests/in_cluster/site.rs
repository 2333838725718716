//! A namespace with a control plane in it, as somebody would install it.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::process::{Output, Stdio};
use std::time::Duration;

use pilotage_load::{Load, LoadHandle, LoadPlan};
use pilotage_testing::Used;
use pilotage_testing::rig::Kube;
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(240);
/// The user of the control plane's process.
const USER: u32 = 65_532;

pub struct Site {
    kube: Used<Kube>,
    namespace: String,
    /// What the volume is made of.
    _volume: TempDir,
    /// The images of the sample service, by digest: the registry of this machine cannot be asked from a pod.
    samples: [String; 2],
}

impl Site {
    /// Installs the control plane, and waits until it answers.
    pub fn install(kube: Used<Kube>, name: &str) -> Self {
        let namespace = format!("{name}-{}", std::process::id());
        let volume = tempfile::Builder::new().prefix("pilotage-volume-").tempdir().unwrap();
        chown(volume.path(), Some(USER), Some(USER)).unwrap();
        let docker = kube.docker().unwrap();
        let samples = ["1.0.0", "1.1.0"].map(|version| docker.sample_image(version).unwrap());
        let image = docker.pilotage_image().unwrap();
        let site = Self { kube, namespace, _volume: volume, samples };
        site.kube.kubectl(&["create", "namespace", &site.namespace]).unwrap();
        site.apply(&site.persistent_volume());
        site.apply_project(&site.samples[0]);
        site.apply_certificate();
        let printed = std::process::Command::new(env!("CARGO_BIN_EXE_pilotage"))
            .args(["kubernetes", "manifests", "--namespace", &site.namespace, "--image", &image])
            .output()
            .unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        site.apply(&String::from_utf8(printed.stdout).unwrap());
        site.kubectl(&["rollout", "status", "deployment", "pilotage", "--timeout=180s"]);
        site
    }

    /// There is no storage class: the claim is bound to this by hand.
    fn persistent_volume(&self) -> String {
        let (namespace, path) = (&self.namespace, self._volume.path().display());
        format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{ name: {namespace} }}\nspec:\n  capacity: {{ storage: 2Gi }}\n  \
             accessModes: [ReadWriteOnce]\n  persistentVolumeReclaimPolicy: Retain\n  hostPath: {{ path: {path} }}\n  \
             claimRef: {{ namespace: {namespace}, name: pilotage }}\n"
        )
    }

    fn apply_project(&self, image: &str) {
        let namespace = &self.namespace;
        let file = format!(
            r#"project: shop
clusters:
  here: {{ in_cluster: true, namespaces: [{namespace}] }}
services:
  api:
    image: {image}
    health: {{ live: /health, ready: /ready, interval: 1s }}
    replicas: 1
environments:
  dev:
    target: {{ kubernetes: {{ cluster: here, namespace: {namespace}, traffic: edge }} }}
    strategy: slow
strategies:
  slow:
    canary: {{ steps: [20, 60, 100], watch: 8s, soak: 2s }}
    roll_back_when: {{ min_requests: 20, p99_vs_stable: off, p95_vs_stable: off }}
"#
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilotage.yaml");
        std::fs::write(&path, file).unwrap();
        let from = format!("--from-file={}", path.display());
        let create = ["create", "configmap", "pilotage-project", &from, "--dry-run=client", "--output=yaml"];
        self.apply(&self.kubectl(&create));
    }

    /// Has the file name the newer image, and waits until the pod sees it.
    pub fn name_the_newer(&self) {
        self.apply_project(&self.samples[1]);
        let (_, digest) = self.samples[1].split_once('@').unwrap();
        let file = "/etc/pilotage/project/pilotage.yaml";
        until("the pod sees the changed file", || {
            let mut command = self.kube.client();
            command.args(["--namespace", &self.namespace, "exec", "deployment/pilotage", "--"]);
            command.args(["/bin/busybox", "grep", "-q", digest, file]).output().unwrap().status.success()
        });
    }

    fn apply_certificate(&self) {
        let made =
            rcgen::generate_simple_self_signed(vec![format!("pilotage.{}.svc", self.namespace)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let (cert, key) = (format!("--cert={}", cert.display()), format!("--key={}", key.display()));
        self.kubectl(&["create", "secret", "tls", "pilotage-tls", &cert, &key]);
    }

    fn apply(&self, text: &str) {
        let mut child = self
            .kube
            .client()
            .args(["apply", "--filename", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// What `kubectl` answers in the namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let all = [&["--namespace", self.namespace.as_str()], arguments].concat();
        self.kube.kubectl(&all).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", self.log()))
    }

    /// What the control plane wrote last.
    pub fn log(&self) -> String {
        let arguments = ["--namespace", &self.namespace, "logs", "deployment/pilotage", "--tail=60"];
        self.kube.kubectl(&arguments).unwrap_or_else(|error| error.to_string())
    }

    /// A command in the control plane's pod.
    pub fn pilotage(&self, arguments: &[&str]) -> Output {
        let mut command = self.kube.client();
        command.args(["--namespace", &self.namespace, "exec", "deployment/pilotage", "--", "/bin/pilotage"]);
        command.args(arguments).output().unwrap()
    }

    /// The same; it must do what it is told.
    pub fn must(&self, arguments: &[&str]) -> String {
        let done = self.pilotage(arguments);
        let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{arguments:?}\n{stdout}\n{stderr}\n{}", self.log());
        stdout.into_owned()
    }

    /// Where users reach the service.
    pub fn address(&self) -> SocketAddr {
        let ip = self.kubectl(&["get", "service", "api", "--output", "jsonpath={.spec.clusterIP}"]);
        let port = self.kubectl(&["get", "service", "api", "--output", "jsonpath={.spec.ports[0].port}"]);
        format!("{ip}:{port}").parse().unwrap()
    }

    /// People who go on asking.
    pub fn crowd(&self) -> LoadHandle {
        let plan = LoadPlan {
            post_share: 0.1,
            new_connection_share: 0.2,
            timeout: Duration::from_secs(45),
            ..LoadPlan::open(self.address(), 60.0)
        };
        Load::start(plan).unwrap()
    }

    /// The shares by version, as the edge's ConfigMap has them.
    pub fn shares(&self) -> Value {
        let text =
            self.kubectl(&["get", "configmap", "pilotage-edge-dev", "--output", "jsonpath={.data.api}"]);
        serde_json::from_str::<Value>(&text).unwrap()["traffic"]["shares"].clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for (kind, wait) in [("namespace", "--wait=true"), ("persistentvolume", "--wait=false")] {
            if let Err(error) = self.kube.kubectl(&["delete", kind, &self.namespace, wait]) {
                eprintln!("{kind} {} is left behind: {error}", self.namespace);
            }
        }
    }
}

/// Looks again and again until it is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it never came to be so: {what}");
        // Each look is a process of its own.
        std::thread::sleep(Duration::from_secs(1));
    }
}
