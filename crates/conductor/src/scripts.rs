//! The files of the project that a deployment runs, as they are now.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pilotage_spec::{Digest, Service};
use sha2::{Digest as _, Sha256};

/// A larger file is no script, in bytes.
const SIZE_LIMIT_BYTES: u64 = 16 << 20;

/// A file of the project that one of a service's commands runs or is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its path below the project's folder, as the command names it, without `./`.
    pub path: String,
    /// The digest of what is in it now, or why that is not known.
    pub digest: Result<Digest, String>,
}

/// The files of the project's folder that stand in the smoke suite of a service, each once, by path.
///
/// A link is followed. One that leads out of the folder has no digest: what it leads to is not the project's.
pub fn scripts(folder: &Path, service: &Service) -> Vec<Script> {
    let mut paths: Vec<&str> =
        service.smoke.iter().flatten().filter_map(|word| below(folder, word)).collect();
    paths.sort_unstable();
    paths.dedup();
    let script = |path: &str| Script { path: path.to_owned(), digest: digest(folder, path) };
    paths.into_iter().map(script).collect()
}

/// The path of a word that names a file of the folder. A program without a slash is looked for on `PATH`, and only an argument can be
/// such a file; both are asked alike, since asking too often does no harm.
fn below<'a>(folder: &Path, word: &'a str) -> Option<&'a str> {
    let path = word.strip_prefix("./").unwrap_or(word);
    if path.is_empty() || path.starts_with(['/', '-', '~']) || path.contains(['$', '\0']) {
        return None;
    }
    let is_there = folder.join(path).symlink_metadata().is_ok_and(|found| !found.is_dir());
    is_there.then_some(path)
}

fn digest(folder: &Path, path: &str) -> Result<Digest, String> {
    let unreadable = |error: io::Error| format!("{path} cannot be read: {error}");
    let root = folder.canonicalize().map_err(unreadable)?;
    let file = folder.join(path).canonicalize().map_err(unreadable)?;
    if !file.starts_with(&root) {
        return Err(format!("{path} leads out of the project's folder"));
    }
    let opened = File::open(&file).map_err(unreadable)?;
    let found = opened.metadata().map_err(unreadable)?;
    if !found.is_file() || found.len() > SIZE_LIMIT_BYTES {
        return Err(format!("{path} is not a file of at most {SIZE_LIMIT_BYTES} bytes"));
    }
    let mut text = Vec::new();
    opened.take(SIZE_LIMIT_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    Ok(Digest::from_bytes(Sha256::digest(&text).into()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn service(smoke: &str) -> Service {
        let file =
            format!("project: p\nservices:\n  api: {{ run: [./api], artifact: api, smoke: {smoke} }}\n");
        let project = pilotage_spec::read("pilotage.yaml", &file).unwrap();
        project.services.into_values().next().unwrap()
    }

    #[test]
    fn the_project_s_files_are_found_with_their_digests_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("smoke.sh"), "true\n").unwrap();
        std::fs::create_dir(root.join("checks")).unwrap();
        symlink("../smoke.sh", root.join("checks/linked")).unwrap();
        symlink("/etc/passwd", root.join("out")).unwrap();
        symlink("gone", root.join("dangling")).unwrap();
        let service = service(
            r#"[[./smoke.sh, $URL], [python3, checks/linked, smoke.sh], [./out], [./dangling], [curl, -fsS, checks, /bin/true]]"#,
        );
        let found = scripts(root, &service);
        let paths: Vec<&str> = found.iter().map(|script| script.path.as_str()).collect();
        assert_eq!(paths, ["checks/linked", "dangling", "out", "smoke.sh"]);
        let expected = Digest::from_bytes(Sha256::digest("true\n").into());
        assert_eq!(found[0].digest, Ok(expected.clone()));
        assert_eq!(found[3].digest, Ok(expected));
        assert_eq!(found[2].digest, Err("out leads out of the project's folder".to_owned()));
        assert!(found[1].digest.is_err());
        std::fs::write(root.join("smoke.sh"), "false\n").unwrap();
        assert_ne!(scripts(root, &service)[3].digest, found[3].digest, "a changed file is another");
    }
}
