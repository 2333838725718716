//! A small drill with every kind of traffic, in which nothing may be dropped. `cargo xtask bench zero-drop` is the large one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it cannot go on"
)]

mod drill;

use drill::{Size, dropped};

#[tokio::test]
async fn nothing_is_dropped_while_versions_and_edges_change() {
    let size = Size { requests: 3_000, changes: 8, replacements: 2 };
    let drilled = drill::run(env!("CARGO_BIN_EXE_pilotage"), &size).await;
    assert!(drilled.cut_overs + drilled.rollbacks >= size.changes);
    assert!(drilled.replacements >= size.replacements);
    for (kind, report) in &drilled.reports {
        assert!(report.requests > 0, "{kind}");
        assert_eq!(dropped(report), 0, "{kind}: {report:#?}");
    }
}
