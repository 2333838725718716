//! What the project's file says now, and whom it knows, for the gates.

use std::path::PathBuf;

use pilotage_access::Directory;
use pilotage_conductor::Registry;
use pilotage_spec::{Identity, PrincipalName, Project, Workload};

use crate::read_project;

/// Reads the file anew each time.
pub(crate) struct FileRegistry {
    pub(crate) file: PathBuf,
    /// The users to whom the server belongs.
    pub(crate) owners: Vec<PrincipalName>,
}

impl FileRegistry {
    fn directory(&self, project: &Project) -> Directory {
        Directory::of(project.access.as_ref(), self.owners.iter().cloned())
    }
}

impl Registry for FileRegistry {
    fn project(&self) -> Result<Project, String> {
        read_project(&self.file).map_err(|error| error.to_string())
    }

    fn identity(&self, project: &Project, name: &str, workload: &Workload) -> Option<Identity> {
        let Workload { environment, service } = workload;
        self.directory(project).identity_at(&name.parse().ok()?, environment.as_str(), service.as_str())
    }

    fn approvers(&self, project: &Project, workload: &Workload) -> Vec<Identity> {
        let Workload { environment, service } = workload;
        self.directory(project).approvers(environment.as_str(), service.as_str())
    }
}
