//! Which project is meant, and where its things are kept.

use std::path::{Path, PathBuf};

use pilotage_server::{Client, StateFolder, find_project_file, read_project};
use pilotage_spec::{Environment, EnvironmentName, Project};
use pilotage_targets::ProcessConfig;

use crate::arguments::Global;
use crate::failure::Failure;
use crate::reach::Reach;

/// What the project's file is called.
const FILE_NAME: &str = "pilotage.yaml";
/// The folder beside the project's file.
const STATE_FOLDER: &str = ".pilotage";
/// The variable that names the project's file.
const FILE_VARIABLE: &str = "PILOTAGE_FILE";
/// The variable that names another folder.
const STATE_VARIABLE: &str = "PILOTAGE_STATE";
/// The variable that names another folder of sockets, for a state folder on a volume that cannot hold them.
const RUN_VARIABLE: &str = "PILOTAGE_RUN";
/// The environment that is meant when none is named.
const USUAL_ENVIRONMENT: &str = "dev";

/// Which project is meant, and where its things are kept. All paths are absolute.
#[derive(Debug, Clone)]
pub struct Place {
    /// The project's file.
    pub file: PathBuf,
    /// Where its things are kept.
    pub state: StateFolder,
    /// How its server is reached, and as whom.
    pub reach: Reach,
}

impl Place {
    /// The project in the current folder or above it, unless the command line says otherwise.
    pub fn find(global: &Global) -> Result<Self, Failure> {
        let reach = Reach::find(global);
        let file = match project_file(global) {
            // What only asks a server elsewhere needs no file here.
            Err(_) if reach.is_remote() && named_file(global).is_none() => {
                std::env::current_dir()?.join(FILE_NAME)
            }
            found => found?,
        };
        let named = global.state.clone().or_else(|| variable(STATE_VARIABLE));
        let usual = || file.parent().unwrap_or(Path::new("/")).join(STATE_FOLDER);
        let state = StateFolder::at(&named.unwrap_or_else(usual))?;
        let state = match variable(RUN_VARIABLE) {
            Some(run) => state.with_run(&run)?,
            None => state,
        };
        Ok(Self { file, state, reach })
    }

    /// A client of the server, with the credential that was given.
    pub fn client(&self) -> Result<Client, Failure> {
        self.reach.client(&self.state)
    }

    /// Fails for a server elsewhere.
    pub fn expect_here(&self, verb: &str) -> Result<(), Failure> {
        match self.reach.is_remote() {
            true => Err(Failure::usage(format!(
                "`pilotage {verb}` works where the server runs, not with --server"
            ))),
            false => Ok(()),
        }
    }

    /// The control socket of the project's edge.
    pub fn edge_socket(&self) -> PathBuf {
        ProcessConfig::new(self.state.root(), self.state.run(), &self.file, self.state.root()).edge_socket
    }

    /// The project, as its file says.
    pub fn project(&self) -> Result<Project, Failure> {
        Ok(read_project(&self.file)?)
    }
}

/// The project's file, absolute.
pub fn project_file(global: &Global) -> Result<PathBuf, Failure> {
    match named_file(global) {
        Some(file) => {
            let missing = |error| Failure::usage(format!("cannot find {}: {error}", file.display()));
            let found = std::fs::canonicalize(&file).map_err(missing)?;
            if found.is_dir() {
                return Err(Failure::usage(format!("{} is a folder; name the file in it", found.display()))
                    .hint(format!("--file {}", found.join("pilotage.yaml").display())));
            }
            if is_mounted(&found) { Ok(std::path::absolute(&file)?) } else { Ok(found) }
        }
        None => Ok(find_project_file(&std::env::current_dir()?)?),
    }
}

fn named_file(global: &Global) -> Option<PathBuf> {
    global.file.clone().or_else(|| variable(FILE_VARIABLE))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Whether a file is one of a ConfigMap, mounted into a pod. The folder to which its links lead (`..2026_11_22_03_40_00.1`) is
/// another after each change; what stays is the path by which it was named.
fn is_mounted(found: &Path) -> bool {
    found.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".."))
}

/// The environment that is meant: the one named, or `dev`, or the only one.
pub fn environment<'a>(
    project: &'a Project,
    named: Option<&str>,
) -> Result<(&'a EnvironmentName, &'a Environment), Failure> {
    if let Some(name) = named {
        return Ok(project.environment(name)?);
    }
    if let Ok(usual) = project.environment(USUAL_ENVIRONMENT) {
        return Ok(usual);
    }
    let mut all = project.environments.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        _ => {
            let names: Vec<&str> = project.environments.keys().map(EnvironmentName::as_str).collect();
            Err(Failure::usage("which environment is meant?")
                .hint(format!("add --env with one of: {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_config_map_keeps_the_path_that_outlives_its_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(folder.join("..2026_1")).unwrap();
        std::fs::write(folder.join("..2026_1/pilotage.yaml"), "").unwrap();
        std::os::unix::fs::symlink("..2026_1", folder.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/pilotage.yaml", folder.join("pilotage.yaml")).unwrap();
        let found = std::fs::canonicalize(folder.join("pilotage.yaml")).unwrap();
        assert!(is_mounted(&found));
        assert!(!is_mounted(&folder.join("pilotage.yaml")));
    }
}
