//! Secrets reach whom they are for, and nobody else.

use pilotage_targets::{Fence, LogQuery, Target, TargetError};

use crate::support::set_env;
use crate::world::{DESCRIBED, DIGEST, DONE, World, case, release, secret_file};

const VALUES: &str = r#"{"contract": 1, "description": {"weights": "exact", "secrets": "values"}}"#;

#[tokio::test]
async fn what_the_program_knows_is_masked_in_all_that_it_says() {
    let fails = r#"echo "token $TOKEN was refused" >&2; exit 3"#;
    let refuses = r#"echo '{"contract": 1, "error": {"kind": "permanent", "message": "'"$TOKEN"' is bad", "mend": "'"$TOKEN"'"}}'"#;
    let breaks = r#"echo "{ $TOKEN""#;
    let reason = format!(
        r#"echo '{{"contract": 1, "observation": {{"instances": [{{"name": "a", "version": "1.0.0", "digest": "{DIGEST}",
           "state": "failed", "reason": "it wrote '"$TOKEN"'"}}]}}}}'"#
    );
    for script in [fails, refuses, breaks, &reason] {
        let world = World::with(script, |config| {
            std::fs::write(config.project_folder.join("token"), "tr0ub4dor-and-3\n").unwrap();
            config.env.insert("TOKEN".parse().unwrap(), secret_file("token"));
        });
        let told = format!("{:?}", world.target.observe(&world.workload()).await);
        assert!(told.contains("[masked]") && !told.contains("tr0ub4dor"), "{script}: {told}");
        assert!(!format!("{:?}", world.target).contains("tr0ub4dor"));
    }
}

#[tokio::test]
async fn secrets_of_services_are_told_as_references_unless_the_program_wants_values() {
    let told = async |description: &str| {
        let world = World::answering(&[("describe", description)]);
        world.write("password", "tr0ub4dor-and-3");
        let mut release = release();
        set_env(&mut release, "PASSWORD", secret_file("password"));
        set_env(&mut release, "LOG", pilotage_spec::Value::Plain("info".to_owned()));
        world.target.ensure(&world.workload(), &release, 1, Fence(1)).await.unwrap();
        world.requests("ensure")[0]["release"]["env"].clone()
    };
    let log = serde_json::json!({"value": "info"});
    assert_eq!(
        told(DESCRIBED).await,
        serde_json::json!({"LOG": log, "PASSWORD": {"secret": "file:password"}})
    );
    assert_eq!(
        told(VALUES).await,
        serde_json::json!({"LOG": log, "PASSWORD": {"secret": "file:password", "value": "tr0ub4dor-and-3"}})
    );
}

#[tokio::test]
async fn a_secret_is_no_argument() {
    let world = World::answering(&[("describe", DESCRIBED), ("ensure", DONE)]);
    let mut release = release();
    release.instance.run = vec!["./api".to_owned(), "--password=$PASSWORD".to_owned()];
    set_env(&mut release, "PASSWORD", secret_file("password"));
    let error = world.target.ensure(&world.workload(), &release, 1, Fence(1)).await.unwrap_err();
    assert!(matches!(error, TargetError::Secret { .. }), "{error:?}");
    assert!(error.to_string().contains("read the variable PASSWORD instead"), "{error}");
    assert!(world.requests("ensure").is_empty());
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_keeps_the_program_from_being_run() {
    let world = World::with(&case(&[]), |config| {
        config.env.insert("TOKEN".parse().unwrap(), secret_file("no-such-file"));
    });
    let error = world.target.logs(&world.workload(), &LogQuery::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("secret file:no-such-file"), "{error}");
    assert!(world.requests("logs").is_empty());
}
