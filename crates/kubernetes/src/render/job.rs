//! Which program is asked to render, and with which arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pilotage_spec::{Manifests, RelativePath};

use super::RenderError;
use super::programs::Programs;
use super::renderer::Rendering;
use super::sandbox::Sandbox;

/// What is done by which program.
pub(super) struct Job {
    /// What is rendered, as messages call it.
    pub(super) place: String,
    /// Who renders it; nobody for plain manifests.
    pub(super) program: Option<PathBuf>,
    /// What the program is asked for its version with.
    pub(super) version_arguments: Vec<&'static str>,
    /// What it is asked to do.
    arguments: Vec<Word>,
    /// The program and its arguments in words, for the digest.
    pub(super) words: Vec<String>,
}

/// An argument.
enum Word {
    /// As it is.
    Text(String),
    /// The path of an input, which lies elsewhere in each sandbox.
    Input(PathBuf),
}

impl Job {
    pub(super) fn of(rendering: &Rendering<'_>, programs: &Programs) -> Result<Self, RenderError> {
        match rendering.manifests {
            Manifests::Plain(files) => {
                // Their order is that of the objects.
                let arguments = files.iter().map(|file| Word::Input(path(file).to_owned())).collect();
                Ok(Self::new("the manifests".to_owned(), None, Vec::new(), arguments))
            }
            Manifests::Kustomize(folder) => Self::kustomize(folder, programs),
            Manifests::Helm { chart, values, release } => {
                Self::helm(rendering, chart, values, release.as_deref(), programs)
            }
        }
    }

    fn kustomize(folder: &RelativePath, programs: &Programs) -> Result<Self, RenderError> {
        let place = folder.to_string();
        let (program, verb, version) = match (&programs.kustomize, &programs.kubectl) {
            (Some(kustomize), _) => (kustomize, "build", vec!["version"]),
            (None, Some(kubectl)) => (kubectl, "kustomize", vec!["version", "--client"]),
            (None, None) => {
                return Err(RenderError::NoProgram { place, wanted: "`kustomize` or `kubectl`" });
            }
        };
        // Its load restrictor is on unless somebody turns it off.
        let arguments = vec![Word::Text(verb.to_owned()), Word::Input(path(folder).to_owned())];
        Ok(Self::new(place, Some(program.clone()), version, arguments))
    }

    fn helm(
        rendering: &Rendering<'_>,
        chart: &RelativePath,
        values: &[RelativePath],
        release: Option<&str>,
        programs: &Programs,
    ) -> Result<Self, RenderError> {
        let place = chart.to_string();
        let Some(helm) = &programs.helm else {
            return Err(RenderError::NoProgram { place, wanted: "`helm`" });
        };
        let release = release.unwrap_or(rendering.service.as_str());
        // The name of a release is that of a label; anything else could be an option.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if release.is_empty()
            || release.len() > 53
            || release.starts_with(['-', '.'])
            || !release.chars().all(plain)
        {
            let reason = "the release's name has other characters than lower-case letters, digits and `-`, or more than 53";
            return Err(RenderError::input(place, reason));
        }
        let mut arguments: Vec<Word> = ["template", release].map(|word| Word::Text(word.to_owned())).into();
        arguments.push(Word::Input(path(chart).to_owned()));
        arguments
            .extend(["--namespace", rendering.namespace.as_str()].map(|word| Word::Text(word.to_owned())));
        for file in values {
            arguments.extend([Word::Text("--values".to_owned()), Word::Input(path(file).to_owned())]);
        }
        if let Some(version) = rendering.cluster_version {
            arguments.extend(["--kube-version", version].map(|word| Word::Text(word.to_owned())));
        }
        Ok(Self::new(place, Some(helm.clone()), vec!["version", "--short"], arguments))
    }

    fn new(
        place: String,
        program: Option<PathBuf>,
        version_arguments: Vec<&'static str>,
        arguments: Vec<Word>,
    ) -> Self {
        let own = program.iter().map(|program| program.display().to_string());
        let words = arguments.iter().map(|word| match word {
            Word::Text(text) => text.clone(),
            Word::Input(path) => path.display().to_string(),
        });
        let words = own.chain(words).collect();
        Self { place, program, version_arguments, arguments, words }
    }

    pub(super) fn arguments(&self, sandbox: &Sandbox) -> Vec<OsString> {
        let argument = |word: &Word| match word {
            Word::Text(text) => text.into(),
            Word::Input(path) => sandbox.input(path).into_os_string(),
        };
        self.arguments.iter().map(argument).collect()
    }

    pub(super) fn failed(&self, program: &Path, reason: String) -> RenderError {
        program_error(&self.place, program, reason)
    }
}

pub(super) fn program_error(place: &str, program: &Path, reason: String) -> RenderError {
    let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    RenderError::Program { place: place.to_owned(), program, reason }
}

pub(super) fn path(path: &RelativePath) -> &Path {
    Path::new(path.as_str())
}
