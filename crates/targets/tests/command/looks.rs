//! How often the program is asked what is there.

use std::time::Duration;

use pilotage_targets::{Fence, Target};

use crate::support::{PATIENCE, eventually};
use crate::world::{DIGEST, World};

fn observation(state: &str, cpu_millis: u32) -> String {
    format!(
        r#"{{"contract": 1, "observation": {{"instances": [{{"name": "a", "version": "1.0.0", "digest": "{DIGEST}",
            "state": "{state}", "cpu_millis": {cpu_millis}}}]}}}}"#
    )
}

/// What it answers is in a file of the project, which a test replaces.
const SCRIPT: &str = r#"case $verb in observe) cat observed ;; *) echo '{"contract": 1}' ;; esac"#;

#[tokio::test]
async fn what_changes_by_itself_is_announced_and_readings_are_no_news() {
    let world = World::new(SCRIPT);
    world.write("observed", &observation("ready", 5));
    let mut changes = world.target.changes();
    world.target.observe(&world.workload()).await.unwrap();
    changes.mark_unchanged();
    world.write("observed", &observation("ready", 700));
    let asked = world.requests("observe").len();
    eventually("it was looked at again", || async { world.requests("observe").len() > asked + 2 }).await;
    assert!(!changes.has_changed().unwrap(), "only a reading is different");
    world.write("observed", &observation("unready", 700));
    tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn many_who_ask_at_once_are_told_of_one_look_and_an_effect_asks_for_another() {
    let world = World::with(SCRIPT, |config| config.interval = Duration::from_secs(1_000));
    world.write("observed", &observation("ready", 5));
    let (target, workload) = (&world.target, world.workload());
    let looks = (0..20).map(|_| target.observe(&workload));
    let seen = futures_util::future::join_all(looks).await;
    assert!(seen.iter().all(|seen| seen.as_ref().unwrap().instances.len() == 1));
    assert_eq!(world.requests("observe").len(), 1);
    target.remove(&workload, Fence(1)).await.unwrap();
    target.observe(&workload).await.unwrap();
    assert_eq!(world.requests("observe").len(), 2);
}

#[tokio::test]
async fn a_look_that_failed_is_not_repeated_to_others() {
    let world = World::with(SCRIPT, |config| config.interval = Duration::from_secs(1_000));
    world.write("observed", "{}");
    world.target.observe(&world.workload()).await.unwrap_err();
    world.write("observed", &observation("ready", 5));
    world.target.observe(&world.workload()).await.unwrap();
}
