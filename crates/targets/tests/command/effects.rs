//! Effects: by whose right, how often, and what is remembered of them.

use pilotage_targets::{Fence, Target, TargetError, Traffic};

use crate::support::traffic;
use crate::world::{DESCRIBED, DONE, World, release, version};

#[tokio::test]
async fn a_transient_error_is_asked_again_by_the_same_name() {
    let world = World::new(&format!(
        r#"if [ $count -lt 2 ]; then echo '{{"contract": 1, "error": {{"kind": "transient", "message": "busy"}}}}'
           else echo '{DONE}'; fi"#
    ));
    let (target, workload) = (&world.target, world.workload());
    target.retire(&workload, &version("1.0.0"), 0, Fence(1)).await.unwrap();
    target.retire(&workload, &version("1.0.0"), 0, Fence(1)).await.unwrap();
    let keys: Vec<_> = world.requests("retire").iter().map(|request| request["key"].clone()).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0] == keys[1] && keys[1] == keys[2], "{keys:?}");
    assert_ne!(keys[2], keys[3], "another request has another name");
}

#[tokio::test]
async fn work_that_is_under_way_is_asked_for_until_it_is_done() {
    let world = World::new(&format!(
        r#"if [ $count -lt 3 ]; then echo '{{"contract": 1, "pending": {{"message": "draining", "again_ms": 1}}}}'
           else echo '{DONE}'; fi"#
    ));
    world.target.remove(&world.workload(), Fence(1)).await.unwrap();
    let requests = world.requests("remove");
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| *request == requests[0]));
}

#[tokio::test]
async fn whoever_takes_over_need_not_wait_for_work_that_is_under_way() {
    let world = World::new(&format!(
        r#"case $verb in
           retire) echo '{{"contract": 1, "pending": {{"message": "draining", "again_ms": 100}}}}' ;;
           *) echo '{DONE}' ;;
           esac"#
    ));
    let (target, workload) = (&world.target, world.workload());
    let version = version("1.0.0");
    let old = target.retire(&workload, &version, 0, Fence(1));
    let new = async {
        crate::support::eventually("it is under way", || async { !world.requests("retire").is_empty() })
            .await;
        target.remove(&workload, Fence(2)).await
    };
    let (old, new) = tokio::join!(old, new);
    assert!(matches!(old, Err(TargetError::Fenced { held: 2, ours: 1, .. })), "{old:?}");
    new.unwrap();
}

#[tokio::test]
async fn an_old_token_is_refused_before_the_program_is_run() {
    let world = World::answering(&[("describe", DESCRIBED)]);
    let workload = world.workload();
    world.target.remove(&workload, Fence(5)).await.unwrap();
    let world = world.reopened();
    let target = &world.target;
    let outcomes = [
        target.ensure(&workload, &release(), 1, Fence(4)).await,
        target.route(&workload, &traffic(&[("1.0.0", 10_000)]), Fence(4)).await.map(drop),
        target.retire(&workload, &version("1.0.0"), 0, Fence(4)).await,
        target.remove(&workload, Fence(4)).await,
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(TargetError::Fenced { held: 5, ours: 4, .. })), "{outcome:?}");
    }
    assert!(world.requests("ensure").is_empty() && world.requests("route").is_empty());
    assert_eq!(world.requests("remove").len(), 1);
}

#[tokio::test]
async fn the_traffic_is_known_as_it_was_asked_for_and_as_the_engine_has_it() {
    let script = r#"
        case $verb in
        route) echo '{"contract": 1}' ;;
        observe) cat observed ;;
        esac"#;
    let world = World::new(script);
    let observed = |shares: &str| {
        let answer = format!(
            r#"{{"contract": 1, "observation": {{"instances": [], "traffic": {{"shares": [{shares}]}}}}}}"#
        );
        world.write("observed", &answer);
    };
    let workload = world.workload();
    let mut wanted =
        Traffic { listen: "10.1.2.3:80".parse().unwrap(), ..traffic(&[("1.1.0", 500), ("1.0.0", 9_500)]) };
    wanted.route.drain = std::time::Duration::from_secs(77);
    observed(r#"{"version": "1.0.0", "share": 9500}, {"version": "1.1.0", "share": 500}"#);
    let first = world.target.route(&workload, &wanted, Fence(1)).await.unwrap();
    assert_eq!(first.listen, wanted.listen);
    let world = world.reopened();
    let seen = world.target.observe(&workload).await.unwrap();
    assert_eq!(seen.traffic.as_ref(), Some(&wanted), "nothing is lost that the engine does not know");

    // Somebody turns the new version off by hand.
    world.write(
        "observed",
        r#"{"contract": 1, "observation": {"instances": [], "traffic": {"shares": [{"version": "1.0.0", "share": 10000}]}}}"#,
    );
    crate::support::eventually("it is seen", || async {
        let seen = world.target.observe(&workload).await.unwrap();
        seen.shares() == [(version("1.0.0"), 10_000)].into()
    })
    .await;
    let second = world.target.route(&workload, &wanted, Fence(1)).await.unwrap();
    assert!(second.epoch > first.epoch, "{first:?} {second:?}");
}

#[tokio::test]
async fn a_program_has_to_say_which_port_it_has_chosen() {
    let world = World::answering(&[("route", DONE)]);
    let error =
        world.target.route(&world.workload(), &traffic(&[("1.0.0", 10_000)]), Fence(1)).await.unwrap_err();
    assert!(error.to_string().contains("no `routed.listen"), "{error}");
    let routed = r#"{"contract": 1, "routed": {"listen": "127.0.0.1:8080"}}"#;
    let world = World::answering(&[("route", routed)]);
    let routed =
        world.target.route(&world.workload(), &traffic(&[("1.0.0", 10_000)]), Fence(1)).await.unwrap();
    assert_eq!(routed.listen.port(), 8080);
}
