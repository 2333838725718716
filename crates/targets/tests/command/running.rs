//! How the program is run, and how it ends.

use std::time::Duration;

use pilotage_targets::{Target, TargetError};

use crate::support::{eventually, is_running};
use crate::world::{NOTHING_THERE, World};

async fn fault(world: &World) -> TargetError {
    world.target.observe(&world.workload()).await.unwrap_err()
}

#[tokio::test]
async fn it_is_run_in_the_projects_folder_with_nothing_but_what_the_file_lists() {
    let world = World::with(&format!("env > environment; pwd > where; echo '{NOTHING_THERE}'"), |config| {
        config.env.insert("REGION".parse().unwrap(), pilotage_spec::Value::Plain("eu".to_owned()));
    });
    world.target.observe(&world.workload()).await.unwrap();
    let environment = std::fs::read_to_string(world.project("environment")).unwrap();
    let mut names: Vec<&str> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    // The shell adds some of its own.
    names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "_" | "SHLVL"));
    assert_eq!(names, ["HOME", "PATH", "REGION"]);
    let folder = std::fs::read_to_string(world.project("where")).unwrap();
    assert_eq!(folder.trim(), world.config.project_folder.canonicalize().unwrap().to_str().unwrap());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let world = World::with("", |config| config.run = vec!["./no-such-deployer".to_owned()]);
    let error = fault(&world).await;
    let text = error.to_string();
    assert!(text.contains("`./no-such-deployer`: it cannot be started: No such file"), "{text}");
}

#[tokio::test]
async fn an_end_without_an_answer_is_told_with_its_last_words() {
    let world = World::new("echo credentials have expired >&2; exit 3");
    let error = fault(&world).await;
    assert!(matches!(error, TargetError::Refused { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("exit status: 3") && text.contains("it said: credentials have expired"), "{text}");

    let world = World::new("exit 75");
    assert!(matches!(fault(&world).await, TargetError::Unreachable { .. }));
    assert_eq!(world.requests("observe").len(), 4, "EX_TEMPFAIL invites to try again");

    let world = World::new(&format!("echo '{NOTHING_THERE}'; exit 1"));
    assert!(fault(&world).await.to_string().contains("exit status: 1"), "its answer is not believed");

    let said = r#"{"contract": 1, "error": {"kind": "permanent", "message": "no such cluster"}}"#;
    let world = World::new(&format!("echo '{said}'; exit 1"));
    assert!(fault(&world).await.to_string().contains("no such cluster"), "an error may come with any code");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_with_all_it_has_started() {
    let world = World::with("sleep 1000 & echo $! > child; echo thinking >&2; wait", |config| {
        config.timeout = Duration::from_secs(2);
    });
    let error = fault(&world).await;
    assert!(matches!(error, TargetError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("was killed"), "{error}");
    assert_eq!(world.requests("observe").len(), 1, "it has used up its time");
    // A loaded machine may have killed it before it began anything.
    let Ok(child) = std::fs::read_to_string(world.project("child")) else { return };
    let Ok(child) = child.trim().parse() else { return };
    eventually("its child is gone", || async { !is_running(child) }).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_program_behind() {
    let world = World::new("echo $$ > own; sleep 1000");
    let workload = world.workload();
    let asked = world.target.observe(&workload);
    let begun = eventually("it runs", || async {
        std::fs::read_to_string(world.project("own")).is_ok_and(|text| text.ends_with('\n'))
    });
    tokio::select! {
        seen = asked => panic!("{seen:?}"),
        () = begun => {}
    }
    let own = std::fs::read_to_string(world.project("own")).unwrap().trim().parse().unwrap();
    eventually("it is gone", || async { !is_running(own) }).await;
}

#[tokio::test]
async fn floods_are_cut_off() {
    let world = World::new("cat /dev/zero");
    let error = fault(&world).await.to_string();
    assert!(error.contains("longer than 8 MiB"), "{error}");
    let world = World::new(&format!("head -c 20000000 /dev/zero >&2; echo '{NOTHING_THERE}'"));
    world.target.observe(&world.workload()).await.unwrap();
}
