//! Kubernetes' programs, built once from Debian's source package. Debian packages only the client as a program, and no
//! registry of images can be counted on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::rig::program::{self, FOR_KUBE_BUILD, GO, REFLECT2};
use crate::rig::{RigError, command, folder, lock};

/// What is built.
const PROGRAMS: [&str; 6] =
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"];

/// The module by which the API server takes values apart. The bundled version 1.0.1 crashes at the first custom resource if
/// it is built with a Go of today; Debian has a newer one.
const REFLECT2_IN_TREE: &str = "vendor/github.com/modern-go/reflect2";

/// Where the programs keep the version that they say they are; the API server asks both.
const VERSION_VARIABLES: [&str; 2] = ["component-base/version", "client-go/pkg/version"];

/// Whether the programs are there, so that the rig is up in seconds.
pub fn is_built() -> bool {
    programs().is_ok()
}

/// The folder of the built programs.
///
/// # Errors
///
/// They are not built yet.
pub fn programs() -> Result<PathBuf, RigError> {
    let parent = parent()?;
    let versions =
        fs::read_dir(&parent).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let mut complete: Vec<PathBuf> =
        versions.filter(|bin| PROGRAMS.iter().all(|program| bin.join(program).is_file())).collect();
    complete.sort();
    complete.pop().ok_or(RigError::Unfit("Kubernetes is not built yet; run `cargo xtask kube up`"))
}

/// The folder of the programs, after having built them if they are not there.
pub(crate) fn build_once() -> Result<PathBuf, RigError> {
    if let Ok(found) = programs() {
        return Ok(found);
    }
    let _one = lock::for_build("kube")?;
    if let Ok(found) = programs() {
        return Ok(found);
    }
    program::require(&FOR_KUBE_BUILD)?;
    println!("building Kubernetes from Debian's source; this happens once and takes some ten minutes");
    // Gigabytes, gone when this is done.
    let build = parent()?.join("build");
    let _ = fs::remove_dir_all(&build);
    folder::make_private(&build)?;
    let version = debian::fetch_source(&build, "kubernetes")?;
    let tree = build.join("go/src/k8s.io/kubernetes");
    if let Some(parent) = tree.parent() {
        fs::create_dir_all(parent).map_err(RigError::file(parent))?;
    }
    fs::rename(build.join("src"), &tree).map_err(RigError::file(&tree))?;
    replace_reflect2(&tree)?;
    // Go files that are made from others, which `go build` alone does not do.
    command::show(in_tree(Command::new("make"), &build, &tree).arg("generated_files"))?;
    let out = build.join("bin");
    compile(&build, &tree, &version, &out)?;
    let bin = parent()?.join(&version).join("bin");
    if let Some(parent) = bin.parent() {
        fs::create_dir_all(parent).map_err(RigError::file(parent))?;
    }
    let _ = fs::remove_dir_all(&bin);
    fs::rename(&out, &bin).map_err(RigError::file(&bin))?;
    fs::remove_dir_all(&build).map_err(RigError::file(&build))?;
    Ok(bin)
}

fn parent() -> Result<PathBuf, RigError> {
    Ok(folder::cache()?.join("kube"))
}

/// The version as Kubernetes' own build would write it into the programs, and no symbols.
fn compile(build: &Path, tree: &Path, version: &str, out: &Path) -> Result<(), RigError> {
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let mut link = "-s -w".to_owned();
    for package in VERSION_VARIABLES {
        let name = format!("k8s.io/kubernetes/vendor/k8s.io/{package}");
        link += &format!(
            " -X {name}.gitVersion=v{version} -X {name}.gitMajor={major} -X {name}.gitMinor={minor}"
        );
    }
    let mut go = in_tree(Command::new(GO.path), build, tree);
    // The tree has its modules in it, so no module is asked for anywhere.
    go.env("GO111MODULE", "off").env("CGO_ENABLED", "0");
    go.args(["build", "-ldflags", &link, "-o"]).arg(out.join(""));
    command::show(go.args(PROGRAMS.map(|program| format!("./cmd/{program}"))))
}

fn in_tree(mut command: Command, build: &Path, tree: &Path) -> Command {
    command.current_dir(tree).env("GOPATH", build.join("go")).env("GOCACHE", build.join("gocache"));
    // `make` asks the shell for the folder, which else follows links.
    command.env("PWD", tree).env_remove("GOFLAGS");
    command
}

fn replace_reflect2(tree: &Path) -> Result<(), RigError> {
    let old = tree.join(REFLECT2_IN_TREE);
    let is_source = |path: &Path| path.extension().is_some_and(|kind| kind == "go" || kind == "s");
    for path in files(&old)?.into_iter().filter(|path| is_source(path)) {
        fs::remove_file(&path).map_err(RigError::file(&path))?;
    }
    let new = REFLECT2.path();
    for path in files(new.parent().unwrap_or(&new))?.into_iter().filter(|path| is_source(path)) {
        let name = path.file_name().unwrap_or_default();
        if !name.to_string_lossy().ends_with("_test.go") {
            fs::copy(&path, old.join(name)).map_err(RigError::file(&path))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, RigError> {
    let entries = fs::read_dir(folder).map_err(RigError::file(folder))?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
}
