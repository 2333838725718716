//! What the threat model says of tests is true of the tests.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::path::Path;

#[test]
fn every_named_test_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = std::fs::read_to_string(docs.join("threat-model.md")).unwrap();
    let mut named = 0;
    for link in page.split("[`").skip(1) {
        let (name, rest) = link.split_once("`](").unwrap();
        let (path, _) = rest.split_once(')').unwrap();
        let source =
            std::fs::read_to_string(docs.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let is_test = ["fn ", "async fn "].iter().any(|kind| source.contains(&format!("{kind}{name}(")));
        assert!(is_test, "{path} has no test `{name}`");
        named += 1;
    }
    assert!(named > 25, "only {named} tests are named");
}
