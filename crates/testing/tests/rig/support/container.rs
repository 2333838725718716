//! A container of a test.

use pilotage_testing::rig::{Docker, SAMPLE_PORT, get};

use super::said;

/// A container that goes when the test ends.
pub struct Container<'a> {
    docker: &'a Docker,
    pub id: String,
}

impl<'a> Container<'a> {
    pub fn run(docker: &'a Docker, image: &str, arguments: &[&str]) -> Self {
        let id = said(docker.client().args(["run", "--detach", "--pull", "always", image]).args(arguments));
        // With `--pull always` the id comes after what is said of the download.
        let id = id.lines().last().unwrap_or_default().to_owned();
        Self { docker, id }
    }

    pub fn address(&self) -> String {
        let format = "{{.NetworkSettings.IPAddress}}";
        let address = said(self.docker.client().args(["inspect", "--format", format, &self.id]));
        format!("{}:{SAMPLE_PORT}", address.trim())
    }

    pub fn answers(&self, path: &str) -> Option<(u16, String)> {
        get(&self.address(), path).ok()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.docker.client().args(["rm", "--force", "--volumes", &self.id]).output();
    }
}
