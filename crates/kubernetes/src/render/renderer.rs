//! The way from a service's manifests to its objects.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pilotage_spec::{Digest, Manifests, Namespace, ServiceName};
use serde_json::Value;

use super::RenderError;
use super::check::check;
use super::inputs::Inputs;
use super::job::{Job, path, program_error};
use super::kustomization;
use super::objects::flatten;
use super::paths::ProjectFolder;
use super::programs::Programs;
use super::sandbox::{KnownIsolation, Sandbox};
use super::store::{Outcome, Store};
use super::yaml::{Document, read_stream};

/// Stands in the digest of inputs: raised when the same inputs are read or checked differently.
const FORM: &str = "1";

/// What is to be rendered.
#[derive(Debug, Clone, Copy)]
pub struct Rendering<'a> {
    /// What the objects are made of.
    pub manifests: &'a Manifests,
    /// Whose objects they are.
    pub service: &'a ServiceName,
    /// Where they go.
    pub namespace: &'a Namespace,
    /// The version of the cluster, such as `1.33.2`, by which charts choose what they write.
    pub cluster_version: Option<&'a str>,
}

/// Objects that were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Their digest, by which they can be had again.
    pub digest: Digest,
    /// The objects, without lists around them.
    pub objects: Vec<Value>,
    /// What is worth a word.
    pub warnings: Vec<String>,
}

/// Renders objects of a project, and keeps them.
#[derive(Debug, Clone)]
pub struct Renderer {
    project: ProjectFolder,
    store: Store,
    programs: Programs,
    isolation: Arc<KnownIsolation>,
    versions: Arc<Mutex<HashMap<ProgramFile, String>>>,
}

/// A program as it lies on the disk.
type ProgramFile = (PathBuf, u64, i64);

impl Renderer {
    /// Renders what is in a project's folder, and keeps it in another one, which is made if it is missing. Blocks for as long
    /// as the disk takes.
    ///
    /// # Errors
    /// Fails if one of the folders cannot be used.
    pub fn open(project_folder: &Path, store_folder: &Path, programs: Programs) -> Result<Self, RenderError> {
        Ok(Self {
            project: ProjectFolder::at(project_folder)?,
            store: Store::open(store_folder)?,
            programs,
            isolation: Arc::default(),
            versions: Arc::default(),
        })
    }

    /// Renders and checks. What was rendered before from the same inputs, by the same version of the same program, is not
    /// rendered again.
    ///
    /// # Errors
    /// Fails if an input or an object cannot be used, or a program is missing or fails.
    pub async fn render(&self, rendering: &Rendering<'_>) -> Result<Rendered, RenderError> {
        let job = Job::of(rendering, &self.programs)?;
        let (renderer, manifests) = (self.clone(), rendering.manifests.clone());
        let inputs = blocking(move || renderer.gather(&manifests)).await?;
        let version = match &job.program {
            Some(program) => self.version(program, &job.version_arguments, &job.place).await?,
            None => String::new(),
        };
        let mut words = vec![FORM, rendering.service.as_str(), rendering.namespace.as_str(), &version];
        words.extend(job.words.iter().map(String::as_str));
        let key = inputs.digest(&words);
        let store = self.store.clone();
        let known = key.clone();
        if let Some((outcome, objects)) = blocking(move || Ok(store.recall(&known))).await? {
            return Ok(Rendered { digest: outcome.objects, objects, warnings: outcome.warnings });
        }
        let (documents, mut warnings) = match &job.program {
            None => (read_plain(&inputs, rendering.manifests)?, Vec::new()),
            Some(program) => self.run(program, &job, inputs).await?,
        };
        let checked = check(flatten(documents)?, rendering.service, rendering.namespace)?;
        warnings.extend(checked.warnings);
        let store = self.store.clone();
        blocking(move || {
            let digest = store.keep(&checked.objects)?;
            store.note(&key, &Outcome { objects: digest.clone(), warnings: warnings.clone() })?;
            Ok(Rendered { digest, objects: checked.objects, warnings })
        })
        .await
    }

    /// The objects that were rendered once, by their digest.
    ///
    /// # Errors
    /// Fails if they are not there, or are not what was kept.
    pub async fn load(&self, digest: &Digest) -> Result<Vec<Value>, RenderError> {
        let (store, digest) = (self.store.clone(), digest.clone());
        blocking(move || store.load(&digest)).await
    }

    fn gather(&self, manifests: &Manifests) -> Result<Inputs, RenderError> {
        let mut inputs = Inputs::default();
        match manifests {
            Manifests::Plain(files) => {
                for file in files {
                    inputs.file(&self.project, path(file))?;
                }
            }
            Manifests::Kustomize(folder) => inputs = kustomization::gather(&self.project, path(folder))?,
            Manifests::Helm { chart, values, .. } => {
                inputs.folder(&self.project, path(chart))?;
                for file in values {
                    inputs.file(&self.project, path(file))?;
                }
            }
        }
        Ok(inputs)
    }

    async fn run(
        &self,
        program: &Path,
        job: &Job,
        inputs: Inputs,
    ) -> Result<(Vec<Document>, Vec<String>), RenderError> {
        let parent = self.store.folder().to_owned();
        let sandbox = blocking(move || {
            Sandbox::new(&parent, &inputs).map_err(|error| RenderError::Store {
                path: parent.display().to_string(),
                reason: format!("no folder can be made there: {error}"),
            })
        })
        .await?;
        let isolation = self.isolation.get(&self.programs).await;
        let output = sandbox.run(isolation, program, &job.arguments(&sandbox)).await;
        let output = output.map_err(|error| job.failed(program, error.to_string()))?;
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let open = (!isolation.is_complete()).then(|| {
            format!(
                "{}: `{name}` was not kept from the network, as this system has no network namespaces for us; nothing was given \
                 to it by which it could prove to be somebody",
                job.place
            )
        });
        let documents = read_stream(&format!("{} as rendered by {name}", job.place), &output)?;
        Ok((documents, open.into_iter().collect()))
    }

    /// What a program says of its version, asked once for each that was ever installed.
    async fn version(&self, program: &Path, arguments: &[&str], place: &str) -> Result<String, RenderError> {
        let failed = |reason: String| program_error(place, program, reason);
        let metadata =
            std::fs::metadata(program).map_err(|error| failed(format!("cannot be read: {error}")))?;
        let file = (program.to_owned(), metadata.len(), metadata.mtime());
        let known = self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(&file).cloned();
        if let Some(version) = known {
            return Ok(version);
        }
        let sandbox = Sandbox::new(self.store.folder(), &Inputs::default())
            .map_err(|error| failed(format!("has no folder to run in: {error}")))?;
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let isolation = self.isolation.get(&self.programs).await;
        let version =
            sandbox.run(isolation, program, &arguments).await.map_err(|error| failed(error.to_string()))?;
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(file, version.clone());
        Ok(version)
    }
}

fn read_plain(inputs: &Inputs, manifests: &Manifests) -> Result<Vec<Document>, RenderError> {
    let Manifests::Plain(files) = manifests else { return Ok(Vec::new()) };
    let mut documents = Vec::new();
    for file in files {
        let text = inputs.text(path(file)).unwrap_or(Ok(""))?;
        documents.extend(read_stream(file.as_str(), text)?);
    }
    Ok(documents)
}

/// Does what takes the disk some time where nothing else waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
) -> Result<T, RenderError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(RenderError::input("rendering", "ended unexpectedly; see the server's log")))
}
