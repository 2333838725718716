//! Tables: what is refused, what is taken over, what can be undone.

use std::net::SocketAddr;

use super::super::testing::{Client, Door, Folder, issue, issue_for};
use crate::table::{Certificate, Listener};

fn refusal(door: &Door, files: &Certificate) -> String {
    match door.encryption.stage(&door.listeners(std::slice::from_ref(files))) {
        Ok(_) => panic!("{files:?} was taken"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_with_file_and_reason() {
    let folder = Folder::new();
    let door = Door::unserved().await;
    let sound = issue(&["a.test"]);
    let missing = folder.files("missing");
    let a_folder = Certificate { chain: folder.path().to_owned(), ..folder.write("a", &sound) };
    let swapped = folder.write("swapped", &sound);
    let swapped = Certificate { chain: swapped.key, key: swapped.chain };
    let other = folder.write("other", &issue(&["a.test"]));
    let mismatched = Certificate { key: other.key, ..folder.write("b", &sound) };
    let cut_off = folder.write("cut", &sound);
    folder.replace(&cut_off.chain, &sound.chain[..sound.chain.len() / 2]);
    let encrypted = folder.write("encrypted", &sound);
    folder.replace(&encrypted.key, &sound.key.replace("PRIVATE", "ENCRYPTED PRIVATE"));
    let large = folder.write("large", &sound);
    folder.replace(&large.chain, &"x".repeat(2 * 1024 * 1024));
    for (files, file, reason) in [
        (&missing, &missing.chain, "cannot be read: No such file"),
        (&a_folder, &a_folder.chain, "is not a regular file"),
        (&swapped, &swapped.chain, "has no certificate in PEM"),
        (&mismatched, &mismatched.key, "does not fit the first certificate"),
        (&cut_off, &cut_off.chain, "it is cut off"),
        (&encrypted, &encrypted.key, "is encrypted; store it without a passphrase"),
        (&large, &large.chain, "is larger than"),
        (
            &folder.write("old", &issue_for(&["a.test"], 2010, 2020)),
            &folder.files("old").chain,
            "expired at 2020-01-01T",
        ),
        (
            &folder.write("early", &issue_for(&["a.test"], 2090, 2100)),
            &folder.files("early").chain,
            "is not valid before 2090-",
        ),
    ] {
        let said = refusal(&door, files);
        assert!(
            said.starts_with(&format!("the listener on {} cannot be encrypted: ", door.listen)),
            "{said}"
        );
        assert!(said.contains(reason) && said.contains(file.to_str().unwrap()), "{said}");
    }
    assert!(door.encryption.acceptor(door.listen).is_none() && door.encryption.status().is_empty());
}

#[tokio::test]
async fn nothing_of_a_damaged_key_is_told() {
    let folder = Folder::new();
    let door = Door::unserved().await;
    let issued = issue(&["a.test"]);
    let files = folder.write("a", &issued);
    let secret = issued.key.lines().nth(1).unwrap().to_owned();
    for text in [
        issued.key.replace('\n', ""),
        issued.key.replace('\n', " "),
        issued.key.lines().take(2).collect::<Vec<_>>().join("\n"),
        issued.key.replace(&secret, &format!("{secret}!")),
        issued.key.replace(&secret, &secret[4..]),
    ] {
        folder.replace(&files.key, &text);
        let said = refusal(&door, &files);
        assert!(said.contains("a.key") && !said.contains(&secret[..16]), "{said}");
        assert!(!said.contains("45, 45"), "no bytes either: {said}");
    }
}

#[tokio::test]
async fn a_certificate_in_use_whose_files_are_gone_does_not_hold_up_other_changes() {
    let folder = Folder::new();
    let issued = issue(&["a.test"]);
    let files = folder.write("a", &issued);
    let door = Door::open(std::slice::from_ref(&files)).await;
    std::fs::remove_file(&files.key).unwrap();
    door.encryption.reload_now();
    let second = issue(&["b.test"]);
    let both = door.listeners(&[files, folder.write("b", &second)]);
    let staged = door.encryption.stage(&both).unwrap();
    assert!(door.shown_to("b.test").await == issued.der, "staging alone changes nothing");
    door.encryption.commit(staged);
    assert!(door.shown_to("a.test").await == issued.der && door.shown_to("b.test").await == second.der);
    assert_eq!(door.encryption.status().iter().filter(|status| status.problem.is_some()).count(), 1);
}

#[tokio::test]
async fn a_step_can_be_undone() {
    let folder = Folder::new();
    let (old, new) = (issue(&["a.test"]), issue(&["a.test"]));
    let door = Door::open(&[folder.write("old", &old)]).await;
    let elsewhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut listeners = door.listeners(&[folder.write("new", &new)]).to_vec();
    listeners.push(Listener { address: elsewhere, ..listeners[0].clone() });
    let before = door.encryption.commit(door.encryption.stage(&listeners).unwrap());
    assert!(door.shown_to("a.test").await == new.der && door.encryption.acceptor(elsewhere).is_some());
    door.encryption.commit(before);
    assert!(door.shown_to("a.test").await == old.der && door.encryption.acceptor(elsewhere).is_none());
}

#[tokio::test]
async fn after_a_restart_what_can_be_served_is_and_the_rest_heals_with_its_files() {
    let folder = Folder::new();
    let old = issue_for(&["old.test"], 2010, 2020);
    let (expired, broken) = (folder.write("old", &old), folder.files("broken"));
    let door = Door::unserved().await;
    let mut listeners = door.listeners(std::slice::from_ref(&broken)).to_vec();
    let elsewhere = SocketAddr::from(([127, 0, 0, 1], 9));
    listeners.push(Listener { certificates: vec![expired], ..Listener::plain(elsewhere) });
    listeners.push(Listener::plain(SocketAddr::from(([127, 0, 0, 1], 10))));
    door.encryption.restore(&listeners);

    assert!(door.encryption.acceptor(listeners[2].address).is_none(), "plain stays plain");
    let (server, client) = door.visit(&Client::new(), "a.test").await;
    assert!(server.is_err() && client.is_err(), "refused, never plain");
    let status = door.encryption.status();
    let of = |name: &str| status.iter().find(|status| status.chain.ends_with(name)).unwrap();
    assert_eq!(of("broken.pem").not_after_secs, None);
    assert!(of("broken.pem").problem.as_ref().unwrap().contains("cannot be read"));
    assert_eq!(of("old.pem").not_after_secs, Some(1_577_836_800));
    assert!(of("old.pem").problem.as_ref().unwrap().contains("expired"), "served, but with a problem");

    let issued = issue(&["a.test"]);
    folder.write("broken", &issued);
    door.encryption.reload_now();
    assert!(door.shown_to("a.test").await == issued.der);
}
