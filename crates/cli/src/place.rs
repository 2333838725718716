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
/// The variable that names another folder.
const STATE_VARIABLE: &str = "PILOTAGE_STATE";
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
            Err(_) if reach.is_remote() && global.file.is_none() => std::env::current_dir()?.join(FILE_NAME),
            found => found?,
        };
        let named = global.state.clone().or_else(|| std::env::var_os(STATE_VARIABLE).map(PathBuf::from));
        let usual = || file.parent().unwrap_or(Path::new("/")).join(STATE_FOLDER);
        let state = StateFolder::at(&named.unwrap_or_else(usual))?;
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
    match &global.file {
        Some(file) => {
            let missing = |error| Failure::usage(format!("cannot find {}: {error}", file.display()));
            let file = std::fs::canonicalize(file).map_err(missing)?;
            if file.is_dir() {
                return Err(Failure::usage(format!("{} is a folder; name the file in it", file.display()))
                    .hint(format!("--file {}", file.join("pilotage.yaml").display())));
            }
            Ok(file)
        }
        None => Ok(find_project_file(&std::env::current_dir()?)?),
    }
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
