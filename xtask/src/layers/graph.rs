//! The crate graph as cargo resolves it, without development dependencies: tests may know what the product may not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand, Package, PackageId};

use crate::process::TaskError;

/// Crates by name, and the names of those each depends on. Of a crate that is there in several versions each has a name of its own,
/// so that what one of them needs is not held against the others.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    arrows: BTreeMap<String, BTreeSet<String>>,
    members: BTreeSet<String>,
}

/// A name for each package: its own, with the version behind it where there are several.
fn names(packages: &[Package]) -> BTreeMap<&PackageId, String> {
    let versions = |name: &str| packages.iter().filter(|package| package.name.as_str() == name).count();
    let name = |package: &Package| match versions(&package.name) {
        1 => package.name.to_string(),
        _ => format!("{} {}", package.name, package.version),
    };
    packages.iter().map(|package| (&package.id, name(package))).collect()
}

impl Graph {
    /// Asks cargo, with all features switched on.
    pub fn of_workspace(root: &Path) -> Result<Self, TaskError> {
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .features(CargoOpt::AllFeatures)
            .exec()
            .map_err(|error| TaskError::Failed(format!("cargo metadata: {error}")))?;
        let names = names(&metadata.packages);
        let mut graph = Self::default();
        graph.members.extend(metadata.workspace_packages().iter().map(|package| package.name.to_string()));
        for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
            let product = node.deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            });
            for dependency in product {
                graph.add(&names[&node.id], &names[&dependency.pkg]);
            }
        }
        graph.add_declared(&metadata.workspace_packages());
        Ok(graph)
    }

    /// Adds an arrow.
    pub fn add(&mut self, from: &str, to: &str) {
        self.arrows.entry(from.to_owned()).or_default().insert(to.to_owned());
    }

    /// Cargo leaves optional and platform-bound dependencies out of the resolved graph when they are not in use; between
    /// our own crates those count too.
    fn add_declared(&mut self, members: &[&Package]) {
        for member in members {
            for dependency in &member.dependencies {
                if dependency.kind != DependencyKind::Development {
                    self.add(&member.name, &dependency.name);
                }
            }
        }
    }

    /// The crates of the workspace.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(String::as_str)
    }

    /// The crates of the workspace on which a crate depends directly.
    pub fn known_members<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.direct(name).filter(|dependency| self.members.contains(*dependency))
    }

    fn direct<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.arrows.get(name).into_iter().flatten().map(String::as_str)
    }

    /// A way from a crate to any version of another, as names, both ends included; the shortest.
    pub fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut ways = std::collections::VecDeque::from([vec![from.to_owned()]]);
        let mut seen = BTreeSet::from([from.to_owned()]);
        while let Some(way) = ways.pop_front() {
            for next in way.last().into_iter().flat_map(|last| self.direct(last)) {
                if seen.insert(next.to_owned()) {
                    let longer: Vec<String> = way.iter().cloned().chain([next.to_owned()]).collect();
                    if next.split(' ').next() == Some(to) {
                        return Some(longer);
                    }
                    ways.push_back(longer);
                }
            }
        }
        None
    }
}

#[cfg(test)]
impl Graph {
    /// Adds a crate of the workspace.
    pub fn add_member(&mut self, name: &str) {
        self.members.insert(name.to_owned());
    }
}
