//! An image registry that asks who wants to come in, for one test.

use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::daemon::Daemon;
use super::program::{self, REGISTRY};
use super::{Docker, RigError, command, folder, images, port, registry};

/// Who may come in. A fixture: the registry holds nothing but a test's own image.
pub const USER: &str = "pilotage";

/// And by which password.
pub const PASSWORD: &str = "correct-horse";

/// The line of an `htpasswd` file that says the same, with the password as bcrypt.
const ENTRY: &str = "pilotage:$2b$04$rcjGdF84KT2G.CgJ.aOjNO4tqmNDym8GZdkpEl82eaLQm/wrhCf0u";

/// The same in the file of a client: `USER:PASSWORD` in base64.
const AUTHORIZATION: &str = "cGlsb3RhZ2U6Y29ycmVjdC1ob3JzZQ==";

/// A registry on 127.0.0.1 that ends with this.
#[derive(Debug)]
pub struct PrivateRegistry {
    address: String,
    daemon: Daemon,
    folder: TempDir,
}

impl PrivateRegistry {
    /// Starts it and returns when it answers.
    ///
    /// # Errors
    ///
    /// What is missing, or what did not get ready.
    pub fn start() -> Result<Self, RigError> {
        program::require(&[REGISTRY])?;
        let parent = folder::run("alone")?;
        folder::make_private(&parent)?;
        let folder = TempDir::new_in(&parent).map_err(RigError::file(&parent))?;
        let [port] = port::free()?;
        let address = format!("127.0.0.1:{port}");
        let passwords = folder.path().join("htpasswd");
        folder::write(&passwords, format!("{ENTRY}\n"))?;
        folder::write(
            &folder.path().join("client/config.json"),
            json!({"auths": {&address: {"auth": AUTHORIZATION}}}).to_string(),
        )?;
        let access = json!({"htpasswd": {"realm": "rig", "path": passwords}});
        let mut daemon = registry::daemon(folder.path(), port, Some(access))?;
        daemon.of_test = true;
        daemon.start()?;
        // From here on, dropping it ends what was started.
        let private = Self { address, daemon, folder };
        registry::ready(&private.daemon, &private.address)?;
        Ok(private)
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Takes in an image that the engine has, as `NAME`, and says what it is called here: `127.0.0.1:PORT/NAME@sha256:…`. The
    /// engine forgets that name, so that it has to pull the image and to say who it is.
    ///
    /// # Errors
    ///
    /// What the engine or the registry says.
    pub fn take(&self, docker: &Docker, image: &str, name: &str) -> Result<String, RigError> {
        let tag = format!("{}/{name}:1", self.address);
        command::output(docker.client().args(["tag", image, &tag]))?;
        command::output(self.client(docker).args(["push", "--quiet", &tag]))?;
        let digest = images::digest(docker, &tag)?;
        command::output(docker.client().args(["image", "rm", &tag]))?;
        Ok(digest)
    }

    /// The command line client `docker`, that says who it is.
    pub fn client(&self, docker: &Docker) -> Command {
        let mut command = docker.client();
        command.env("DOCKER_CONFIG", self.folder.path().join("client"));
        command
    }
}

impl Drop for PrivateRegistry {
    fn drop(&mut self) {
        if let Err(error) = self.daemon.kill() {
            eprintln!("a registry of a test may still run: {error}");
        }
    }
}
