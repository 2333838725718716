//! A project's folder with its files.

use std::fs;
use std::path::{Path, PathBuf};

use pilotage_spec::{Manifests, RelativePath};
use serde_json::Value;
use tempfile::TempDir;

use crate::render::renderer::Rendered;
use crate::render::{Programs, RenderError, Renderer, Rendering};

/// A Deployment with one container.
pub(super) const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec:
      containers: [{ name: main, image: old }]
";

pub(super) struct Project {
    folder: TempDir,
    pub(super) programs: Programs,
}

impl Project {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), programs: Programs::installed() };
        fs::create_dir(project.path("project")).unwrap();
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    /// Something beside the project's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.path("project")
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn renderer(&self) -> Renderer {
        Renderer::open(&self.root(), &self.path("state/renders"), self.programs.clone()).unwrap()
    }

    pub(super) async fn render(&self, manifests: &Manifests) -> Result<Rendered, RenderError> {
        let (service, namespace) = ("api".parse().unwrap(), "shop".parse().unwrap());
        let rendering = Rendering {
            manifests,
            service: &service,
            namespace: &namespace,
            cluster_version: Some("1.33.2"),
        };
        self.renderer().render(&rendering).await
    }

    /// Why manifests are refused.
    pub(super) async fn fault(&self, manifests: &Manifests) -> String {
        self.render(manifests).await.unwrap_err().to_string()
    }

    /// How many files were ever made of objects.
    pub(super) fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("state/renders/objects")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

pub(super) fn plain(files: &[&str]) -> Manifests {
    Manifests::Plain(files.iter().map(|file| relative(file)).collect())
}

pub(super) fn relative(path: &str) -> RelativePath {
    path.parse().unwrap()
}

/// Kind and name of each object.
pub(super) fn names(objects: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = |object: &Value| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
    objects.iter().map(name).collect()
}

/// Writes a program of a few lines of shell.
pub(super) fn program(path: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}
