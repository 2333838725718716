//! Which programs there are, and where.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A real program that tests or benches run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The metrics server.
    Prometheus,
    /// What Prometheus hands its alerts to.
    Alertmanager,
    /// The web server.
    Nginx,
    /// Node.js.
    Node,
    /// Python 3.
    Python,
    /// The command line HTTP client.
    Curl,
    /// The HTTP/2 client of nghttp2.
    Nghttp,
    /// The HTTP/2 load generator of nghttp2.
    H2load,
    /// A Python that has gRPC's own client.
    PythonGrpc,
    /// A Python that has a WebSocket client.
    PythonWebsockets,
    /// The load balancer.
    Haproxy,
    /// The HTTP/1.1 load generator.
    Wrk,
    /// The counter of system calls.
    Strace,
    /// The encrypter of files.
    Age,
    /// The client of Kubernetes, which renders with Kustomize too.
    Kubectl,
    /// The renderer of charts; Debian does not have it.
    Helm,
}

/// Where Debian keeps its Python, and the modules it packages for it.
const DEBIAN_PYTHON: &str = "/usr/bin/python3";
const DEBIAN_MODULES: &str = "/usr/lib/python3/dist-packages";

/// Where Debian puts servers, which is not on everybody's `PATH`.
const SERVER_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

impl Part {
    /// Those that tests need. Benches name their own.
    pub const FOR_TESTS: [Self; 12] = [
        Self::Prometheus,
        Self::Alertmanager,
        Self::Nginx,
        Self::Node,
        Self::Python,
        Self::Curl,
        Self::Nghttp,
        Self::H2load,
        Self::PythonGrpc,
        Self::PythonWebsockets,
        Self::Age,
        Self::Kubectl,
    ];

    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "prometheus-alertmanager",
            Self::Nginx => "nginx",
            Self::Node => "node",
            Self::Python => "python3",
            Self::Curl => "curl",
            Self::Nghttp => "nghttp",
            Self::H2load => "h2load",
            Self::PythonGrpc => "python3-grpcio",
            Self::PythonWebsockets => "python3-websockets",
            Self::Haproxy => "haproxy",
            Self::Wrk => "wrk",
            Self::Strace => "strace",
            Self::Age => "age",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    /// The environment variable that says where it is, for a program in an unusual place.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Prometheus => "PILOTAGE_TEST_PROMETHEUS",
            Self::Alertmanager => "PILOTAGE_TEST_ALERTMANAGER",
            Self::Nginx => "PILOTAGE_TEST_NGINX",
            Self::Node => "PILOTAGE_TEST_NODE",
            Self::Python => "PILOTAGE_TEST_PYTHON",
            Self::Curl => "PILOTAGE_TEST_CURL",
            Self::Nghttp => "PILOTAGE_TEST_NGHTTP",
            Self::H2load => "PILOTAGE_TEST_H2LOAD",
            Self::PythonGrpc => "PILOTAGE_TEST_PYTHON_GRPC",
            Self::PythonWebsockets => "PILOTAGE_TEST_PYTHON_WEBSOCKETS",
            Self::Haproxy => "PILOTAGE_TEST_HAPROXY",
            Self::Wrk => "PILOTAGE_TEST_WRK",
            Self::Strace => "PILOTAGE_TEST_STRACE",
            Self::Age => "PILOTAGE_TEST_AGE",
            Self::Kubectl => "PILOTAGE_TEST_KUBECTL",
            Self::Helm => "PILOTAGE_TEST_HELM",
        }
    }

    /// The Debian package that holds it.
    pub fn package(self) -> &'static str {
        match self {
            Self::Node => "nodejs",
            Self::Kubectl => "kubernetes-client",
            Self::Nghttp | Self::H2load => "nghttp2-client",
            other => other.name(),
        }
    }

    /// Where it is: what its variable says, else the first found on `PATH` and in the folders of servers. A variable that
    /// names something that is not there means that the part is missing. A Python with a module is Debian's: another one
    /// that comes first on `PATH` does not see the modules that Debian packages.
    pub fn find(self) -> Option<PathBuf> {
        if let Some(told) = std::env::var_os(self.variable()) {
            return Some(PathBuf::from(told)).filter(|path| is_program(path));
        }
        if let Some(module) = self.module() {
            let found = Path::new(DEBIAN_MODULES).join(module).is_dir();
            return Some(PathBuf::from(DEBIAN_PYTHON)).filter(|python| found && is_program(python));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(SERVER_FOLDERS.map(PathBuf::from));
        folders.map(|folder| folder.join(self.name())).find(|path| is_program(path))
    }

    /// The Python module that makes the part.
    fn module(self) -> Option<&'static str> {
        match self {
            Self::PythonGrpc => Some("grpc"),
            Self::PythonWebsockets => Some("websockets"),
            _ => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
