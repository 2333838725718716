//! The programs a rig is made of, by the Debian packages that hold them.

use std::path::{Path, PathBuf};

use super::RigError;

/// A program of a Debian package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Where Debian puts it.
    pub path: &'static str,
    /// The package.
    pub package: &'static str,
}

const fn program(path: &'static str, package: &'static str) -> Program {
    Program { path, package }
}

pub(crate) const DOCKERD: Program = program("/usr/sbin/dockerd", "docker.io");
pub(crate) const DOCKER: Program = program("/usr/bin/docker", "docker.io");
pub(crate) const CONTAINERD: Program = program("/usr/bin/containerd", "containerd");
pub(crate) const RUNC: Program = program("/usr/sbin/runc", "runc");
pub(crate) const REGISTRY: Program = program("/usr/bin/docker-registry", "docker-registry");
pub(crate) const BUSYBOX: Program = program("/usr/bin/busybox", "busybox-static");
const IP: Program = program("/usr/sbin/ip", "iproute2");
const IPTABLES: Program = program("/usr/sbin/iptables", "iptables");
pub(crate) const ETCD: Program = program("/usr/bin/etcd", "etcd-server");
const BRIDGE_PLUGIN: Program = program("/usr/lib/cni/bridge", "containernetworking-plugins");
pub(crate) const GO: Program = program("/usr/bin/go", "golang-go");
const MAKE: Program = program("/usr/bin/make", "make");
const RSYNC: Program = program("/usr/bin/rsync", "rsync");
const DPKG_SOURCE: Program = program("/usr/bin/dpkg-source", "dpkg-dev");
pub(crate) const REFLECT2: Program = program(
    "/usr/share/gocode/src/github.com/modern-go/reflect2/reflect2.go",
    "golang-github-modern-go-reflect2-dev",
);

/// What the Docker and Swarm rigs need.
pub const FOR_DOCKER: [Program; 8] = [DOCKERD, DOCKER, CONTAINERD, RUNC, REGISTRY, BUSYBOX, IP, IPTABLES];

/// What the Kubernetes rig needs beyond that.
pub const FOR_KUBE: [Program; 2] = [ETCD, BRIDGE_PLUGIN];

/// What it takes to build Kubernetes once.
pub const FOR_KUBE_BUILD: [Program; 5] = [GO, MAKE, RSYNC, DPKG_SOURCE, REFLECT2];

impl Program {
    /// Whether it is installed.
    pub fn is_there(self) -> bool {
        Path::new(self.path).exists()
    }

    pub(crate) fn path(self) -> PathBuf {
        PathBuf::from(self.path)
    }
}

/// Says the first that is not installed.
pub(crate) fn require(programs: &[Program]) -> Result<(), RigError> {
    match programs.iter().find(|program| !program.is_there()) {
        Some(missing) => Err(RigError::Missing { program: missing.path, package: missing.package }),
        None => Ok(()),
    }
}
