//! The programs of a Kubernetes with one node, and how each is told to run.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::certificates::Certificates;
use super::{Facts, Kube, POD_BRIDGE, SERVICE_ADDRESSES, kubeconfig, user};
use crate::rig::daemon::Daemon;
use crate::rig::program::ETCD;
use crate::rig::{Docker, RigError, folder, http, wait};

/// The addresses of pods.
const POD_ADDRESSES: &str = "172.30.0.0/16";

/// The address of the Service by which pods reach the API server: the first one.
const API_SERVICE: &str = "10.96.0.1";

/// The name of the only node.
pub(crate) const NODE: &str = "node1";

/// How long a program has for getting ready on a busy machine.
const READY_TIME: Duration = Duration::from_secs(90);

/// What the command lines are made of.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub run: &'a Path,
    pub facts: &'a Facts,
    pub certificates: &'a Certificates,
}

impl Parts<'_> {
    pub(crate) fn etcd(&self) -> Daemon {
        let clients = format!("http://127.0.0.1:{}", self.facts.etcd_port);
        let peers = format!("http://127.0.0.1:{}", self.facts.etcd_peer_port);
        let mut daemon = Daemon::new("etcd", ETCD.path(), self.run);
        daemon.arguments = vec![
            format!("--data-dir={}", self.path("etcd")),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
        ];
        daemon
    }

    pub(crate) fn api_server(&self) -> Daemon {
        self.kubernetes(
            "kube-apiserver",
            &[
                format!("--etcd-servers=http://127.0.0.1:{}", self.facts.etcd_port),
                format!("--secure-port={}", self.facts.api_port),
                "--insecure-port=0".to_owned(),
                format!("--bind-address={}", self.facts.address),
                format!("--advertise-address={}", self.facts.address),
                format!("--tls-cert-file={}", self.certificate("apiserver.crt")),
                format!("--tls-private-key-file={}", self.certificate("apiserver.key")),
                format!("--client-ca-file={}", self.certificate("ca.crt")),
                format!("--kubelet-client-certificate={}", self.certificate("kubelet-client.crt")),
                format!("--kubelet-client-key={}", self.certificate("kubelet-client.key")),
                "--kubelet-preferred-address-types=InternalIP".to_owned(),
                format!("--service-account-key-file={}", self.certificate("service-accounts.pub")),
                format!("--service-account-signing-key-file={}", self.certificate("service-accounts.key")),
                "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
                format!("--token-auth-file={}", self.path("tokens.csv")),
                "--authorization-mode=Node,RBAC".to_owned(),
                format!("--service-cluster-ip-range={SERVICE_ADDRESSES}"),
                "--allow-privileged=true".to_owned(),
            ],
        )
    }

    pub(crate) fn controllers(&self) -> Daemon {
        self.kubernetes(
            "kube-controller-manager",
            &[
                self.kubeconfig(user::CONTROLLERS),
                "--controllers=*,-nodeipam".to_owned(),
                "--leader-elect=false".to_owned(),
                "--use-service-account-credentials=false".to_owned(),
                format!("--service-account-private-key-file={}", self.certificate("service-accounts.key")),
                format!("--root-ca-file={}", self.certificate("ca.crt")),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--secure-port={}", self.facts.controllers_port),
                "--port=0".to_owned(),
                format!("--cert-dir={}", self.path("controllers")),
            ],
        )
    }

    pub(crate) fn scheduler(&self) -> Daemon {
        self.kubernetes(
            "kube-scheduler",
            &[
                self.kubeconfig(user::SCHEDULER),
                "--leader-elect=false".to_owned(),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--secure-port={}", self.facts.scheduler_port),
                "--port=0".to_owned(),
                format!("--cert-dir={}", self.path("scheduler")),
            ],
        )
    }

    pub(crate) fn kubelet(&self, docker: &Docker) -> Daemon {
        self.kubernetes(
            "kubelet",
            &[
                self.kubeconfig(user::NODE),
                format!("--hostname-override={NODE}"),
                // The node's address may not be one of loopback; this one is the machine's, too.
                format!("--node-ip={}", Docker::gateway()),
                format!("--address={}", Docker::gateway()),
                format!("--port={}", self.facts.kubelet_port),
                "--read-only-port=0".to_owned(),
                "--healthz-bind-address=127.0.0.1".to_owned(),
                format!("--healthz-port={}", self.facts.kubelet_health_port),
                "--anonymous-auth=false".to_owned(),
                "--authorization-mode=Webhook".to_owned(),
                "--authentication-token-webhook=true".to_owned(),
                format!("--client-ca-file={}", self.certificate("ca.crt")),
                format!("--root-dir={}", self.path("kubelet")),
                format!("--cert-dir={}", self.path("kubelet-pki")),
                "--container-runtime=docker".to_owned(),
                format!("--docker-endpoint=unix://{}", docker.socket().display()),
                format!("--experimental-dockershim-root-directory={}", self.path("dockershim")),
                "--cgroup-driver=cgroupfs".to_owned(),
                "--cgroups-per-qos=false".to_owned(),
                "--enforce-node-allocatable=".to_owned(),
                "--fail-swap-on=false".to_owned(),
                "--oom-score-adj=0".to_owned(),
                format!("--pod-infra-container-image={}", crate::rig::images::PAUSE),
                "--network-plugin=cni".to_owned(),
                "--cni-bin-dir=/usr/lib/cni".to_owned(),
                format!("--cni-conf-dir={}", self.path("cni")),
                format!("--cni-cache-dir={}", self.path("cni-cache")),
                // A full disk of the machine is no reason to evict pods or to delete images here.
                "--eviction-hard=memory.available<1Mi".to_owned(),
                "--image-gc-high-threshold=100".to_owned(),
                // Sooner than in a large cluster.
                "--node-status-update-frequency=4s".to_owned(),
                "--sync-frequency=1s".to_owned(),
            ],
        )
    }

    pub(crate) fn proxy(&self) -> Daemon {
        self.kubernetes(
            "kube-proxy",
            &[
                self.kubeconfig(user::PROXY),
                format!("--hostname-override={NODE}"),
                "--proxy-mode=iptables".to_owned(),
                format!("--cluster-cidr={POD_ADDRESSES}"),
                format!("--healthz-bind-address=127.0.0.1:{}", self.facts.proxy_health_port),
                format!("--metrics-bind-address=127.0.0.1:{}", self.facts.proxy_metrics_port),
                "--oom-score-adj=0".to_owned(),
                "--iptables-min-sync-period=100ms".to_owned(),
                // The machine's limits on connections stay as they are.
                "--conntrack-max-per-core=0".to_owned(),
                "--conntrack-tcp-timeout-established=0".to_owned(),
                "--conntrack-tcp-timeout-close-wait=0".to_owned(),
            ],
        )
    }

    /// How pods are connected: all on one bridge, with addresses that the machine reaches.
    pub(crate) fn write_pod_network(&self) -> Result<(), RigError> {
        let network = json!({
            "cniVersion": "0.3.1",
            "name": "rig",
            "plugins": [{
                "type": "bridge",
                "bridge": POD_BRIDGE,
                "isGateway": true,
                // Pods have no way out of this machine, and no rule has to be made for one.
                "ipMasq": false,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": self.path("pod-addresses"),
                    "ranges": [[{"subnet": POD_ADDRESSES}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }],
        });
        folder::write(&self.run.join("cni/10-rig.conflist"), network.to_string())
    }

    /// Writes who may come in and how: certificates, tokens, and a kubeconfig for each user.
    pub(crate) fn write_access(&self) -> Result<(), RigError> {
        let names =
            [self.facts.address.as_str(), "127.0.0.1", API_SERVICE, "localhost", "kubernetes.default.svc"];
        self.certificates.make(names.map(str::to_owned).to_vec())?;
        folder::write(&self.run.join("tokens.csv"), user::file(&self.facts.users))?;
        let authority = self.certificates.file("ca.crt");
        for user in &self.facts.users {
            let content = kubeconfig::with_token(&self.facts.server, &authority, &user.name, &user.token);
            folder::write(&kubeconfig_file(self.run, &user.name), content.to_string())?;
        }
        Ok(())
    }

    /// Waits until a just started program does its work.
    pub(crate) fn ready(&self, daemon: &Daemon) -> Result<(), RigError> {
        let answers = |port: u16, path: &str| {
            http::get(&format!("127.0.0.1:{port}"), path).is_ok_and(|(status, _)| status == 200)
        };
        let kube = Kube::in_folder(self.run, self.facts);
        wait::ready(daemon, READY_TIME, || match daemon.name.as_str() {
            "etcd" => answers(self.facts.etcd_port, "/health"),
            "kube-apiserver" => kube.kubectl(&["get", "--raw", "/readyz"]).is_ok(),
            "kubelet" => answers(self.facts.kubelet_health_port, "/healthz"),
            "kube-proxy" => answers(self.facts.proxy_health_port, "/healthz"),
            // Their health is behind TLS; that they listen comes last in their start.
            "kube-controller-manager" => listens(self.facts.controllers_port),
            _ => listens(self.facts.scheduler_port),
        })
    }

    fn kubernetes(&self, name: &str, arguments: &[String]) -> Daemon {
        let mut daemon = Daemon::new(name, self.facts.programs.join(name), self.run);
        daemon.arguments = arguments.to_vec();
        daemon
    }

    fn kubeconfig(&self, user: &str) -> String {
        format!("--kubeconfig={}", kubeconfig_file(self.run, user).display())
    }

    fn certificate(&self, name: &str) -> String {
        folder::text(&self.certificates.file(name))
    }

    fn path(&self, name: &str) -> String {
        folder::text(&self.run.join(name))
    }
}

pub(crate) fn kubeconfig_file(run: &Path, user: &str) -> std::path::PathBuf {
    run.join(format!("{}.kubeconfig", user.replace(':', "-")))
}

/// Waits until a just started program of the cluster in this folder does its work.
pub(crate) fn ready(daemon: &Daemon, facts: &Facts, run: &Path) -> Result<(), RigError> {
    Parts { run, facts, certificates: &Certificates::in_folder(run) }.ready(daemon)
}

fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}
