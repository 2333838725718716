//! The control plane as a pod of a real cluster, with edge pods in front of the services that it brings out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod site;

use pilotage_testing::need_kube;
use serde_json::json;
use site::{Site, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_is_rescheduled_in_mid_rollout_goes_on_and_nothing_is_dropped() {
    let Some(kube) = need_kube("the control plane in the cluster") else { return };
    let site = Site::install(kube, "incluster");
    site.must(&["deploy", "api", "1.0.0", "--env", "dev", "--timeout", "3m"]);
    assert_eq!(site.shares(), json!([["1.0.0", 10_000]]));
    site.name_the_newer();
    let people = site.crowd();
    site.must(&["deploy", "api", "1.1.0", "--env", "dev", "--detach"]);
    until("the canary has a share", || site.shares() == json!([["1.1.0", 2_000], ["1.0.0", 8_000]]));

    // The node takes it away without a word.
    site.kubectl(&[
        "delete",
        "pod",
        "--selector",
        "app.kubernetes.io/name=pilotage",
        "--force",
        "--grace-period=0",
    ]);
    assert_eq!(
        site.shares(),
        json!([["1.1.0", 2_000], ["1.0.0", 8_000]]),
        "who has which share does not hang on it"
    );
    site.kubectl(&["rollout", "status", "deployment", "pilotage", "--timeout=180s"]);
    until("it has gone on to the end", || site.shares() == json!([["1.1.0", 10_000]]));
    until("it says so", || {
        let history = site.pilotage(&["history"]);
        String::from_utf8_lossy(&history.stdout).lines().filter(|line| line.contains("succeeded")).count()
            == 2
    });
    let report = people.stop().await.unwrap();
    assert_eq!(report.outcomes.dropped, 0, "{report:#?}\n{}", site.log());
    assert!(report.versions.contains_key("1.0.0") && report.versions.contains_key("1.1.0"));

    // One log, from before and after.
    site.must(&["audit", "verify"]);
    site.must(&["rollback", "api", "--env", "dev"]);
    assert_eq!(site.shares(), json!([["1.0.0", 10_000]]));
}
