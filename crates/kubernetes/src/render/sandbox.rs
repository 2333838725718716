//! Where programs render: a temporary folder with a copy of their input, nobody's home, an empty environment, and no network
//! where the system lets us take it away.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::inputs::Inputs;
use super::program::{self, RunError};
use super::programs::Programs;

/// A port of this machine at which nothing answers (RFC 863, discard): for programs that keep the network.
const NOWHERE: &str = "http://127.0.0.1:9";
/// How a temporary folder's name begins.
pub(super) const PREFIX: &str = "work-";

/// Where one rendering is done; gone with the value.
pub(super) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// Makes one below a folder, with a copy of the input.
    pub(super) fn new(parent: &Path, inputs: &Inputs) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        for name in ["input", "home", "tmp", "bin"] {
            fs::create_dir(folder.path().join(name))?;
        }
        inputs.write_to(&folder.path().join("input"))?;
        Ok(Self { folder })
    }

    /// Where the copy of the project's file or folder is.
    pub(super) fn input(&self, path: &Path) -> PathBuf {
        self.folder.path().join("input").join(path)
    }

    /// Runs a program, and says what it has written.
    pub(super) async fn run(
        &self,
        isolation: &Isolation,
        program: &Path,
        arguments: &[OsString],
    ) -> Result<String, RunError> {
        let mut words = isolation.words.clone();
        words.push(program.into());
        words.extend(arguments.iter().cloned());
        let output = program::run(&words, self.environment(), &self.input(Path::new(""))).await;
        let place = format!("{}/", self.folder.path().join("input").display());
        // Nobody knows the temporary folder by its name.
        output.map_err(|error| error.without(&place))
    }

    /// All the variables that a program sees. The empty `PATH` keeps it from finding `git` and other helpers.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let at = |name: &str| self.folder.path().join(name).into_os_string();
        let mut variables = vec![("HOME", at("home")), ("TMPDIR", at("tmp")), ("PATH", at("bin"))];
        let homes = [
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "HELM_CONFIG_HOME",
            "HELM_CACHE_HOME",
            "HELM_DATA_HOME",
            "HELM_PLUGINS",
        ];
        variables.extend(homes.map(|name| (name, at("home"))));
        variables.extend(["HTTP_PROXY", "HTTPS_PROXY"].map(|name| (name, NOWHERE.into())));
        variables.push(("LC_ALL", "C.UTF-8".into()));
        variables
    }
}

/// How programs are kept from the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Isolation {
    /// What is put before a program with its arguments; nothing where the system does not let us.
    words: Vec<OsString>,
}

impl Isolation {
    /// Whether a program has no network at all.
    pub(super) fn is_complete(&self) -> bool {
        !self.words.is_empty()
    }

    /// Finds out what the system lets us do: as root at once, else by a user namespace (unshare(1)).
    pub(super) async fn find(programs: &Programs) -> Self {
        let Some(unshare) = &programs.unshare else { return Self::default() };
        for options in [&["--net"][..], &["--user", "--map-root-user", "--net"]] {
            let mut words: Vec<OsString> = vec![unshare.into()];
            words.extend(options.iter().map(OsString::from));
            words.push("--".into());
            let mut trial = words.clone();
            trial.extend([unshare.into(), "--version".into()]);
            if program::run(&trial, Vec::new(), Path::new("/")).await.is_ok() {
                return Self { words };
            }
        }
        Self::default()
    }
}

/// What was found out, once for all renderings.
#[derive(Debug, Default)]
pub(super) struct KnownIsolation(OnceCell<Isolation>);

impl KnownIsolation {
    pub(super) async fn get(&self, programs: &Programs) -> &Isolation {
        self.0.get_or_init(|| Isolation::find(programs)).await
    }
}
