use std::fs;

use pilotage_spec::Digest;
use pilotage_targets::TargetError;

use super::{ClusterIdentity, Identities, digest};

fn identity(uid: Option<&str>, authority: Option<u8>) -> ClusterIdentity {
    ClusterIdentity {
        uid: uid.map(str::to_owned),
        authority: authority.map(|byte| Digest::from_bytes([byte; 32])),
    }
}

#[test]
fn the_first_use_is_recorded_and_another_cluster_refused_until_it_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::at(folder.path());
    let name = "arn:aws:eks:eu-west-1:1234:cluster/shop";
    let (first, second) = (identity(Some("one"), Some(1)), identity(Some("two"), Some(1)));
    assert_eq!(identities.recorded(name).unwrap(), None);
    assert_eq!(identities.compare(name, first.clone()).unwrap(), first);
    assert_eq!(identities.compare(name, first.clone()).unwrap(), first);

    let error = Identities::at(folder.path()).compare(name, second.clone()).unwrap_err();
    assert!(matches!(error, TargetError::Identity { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("cluster one") && text.contains("cluster two"), "{text}");
    assert!(text.contains(&format!("pilotage clusters forget {name}")), "{text}");
    assert_eq!(identities.recorded(name).unwrap(), Some(first), "a refusal changes nothing");

    assert!(identities.forget(name).unwrap());
    assert!(!identities.forget(name).unwrap());
    assert_eq!(identities.compare(name, second.clone()).unwrap(), second);
    assert_eq!(identities.recorded("another").unwrap(), None, "each name has a record of its own");
}

#[test]
fn what_is_known_of_both_must_agree_and_something_must_be() {
    let both = identity(Some("one"), Some(1));
    let cases = [
        (identity(Some("one"), Some(1)), true),
        (identity(Some("one"), None), true),
        (identity(None, Some(1)), true),
        (identity(Some("two"), Some(1)), false),
        // A backup that was restored elsewhere has the UID of the original.
        (identity(Some("one"), Some(2)), false),
        (identity(None, Some(2)), false),
        (identity(Some("two"), None), false),
        (identity(None, None), false),
    ];
    for (found, expected) in cases {
        assert_eq!(both.matches(&found), expected, "{found}");
        assert_eq!(found.matches(&both), expected, "{found}");
    }
    assert!(
        !identity(Some("one"), None).matches(&identity(None, Some(1))),
        "nothing tells that they are the same"
    );
}

#[test]
fn what_becomes_known_later_counts_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::at(folder.path());
    identities.compare("shop", identity(None, Some(1))).unwrap();
    identities.compare("shop", identity(Some("one"), Some(1))).unwrap();
    assert_eq!(identities.recorded("shop").unwrap(), Some(identity(Some("one"), Some(1))));
    identities.compare("shop", identity(None, Some(1))).unwrap();
    assert!(identities.compare("shop", identity(Some("two"), Some(1))).is_err());
}

#[test]
fn a_record_that_was_spoilt_is_an_error_and_not_a_first_use() {
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::at(folder.path());
    identities.compare("shop", identity(Some("one"), None)).unwrap();
    let [file] = fs::read_dir(folder.path().join("clusters"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    for spoilt in [
        "",
        "{}",
        &text[..text.len() / 2],
        &text.replace("shop", "other"),
        &text.replace("\"form\": 1", "\"form\": 2"),
    ] {
        fs::write(&file, spoilt).unwrap();
        let error = identities.compare("shop", identity(Some("one"), None)).unwrap_err().to_string();
        assert!(error.contains("pilotage clusters forget shop"), "{error}");
    }
    identities.forget("shop").unwrap();
    identities.compare("shop", identity(Some("two"), None)).unwrap();
}

#[test]
fn the_order_of_authorities_does_not_matter_and_their_content_does() {
    let (one, two) = (b"one".to_vec(), b"two".to_vec());
    assert_eq!(digest(&[one.clone(), two.clone()]), digest(&[two.clone(), one.clone()]));
    assert_ne!(digest(std::slice::from_ref(&one)), digest(&[one.clone(), two]));
}
