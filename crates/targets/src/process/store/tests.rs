//! The store from the outside.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Store;
use crate::TargetError;

struct Bench {
    folder: TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn stored(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("store")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn refusal(&self, name: &str) -> String {
        let error = self.store.stage(&self.path(name)).unwrap_err();
        assert!(matches!(error, TargetError::Artifact { .. }), "{error:?}");
        assert!(self.stored().is_empty(), "nothing is left of it: {:?}", self.stored());
        error.to_string()
    }

    /// An archive of these entries, whatever they are called.
    fn archive(&self, name: &str, entries: &[(&str, tar::EntryType, &str)]) -> PathBuf {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            header.set_size(0);
            if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
                header.set_link_name_literal(content).unwrap();
                header.set_cksum();
                archive.append(&header, &b""[..]).unwrap();
            } else {
                header.set_size(content.len() as u64);
                header.set_cksum();
                archive.append(&header, content.as_bytes()).unwrap();
            }
        }
        let path = self.path(name);
        fs::write(&path, archive.into_inner().unwrap()).unwrap();
        path
    }
}

#[test]
fn a_folder_and_its_archives_are_the_same_release() {
    let bench = Bench::new();
    bench.write("app/bin/server", "#!/bin/sh\n");
    fs::set_permissions(bench.path("app/bin/server"), Permissions::from_mode(0o750)).unwrap();
    bench.write("app/data.txt", "hello");
    symlink("bin/server", bench.path("app/run")).unwrap();
    let digest = bench.store.stage(&bench.path("app")).unwrap();

    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    archive.append_dir_all(".", bench.path("app")).unwrap();
    let bytes = archive.into_inner().unwrap();
    fs::write(bench.path("app.tar"), &bytes).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).unwrap();
    let bytes = gzip.finish().unwrap();
    fs::write(bench.path("app.tar.gz"), &bytes).unwrap();
    fs::write(bench.path("app.tgz"), &bytes).unwrap();
    for name in ["app.tar", "app.tar.gz", "app.tgz"] {
        assert_eq!(bench.store.stage(&bench.path(name)).unwrap(), digest, "{name}");
    }

    let stored = bench.store.verified(&digest).unwrap();
    assert_eq!(fs::read_to_string(stored.join("run")).unwrap(), "#!/bin/sh\n");
    let mode = |name: &str| fs::metadata(stored.join(name)).unwrap().mode() & 0o7777;
    assert_eq!([mode("."), mode("bin"), mode("bin/server"), mode("data.txt")], [0o555, 0o555, 0o555, 0o444]);
    assert_eq!(bench.stored(), [digest.hex()]);
}

#[test]
fn history_and_our_own_folder_are_no_part_of_a_release() {
    use tar::EntryType::Regular;
    let bench = Bench::new();
    bench.write("app/server", "x");
    fs::set_permissions(bench.path("app/server"), Permissions::from_mode(0o755)).unwrap();
    let digest = bench.store.stage(&bench.path("app")).unwrap();
    bench.write("app/.git/HEAD", "ref");
    bench.write("app/.pilotage/journal", "");
    assert_eq!(bench.store.stage(&bench.path("app")).unwrap(), digest);
    let entries = [("server", Regular, "x"), ("./.git/HEAD", Regular, "ref")];
    assert_eq!(bench.store.stage(&bench.archive("app.tar", &entries)).unwrap(), digest);

    // Nobody may put one into a release later on either.
    let stored = bench.store.verified(&digest).unwrap();
    fs::set_permissions(&stored, Permissions::from_mode(0o755)).unwrap();
    bench.write(&format!("store/{}/.git/hooks/evil", digest.hex()), "");
    assert!(Store::open(&bench.path("store")).unwrap().verified(&digest).is_err());
}

#[test]
fn what_is_stored_already_is_not_copied_again() {
    let bench = Bench::new();
    let file = bench.write("server", "one");
    let digest = bench.store.stage(&file).unwrap();
    let inode = fs::metadata(bench.path("store").join(digest.hex()).join("server")).unwrap().ino();
    assert_eq!(bench.store.stage(&file).unwrap(), digest);
    assert_eq!(fs::metadata(bench.path("store").join(digest.hex()).join("server")).unwrap().ino(), inode);
    assert_ne!(bench.store.stage(&bench.write("server", "two")).unwrap(), digest);
}

#[test]
fn many_at_once_store_it_once() {
    let bench = Bench::new();
    for number in 0..200 {
        bench.write(&format!("app/{number}"), &number.to_string());
    }
    let source = bench.path("app");
    let digests: Vec<_> = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..8).map(|_| scope.spawn(|| bench.store.stage(&source).unwrap())).collect();
        tasks.into_iter().map(|task| task.join().unwrap()).collect()
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    assert_eq!(bench.stored(), [digests[0].hex()]);
}

#[test]
fn artifacts_that_cannot_be_taken_say_what_to_do() {
    let bench = Bench::new();
    assert!(bench.refusal("missing").contains("is not there; build it first"));
    fs::create_dir_all(bench.path("empty/inner")).unwrap();
    assert!(bench.refusal("empty").contains("holds no file"));
    bench.write("circle/file", "");
    symlink("b", bench.path("circle/a")).unwrap();
    symlink("a", bench.path("circle/b")).unwrap();
    assert!(bench.refusal("circle").contains("leads in a circle"));
    bench.write("leaving/file", "");
    symlink("/etc/passwd", bench.path("leaving/users")).unwrap();
    assert!(bench.refusal("leaving").contains("leads out of the artifact"));
    bench.write("socket/file", "");
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket/listening")).unwrap();
    assert!(bench.refusal("socket").contains("`listening` is a socket"));
    bench.write("broken.tar", "this is not an archive, whatever its name says");
    assert!(bench.refusal("broken.tar").contains("not a readable archive"));
    bench.write("broken.tgz", "nor is this compressed");
    assert!(
        bench.refusal("broken.tgz").contains("cannot be read") || !bench.refusal("broken.tgz").is_empty()
    );
}

#[test]
fn nothing_gets_out_of_an_archive() {
    use tar::EntryType::{Char, Fifo, Link, Regular, Symlink};
    let bench = Bench::new();
    for (entries, words) in [
        (vec![("../escape", Regular, "x")], "has `..` in its path"),
        (vec![("a/../../escape", Regular, "x")], "has `..` in its path"),
        (vec![("/escape", Regular, "x")], "is an absolute path"),
        (vec![("ok", Regular, ""), ("up", Symlink, "../..")], "leads out of the artifact"),
        (
            vec![("up", Symlink, "/tmp"), ("up/escape", Regular, "x")],
            "lies below something that is not a folder",
        ),
        (
            vec![("up", Symlink, "."), ("up/escape", Regular, "x")],
            "lies below something that is not a folder",
        ),
        (vec![("file", Regular, "1"), ("file", Regular, "2")], "appears twice"),
        (vec![("hard", Link, "/etc/passwd")], "is an absolute path"),
        (vec![("hard", Link, "none")], "is a hard link to nothing"),
        (vec![("zero", Char, "")], "not a file, folder or link"),
        (vec![("pipe", Fifo, "")], "not a file, folder or link"),
    ] {
        bench.archive("hostile.tar", &entries);
        let refusal = bench.refusal("hostile.tar");
        assert!(refusal.contains(words), "{entries:?}: {refusal}");
        assert!(!bench.path("escape").exists() && !Path::new("/tmp/escape").exists());
    }
    let good = bench.archive("good.tar", &[("dir/file", Regular, "1"), ("hard", Link, "dir/file")]);
    let stored = bench.store.verified(&bench.store.stage(&good).unwrap()).unwrap();
    assert_eq!(fs::read_to_string(stored.join("hard")).unwrap(), "1");
}

#[test]
fn a_release_that_was_changed_in_the_store_is_refused() {
    let bench = Bench::new();
    let digest = bench.store.stage(&bench.write("server", "good")).unwrap();
    let stored = bench.store.verified(&digest).unwrap().join("server");
    fs::set_permissions(&stored, Permissions::from_mode(0o644)).unwrap();
    fs::write(&stored, "evil").unwrap();
    // As the next control plane sees it.
    let store = Store::open(&bench.path("store")).unwrap();
    let error = store.verified(&digest).unwrap_err().to_string();
    assert!(
        error.contains("has been changed since it was stored") && error.contains("stage the artifact again"),
        "{error}"
    );
}

#[test]
fn prune_keeps_what_is_wanted_and_a_crash_leaves_nothing() {
    let bench = Bench::new();
    let old = bench.store.stage(&bench.write("server", "old")).unwrap();
    let new = bench.store.stage(&bench.write("server", "new")).unwrap();
    assert_eq!(bench.store.prune(std::slice::from_ref(&new)).unwrap(), std::slice::from_ref(&old));
    assert_eq!(bench.stored(), [new.hex()]);
    assert!(bench.store.verified(&old).is_err());

    // No process has this id: the limit of the kernel is lower.
    let unfinished = bench.path("store").join(format!("{}.tmp-99999999-0", old.hex()));
    fs::create_dir(&unfinished).unwrap();
    Store::open(&bench.path("store")).unwrap();
    assert!(!unfinished.exists());
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing_half_done() {
    let bench = Bench::new();
    let small = bench.path("small");
    fs::create_dir(&small).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&small)
        .stderr(std::process::Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: a small file system cannot be mounted here (that needs root)");
        return;
    }
    let source = bench.write("server", &"x".repeat(1 << 20));
    let store = Store::open(&small.join("store")).unwrap();
    let outcome = store.stage(&source);
    let left = fs::read_dir(small.join("store")).unwrap().count();
    let unmounted = std::process::Command::new("umount").arg(&small).status().unwrap();
    assert!(unmounted.success());
    assert!(matches!(outcome, Err(TargetError::DiskFull { .. })), "{outcome:?}");
    assert_eq!(left, 0);
}
