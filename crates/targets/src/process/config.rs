//! Where a process target keeps its things.

use std::path::{Path, PathBuf};

use pilotage_secrets::{Known, SecretReader};
use pilotage_spec::SecretSettings;
use sha2::{Digest as _, Sha256};

use super::shim::LogLimits;

/// The longest path of a unix socket: `sun_path` holds 108 bytes, the last one a zero; see unix(7).
const SOCKET_PATH_LIMIT: usize = 107;

/// What a process target is opened with. All paths are absolute.
#[derive(Debug, Clone)]
pub struct ProcessConfig {
    /// What is kept: releases, instances with their logs, ports. Created if it is missing.
    pub state_folder: PathBuf,
    /// Sockets, and secrets that services have as files. It has to be short: a socket's path has at most 107 bytes.
    pub run_folder: PathBuf,
    /// The program that is run as `PROGRAM shim`, and as `PROGRAM` with `edge_arguments`.
    pub program: PathBuf,
    /// The project's folder.
    pub project_folder: PathBuf,
    /// Reads the secrets of services.
    pub secrets: SecretReader,
    /// The edge's control socket.
    pub edge_socket: PathBuf,
    /// The arguments that make the program an edge with that socket.
    pub edge_arguments: Vec<String>,
    /// How much of each instance's log is kept.
    pub log: LogLimits,
}

impl ProcessConfig {
    /// The usual arrangement: the edge is run as `PROGRAM edge --socket SOCKET --state-folder FOLDER`, both in the
    /// folders given here.
    pub fn new(state_folder: &Path, run_folder: &Path, program: &Path, project_folder: &Path) -> Self {
        let edge_socket = run_folder.join("edge.sock");
        let edge_arguments =
            ["edge".into(), "--socket".into(), path_text(&edge_socket), "--state-folder".into()]
                .into_iter()
                .chain([path_text(&state_folder.join("edge/table"))])
                .collect();
        Self {
            state_folder: state_folder.to_owned(),
            run_folder: run_folder.to_owned(),
            program: program.to_owned(),
            project_folder: project_folder.to_owned(),
            secrets: SecretReader::new(project_folder, SecretSettings::default(), Known::default()),
            edge_socket,
            edge_arguments,
            log: LogLimits::default(),
        }
    }

    /// The releases.
    pub(super) fn store_folder(&self) -> PathBuf {
        self.state_folder.join("store")
    }

    /// One folder for each instance.
    pub(super) fn instances_folder(&self) -> PathBuf {
        self.state_folder.join("instances")
    }

    /// The folder of one instance.
    pub(super) fn instance_folder(&self, name: &str) -> PathBuf {
        self.instances_folder().join(name)
    }

    /// What is remembered of workloads.
    pub fn claims_folder(&self) -> PathBuf {
        self.state_folder.join("workloads")
    }

    /// The records and the log of the edge's shim.
    pub(crate) fn edge_folder(&self) -> PathBuf {
        self.state_folder.join("edge")
    }

    /// The control socket of a shim. The names of instances may be long, so the file is called by a digest.
    pub(crate) fn shim_socket(&self, name: &str) -> PathBuf {
        self.socket(name, "sock")
    }

    /// The unix socket at which an instance answers requests, if it does so at one.
    pub(super) fn service_socket(&self, name: &str) -> PathBuf {
        self.socket(name, "http")
    }

    /// The folder of the secrets that an instance has as files. Not with the instance's own things: what is written there
    /// stays on the disk.
    pub(super) fn secrets_folder(&self, name: &str) -> PathBuf {
        self.socket(name, "secrets")
    }

    fn socket(&self, name: &str, kind: &str) -> PathBuf {
        let digest = Sha256::digest(name);
        let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.run_folder.join(format!("{short}.{kind}"))
    }

    /// Says what to do if the sockets' paths are too long.
    pub(super) fn check(&self) -> Result<(), String> {
        let sockets = [self.shim_socket(""), self.service_socket(""), self.edge_socket.clone()];
        match sockets.iter().find(|socket| socket.as_os_str().len() > SOCKET_PATH_LIMIT) {
            Some(socket) => Err(format!(
                "the socket {} has a path of {} bytes, and {SOCKET_PATH_LIMIT} is the most the system allows; use a \
                 shorter folder for sockets",
                socket.display(),
                socket.as_os_str().len()
            )),
            None => Ok(()),
        }
    }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
