//! What is recorded of a running rig, so that any process can find, change and end it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::RigError;
use super::daemon::Daemon;

/// The record of a rig: its programs in the order of their start, and what else is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State<Facts> {
    pub facts: Facts,
    pub daemons: Vec<Daemon>,
    /// It was not brought up to its end, so it is of no use.
    #[serde(default)]
    pub unfinished: bool,
    #[serde(skip)]
    path: PathBuf,
}

/// What a record can hold.
pub(crate) trait Record: Serialize + DeserializeOwned {}

impl<Facts: Serialize + DeserializeOwned> Record for Facts {}

impl<Facts: Record> State<Facts> {
    pub(crate) fn new(folder: &Path, facts: Facts) -> Self {
        Self { facts, daemons: Vec::new(), unfinished: true, path: file(folder) }
    }

    /// The record in the folder, if there is one.
    pub(crate) fn load(folder: &Path) -> Result<Option<Self>, RigError> {
        let path = file(folder);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(RigError::file(&path))?;
        let read = serde_json::from_str::<Self>(&text);
        let mut state =
            read.map_err(|error| RigError::Content { path: path.clone(), reason: error.to_string() })?;
        state.path = path;
        Ok(Some(state))
    }

    /// Replaces the record in one step.
    pub(crate) fn save(&self) -> Result<(), RigError> {
        let content = |reason: String| RigError::Content { path: self.path.clone(), reason };
        let text = serde_json::to_string_pretty(self).map_err(|error| content(error.to_string()))?;
        let new = self.path.with_extension("new");
        super::folder::write(&new, text)?;
        fs::rename(&new, &self.path).map_err(RigError::file(&self.path))
    }

    /// Starts another program and records it, also when it does not get ready, so that `down` finds it.
    pub(crate) fn start(&mut self, mut daemon: Daemon) -> Result<(), RigError> {
        daemon.start()?;
        self.daemons.push(daemon);
        self.save()
    }

    pub(crate) fn daemon(&self, name: &str) -> Result<&Daemon, RigError> {
        let found = self.daemons.iter().find(|daemon| daemon.name == name);
        found.ok_or_else(|| RigError::NoSuchPart(name.to_owned()))
    }

    /// Kills a program.
    pub(crate) fn kill(&mut self, name: &str) -> Result<(), RigError> {
        self.daemon_mut(name)?.kill()?;
        self.save()
    }

    /// Starts a program again, exactly as it was, and waits until it does its work.
    pub(crate) fn start_again(
        &mut self,
        name: &str,
        ready: impl Fn(&Daemon, &Facts) -> Result<(), RigError>,
    ) -> Result<(), RigError> {
        self.daemon_mut(name)?.start()?;
        self.save()?;
        ready(self.daemon(name)?, &self.facts)
    }

    /// Starts again what has ended, in the order of the first start. A rig of which nothing runs is not up: the machine was
    /// started anew, and what lay in memory is gone.
    pub(crate) fn heal(
        &mut self,
        ready: impl Fn(&Daemon, &Facts) -> Result<(), RigError>,
    ) -> Result<(), RigError> {
        if self.unfinished || !self.daemons.iter().any(Daemon::runs) {
            return Ok(());
        }
        let ended = self.daemons.iter().filter(|daemon| !daemon.runs());
        let names: Vec<String> = ended.map(|daemon| daemon.name.clone()).collect();
        names.iter().try_for_each(|name| self.start_again(name, &ready))
    }

    fn daemon_mut(&mut self, name: &str) -> Result<&mut Daemon, RigError> {
        let found = self.daemons.iter_mut().find(|daemon| daemon.name == name);
        found.ok_or_else(|| RigError::NoSuchPart(name.to_owned()))
    }

    /// Records that it was brought up to its end.
    pub(crate) fn finish(&mut self) -> Result<(), RigError> {
        self.unfinished = false;
        self.save()
    }

    /// Whether all of it runs.
    pub(crate) fn runs(&self) -> bool {
        !self.unfinished && self.daemons.iter().all(Daemon::runs)
    }

    /// What is said of the programs, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let said = |daemon: &Daemon| match daemon.id() {
            Some(id) => line(&daemon.name, &format!("runs as process {id}")),
            None => line(&daemon.name, &format!("has ended; see {}", daemon.log.display())),
        };
        self.daemons.iter().map(said).collect()
    }

    /// Kills the programs. Goes on after a failure, and returns the first.
    pub(crate) fn kill_all(&mut self) -> Result<(), RigError> {
        let killed: Vec<_> = self.daemons.iter_mut().rev().map(Daemon::kill).collect();
        killed.into_iter().collect()
    }

    /// Stops the programs, the last started first. Goes on after a failure, and returns the first.
    pub(crate) fn stop_all(&mut self) -> Result<(), RigError> {
        let stopped: Vec<_> = self.daemons.iter_mut().rev().map(Daemon::stop).collect();
        stopped.into_iter().collect()
    }
}

/// A line of what is said of a rig.
pub(crate) fn line(name: &str, text: &str) -> String {
    format!("{name:<24} {text}")
}

fn file(folder: &Path) -> PathBuf {
    folder.join("state.json")
}
