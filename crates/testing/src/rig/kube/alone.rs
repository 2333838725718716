//! An API server for one test: a cluster of its own, with controllers and without nodes. Its objects are real, its pods are
//! never run. A test may kill it as it likes, and have as many as it likes: for clusters of several regions, for a context
//! that points to the wrong one.

use std::ops::Deref;

use tempfile::TempDir;

use super::certificates::Certificates;
use super::parts::Parts;
use super::{Facts, Kube, source};
use crate::rig::program::{self, ETCD};
use crate::rig::state::State;
use crate::rig::{RigError, folder};

/// Its programs, which end with it.
#[derive(Debug)]
pub struct ApiServer {
    kube: Kube,
    folder: TempDir,
}

impl ApiServer {
    /// Starts etcd, an API server on 127.0.0.1 and the controllers, and returns when they do their work.
    ///
    /// # Errors
    ///
    /// What is missing, or what did not get ready.
    pub fn start() -> Result<Self, RigError> {
        program::require(&[ETCD])?;
        let facts = Facts::new(source::programs()?, "127.0.0.1".to_owned())?;
        let parent = folder::run("alone")?;
        folder::make_private(&parent)?;
        let folder = TempDir::new_in(&parent).map_err(RigError::file(&parent))?;
        // From here on, dropping it ends what was started.
        let server = Self { kube: Kube::in_folder(folder.path(), &facts), folder };
        let run = server.folder.path();
        let parts = Parts { run, facts: &facts, certificates: &Certificates::in_folder(run) };
        parts.write_access()?;
        let mut state = State::new(run, facts.clone());
        for mut daemon in [parts.etcd(), parts.api_server(), parts.controllers()] {
            daemon.of_test = true;
            let name = daemon.name.clone();
            state.start(daemon)?;
            parts.ready(state.daemon(&name)?)?;
        }
        Ok(server)
    }
}

impl Deref for ApiServer {
    type Target = Kube;

    fn deref(&self) -> &Kube {
        &self.kube
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        let ended = State::<Facts>::load(self.folder.path()).and_then(|state| match state {
            // Nothing of it is needed any more, so nothing has to be written down in peace.
            Some(mut state) => state.kill_all(),
            None => Ok(()),
        });
        if let Err(error) = ended {
            eprintln!("an API server of a test may still run: {error}");
        }
    }
}
