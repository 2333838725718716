//! What a server is started with.

use std::path::{Path, PathBuf};

use crate::StateFolder;

/// What a server is started with. All paths are absolute.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The project's `pilotage.yaml`. It is read anew for every plan and deployment.
    pub project_file: PathBuf,
    /// Where everything is kept.
    pub state: StateFolder,
    /// The binary that is run as shim and as edge.
    pub program: PathBuf,
}

impl ServerConfig {
    /// The folder that relative paths of the file are relative to.
    pub fn project_folder(&self) -> &Path {
        self.project_file.parent().unwrap_or(Path::new("/"))
    }
}
