//! Files that change under a running edge.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use super::super::kept::{Finding, Kept};
use super::super::testing::{Door, Folder, Issued, PATIENCE, issue, issue_for, provider, year};
use crate::table::Certificate;

/// How a renewal writes the files.
type Renewal = fn(&Folder, &Certificate, &Issued);

#[tokio::test]
async fn renewed_files_are_used_however_they_were_written() {
    let renewals: [Renewal; 2] = [
        |folder, files, issued| {
            folder.replace(&files.chain, &issued.chain);
            folder.replace(&files.key, &issued.key);
        },
        |_, files, issued| {
            std::fs::write(&files.key, &issued.key).unwrap();
            std::fs::write(&files.chain, &issued.chain).unwrap();
        },
    ];
    for renew in renewals {
        let folder = Folder::new();
        let files = folder.write("a", &issue(&["a.test"]));
        let door = Door::open(std::slice::from_ref(&files)).await;
        let renewed = issue(&["a.test", "b.test"]);
        renew(&folder, &files, &renewed);
        door.encryption.reload_now();
        assert!(door.shown_to("a.test").await == renewed.der);
        let [status] = &door.encryption.status()[..] else { panic!("one certificate") };
        assert_eq!((status.names.len(), &status.problem), (2, &None));
    }
}

#[tokio::test]
async fn a_link_that_is_pointed_elsewhere_is_a_renewal() {
    let folder = Folder::new();
    let (old, new) = (issue(&["a.test"]), issue(&["a.test"]));
    // As in a mounted Kubernetes secret: the files are links through a link to a folder.
    for (version, issued) in [("1", &old), ("2", &new)] {
        std::fs::create_dir(folder.path().join(version)).unwrap();
        std::fs::write(folder.path().join(version).join("tls.crt"), &issued.chain).unwrap();
        std::fs::write(folder.path().join(version).join("tls.key"), &issued.key).unwrap();
    }
    let data = folder.path().join("data");
    symlink("1", &data).unwrap();
    let files = Certificate { chain: folder.path().join("tls.crt"), key: folder.path().join("tls.key") };
    symlink("data/tls.crt", &files.chain).unwrap();
    symlink("data/tls.key", &files.key).unwrap();
    let door = Door::open(&[files]).await;
    assert!(door.shown_to("a.test").await == old.der);
    symlink("2", folder.path().join("next")).unwrap();
    std::fs::rename(folder.path().join("next"), data).unwrap();
    door.encryption.reload_now();
    assert!(door.shown_to("a.test").await == new.der);
}

#[tokio::test]
async fn a_renewal_that_cannot_be_used_leaves_the_old_certificate_and_is_reported() {
    let folder = Folder::new();
    let old = issue(&["a.test"]);
    let new = issue(&["a.test"]);
    let files = folder.write("a", &old);
    let door = Door::open(std::slice::from_ref(&files)).await;
    let expired = issue_for(&["a.test"], 2010, 2020);
    let early = issue_for(&["a.test"], 2090, 2100);
    for (chain, key, reason) in [
        (&*new.chain, &*old.key, "does not fit"),
        (&expired.chain, &expired.key, "expired at"),
        (&early.chain, &early.key, "is not valid before"),
        ("", &old.key, "has no certificate"),
        (&new.chain[..100], &new.key, "cut off"),
        (&new.chain, "nonsense", "has no private key"),
    ] {
        folder.replace(&files.chain, chain);
        folder.replace(&files.key, key);
        door.encryption.reload_now();
        assert!(door.shown_to("a.test").await == old.der, "{reason}");
        let [status] = &door.encryption.status()[..] else { panic!("one certificate") };
        let problem = status.problem.as_deref().unwrap();
        assert!(problem.contains(reason), "{problem}");
        assert_eq!(
            (&status.names[..], status.not_after_secs),
            (&["a.test".to_owned()][..], Some(4_102_444_800))
        );
    }
    folder.write("a", &new);
    door.encryption.reload_now();
    assert!(door.shown_to("a.test").await == new.der);
    assert_eq!(door.encryption.status()[0].problem, None);
}

#[tokio::test]
async fn changes_are_noticed_without_being_asked() {
    let folder = Folder::new();
    let files = folder.write("a", &issue(&["a.test"]));
    let door = Door::open(std::slice::from_ref(&files)).await;
    let encryption = Arc::new(door.encryption);
    let watch = tokio::spawn(Arc::clone(&encryption).watch_every(Duration::from_millis(5)));
    folder.write("a", &issue(&["b.test"]));
    let noticed = async {
        while encryption.status()[0].names != ["b.test"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noticed).await.unwrap();
    watch.abort();
}

#[test]
fn each_change_is_reported_once() {
    let folder = Folder::new();
    let old = issue(&["a.test"]);
    let files = folder.write("a", &old);
    let (provider, now) = (provider(), year(2026));
    let mut kept = Kept::first(&files, &provider, now);
    let mut look = |now| {
        let (next, finding) = kept.look_again(&provider, now)?;
        kept = next;
        Some(finding)
    };
    assert_eq!(look(now), None, "nothing has changed");

    folder.replace(&files.chain, &issue(&["a.test"]).chain);
    assert_eq!(look(now), Some(Finding::Failing));
    assert_eq!(look(now), Some(Finding::Same));
    std::fs::remove_file(&files.key).unwrap();
    assert_eq!(look(now), Some(Finding::Failing), "another problem");
    assert_eq!(look(now), Some(Finding::Same));
    folder.write("a", &old);
    assert_eq!(look(now), Some(Finding::Healed));
    assert_eq!(look(now), None);
    folder.write("a", &old);
    assert_eq!(look(now), Some(Finding::Same), "touched");
    assert_eq!(look(now), None);
    folder.write("a", &issue(&["a.test"]));
    assert_eq!(look(now), Some(Finding::Renewed));
    assert_eq!(look(now), None);
}

#[test]
fn time_alone_is_a_change_too() {
    let folder = Folder::new();
    let files = folder.write("a", &issue_for(&["a.test"], 2020, 2030));
    let provider = provider();
    let kept = Kept::first(&files, &provider, year(2026));
    assert!(kept.look_again(&provider, year(2029)).is_none());
    // What is served expires.
    let (kept, finding) = kept.look_again(&provider, year(2031)).unwrap();
    assert_eq!(finding, Finding::Failing);
    assert!(kept.loaded.is_some() && kept.status().problem.unwrap().contains("expired"));
    // It is renewed by one that is not valid yet, and then becomes so. It is served all the while, being no worse.
    folder.write("a", &issue_for(&["a.test"], 2032, 2040));
    let (kept, finding) = kept.look_again(&provider, year(2031)).unwrap();
    assert_eq!(finding, Finding::Failing);
    assert!(kept.status().problem.unwrap().contains("not valid before"));
    let (kept, finding) = kept.look_again(&provider, year(2033)).unwrap();
    assert_eq!((finding, kept.status().problem), (Finding::Healed, None));
}
