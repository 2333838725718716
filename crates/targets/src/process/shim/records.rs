//! What a shim leaves in the instance's folder, for those who come later.

use std::io;
use std::path::PathBuf;

use pilotage_spec::Timestamp;
use serde::{Deserialize, Serialize};

use super::protocol::ShimStatus;
use crate::process::files::{now, read_json, write_json};

/// What a shim leaves behind when it ends as it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimExit {
    /// When.
    pub at: Timestamp,
    /// Its last status.
    pub status: ShimStatus,
}

/// The shim's files in the instance's folder.
#[derive(Debug, Clone)]
pub struct Records {
    /// The instance's folder.
    pub folder: PathBuf,
}

impl Records {
    /// Writes who holds the instance and which process it is.
    pub fn write(&self, status: &ShimStatus) -> io::Result<()> {
        write_json(&self.folder.join("identity.json"), status)
    }

    /// The last note of [`Records::write`]; `None` if the shim never came so far.
    pub fn read(&self) -> io::Result<Option<ShimStatus>> {
        read_json(&self.folder.join("identity.json"))
    }

    /// Writes that an instance has ended whose shim could not write it itself.
    pub fn write_exit_of(&self, status: ShimStatus) -> io::Result<()> {
        self.write_exit(&ShimExit { at: now(), status })
    }

    /// Writes that the instance was ended as it should.
    pub fn write_exit(&self, exit: &ShimExit) -> io::Result<()> {
        write_json(&self.folder.join("exit.json"), exit)
    }

    /// Whether the shim has ended as it should.
    pub fn has_ended(&self) -> bool {
        self.folder.join("exit.json").exists()
    }
}
