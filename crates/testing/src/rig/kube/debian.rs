//! Source packages of Debian, fetched from the mirror that the machine itself uses, without changing its settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rig::{RigError, command, folder};

/// A mirror and the suite that the machine is of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror {
    address: String,
    suite: String,
}

/// Unpacks the source of a package to `FOLDER/src`. The upstream version.
pub(crate) fn fetch_source(build: &Path, package: &str) -> Result<String, RigError> {
    let mirror = mirror()?;
    let list = build.join("sources.list");
    folder::write(&list, format!("deb-src {} {} main\n", mirror.address, mirror.suite))?;
    let lists = build.join("lists");
    fs::create_dir_all(lists.join("partial")).map_err(RigError::file(&lists))?;
    let apt = || {
        let mut apt = Command::new("apt-get");
        // A list of sources, and lists of packages, for this alone.
        apt.arg("--quiet").arg(option("Dir::Etc::SourceList", &list));
        apt.arg("--option=Dir::Etc::SourceParts=-").arg(option("Dir::State::Lists", &lists));
        // The folder is private, so the user that apt would fetch as may not write to it.
        apt.arg("--option=APT::Sandbox::User=root").current_dir(build);
        apt
    };
    command::show(apt().arg("update"))?;
    command::show(apt().args(["source", "--download-only", package]))?;
    let description = description(build)?;
    command::show(Command::new("dpkg-source").args(["--extract"]).arg(&description).arg(build.join("src")))?;
    let name = description.file_stem().unwrap_or_default().to_string_lossy();
    upstream_version(&name).map(str::to_owned).ok_or_else(|| RigError::Content {
        path: description.clone(),
        reason: "its name does not say a version".to_owned(),
    })
}

fn option(name: &str, path: &Path) -> String {
    format!("--option={name}={}", path.display())
}

fn description(folder: &Path) -> Result<PathBuf, RigError> {
    let entries = fs::read_dir(folder).map_err(RigError::file(folder))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let found = paths.find(|path| path.extension().is_some_and(|extension| extension == "dsc"));
    let reason = "apt-get fetched no source package to it".to_owned();
    found.ok_or_else(|| RigError::Content { path: folder.to_owned(), reason })
}

/// `kubernetes_1.20.5+really1.20.2-1.1+deb12u1` is 1.20.2: a maintainer who went back writes what it really is.
fn upstream_version(name: &str) -> Option<&str> {
    let (_, version) = name.split_once('_')?;
    let version = version.split_once("+really").map_or(version, |(_, really)| really);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    Some(&version[..end]).filter(|version| !version.is_empty())
}

fn mirror() -> Result<Mirror, RigError> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let suite = suite.ok_or(RigError::Unfit("this is not Debian, from whose source Kubernetes is built"))?;
    let parts = fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    let files = std::iter::once(PathBuf::from("/etc/apt/sources.list")).chain(parts);
    let texts: Vec<String> = files.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let found = texts.iter().find_map(|text| mirror_in(text, suite));
    found.ok_or(RigError::Unfit("apt has no source of Debian's own packages"))
}

/// The mirror of the suite in a list of sources of either form (`sources.list(5)`).
fn mirror_in(text: &str, suite: &str) -> Option<Mirror> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("deb "));
    let in_line = lines.filter_map(|line| {
        // Options such as `[signed-by=…]` come before the address.
        let mut words = line.split_whitespace().skip_while(|word| !word.contains("://"));
        let address = words.next()?;
        words.any(|word| word == suite).then_some(address)
    });
    let in_stanza = text.split("\n\n").filter_map(|stanza| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let has = |name: &str, value: &str| {
            field(name).is_some_and(|text| text.split_whitespace().any(|word| word == value))
        };
        (has("Types", "deb") && has("Suites", suite)).then(|| field("URIs")?.split_whitespace().next())?
    });
    let address = in_line.chain(in_stanza).find(|address| address.contains("/debian"))?;
    Some(Mirror { address: address.to_owned(), suite: suite.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_found_in_both_forms_of_a_list() {
        let lines = "# deb http://no.example/debian bookworm main\n\
                     deb https://packages.example bookworm tool\n\
                     deb [signed-by=/usr/share/k.gpg] http://mirror.example/debian bookworm main contrib\n";
        let stanzas = "Types: deb\n# comment\nURIs: http://security.example/debian-security\nSuites: bookworm-security\n\n\
                       Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n";
        for text in [lines, stanzas] {
            let mirror = mirror_in(text, "bookworm").unwrap();
            assert_eq!(
                (mirror.address.as_str(), mirror.suite.as_str()),
                ("http://mirror.example/debian", "bookworm")
            );
        }
        assert_eq!(mirror_in(lines, "trixie"), None);
    }

    #[test]
    fn the_version_is_what_it_really_is() {
        assert_eq!(upstream_version("kubernetes_1.20.5+really1.20.2-1.1+deb12u1"), Some("1.20.2"));
        assert_eq!(upstream_version("kubernetes_1.32.3+ds-2"), Some("1.32.3"));
    }
}
