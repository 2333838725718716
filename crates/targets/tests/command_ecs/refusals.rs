//! What goes wrong on AWS is told in words that help.

use pilotage_spec::Value;
use pilotage_targets::{Fence, InstanceState, Target, TargetError};

use crate::example::{Example, REPOSITORY, traffic, version};
use crate::support::set_env;

#[tokio::test]
async fn a_version_that_cannot_start_explains_itself() {
    let Some(example) = Example::new() else { return };
    let broken = example.stage(&format!("{REPOSITORY}-broken:1.0.0"), "1.0.0").await.unwrap();
    example.ensure(&broken, 1).await.unwrap();
    let told = |state: &InstanceState| match state {
        InstanceState::Waiting { reason } | InstanceState::Failed { reason } => Some(reason.clone()),
        _ => None,
    };
    let reason = example.trouble(told).await;
    assert!(reason.ends_with("Essential container in task exited; exit code 1"), "{reason}");
    let failed = |state: &InstanceState| match state {
        InstanceState::Failed { reason } => Some(reason.clone()),
        _ => None,
    };
    let reason = example.trouble(failed).await;
    assert!(
        reason.starts_with("ECS deployment circuit breaker: tasks failed to start.; Essential container"),
        "{reason}"
    );
    example.aws.expect_documented_requests();
}

#[tokio::test]
async fn tasks_that_find_no_place_explain_why() {
    let Some(example) = Example::new() else { return };
    let broken = example.stage(&format!("{REPOSITORY}-broken:1.0.0"), "1.0.0").await.unwrap();
    example.ensure(&broken, 1).await.unwrap();
    let event =
        "(service shop-api-a) was unable to place a task. Reason: Capacity is unavailable at this time.";
    example.aws.state().services.get_mut("shop-api-a").unwrap().events = vec![event.to_owned()];
    let told = |state: &InstanceState| match state {
        InstanceState::Waiting { reason } | InstanceState::Failed { reason } => {
            reason.contains("Capacity is unavailable").then(|| reason.clone())
        }
        _ => None,
    };
    assert!(example.trouble(told).await.ends_with(event));
}

#[tokio::test]
async fn a_third_version_has_no_slot() {
    let Some(example) = Example::new() else { return };
    for version in ["1.0.0", "1.1.0"] {
        let release = example.release(version).await;
        example.ensure(&release, 1).await.unwrap();
        example.ready(version, 1).await;
        if version == "1.0.0" {
            example.route(&[(version, 10_000)]).await.unwrap();
        }
    }
    let third = example.release("1.2.0").await;
    let error = example.ensure(&third, 1).await.unwrap_err().to_string();
    let expected =
        "no slot for another version: shop-api-a runs 1.0.0 and shop-api-b runs 1.1.0; retire one of them";
    assert!(error.ends_with(expected), "{error}");
    let error = example.route(&[("1.2.0", 10_000)]).await.unwrap_err().to_string();
    assert!(error.contains("1.2.0 is to get requests, and runs nowhere"), "{error}");
    assert_eq!(example.aws.asked("ModifyRule").len(), 1, "the traffic stays as it was");
}

#[tokio::test]
async fn traffic_that_the_load_balancer_cannot_have_is_refused_before_anything_moves() {
    let Some(example) = Example::new() else { return };
    let check = async |shares: &[(&str, u32)]| {
        let checked = example.target.check_route(&example.workload(), &traffic(shares)).await;
        checked.map_err(|error| error.to_string())
    };
    let fine = check(&[("1.1.0", 1), ("1.0.0", 9_999)]).await.unwrap_err();
    assert!(fine.contains("weights from 0 to 999") && fine.contains("use steps in whole percents"), "{fine}");
    let three = check(&[("1.2.0", 100), ("1.1.0", 100), ("1.0.0", 9_800)]).await.unwrap_err();
    assert!(three.contains("3 versions are to get requests"), "{three}");
    let none = check(&[]).await.unwrap_err();
    assert!(none.contains("a rule has to forward somewhere"), "{none}");
    check(&[("1.1.0", 10), ("1.0.0", 9_990)]).await.unwrap();
    example.aws.state().weights.remove(crate::aws::SLOT_B);
    let unbound = check(&[("1.0.0", 10_000)]).await.unwrap_err();
    assert!(unbound.contains("does not forward to") && unbound.contains("with weight 0"), "{unbound}");
    assert!(example.aws.asked("ModifyRule").is_empty());
    example.aws.expect_documented_requests();
}

#[tokio::test]
async fn errors_of_aws_are_of_their_kinds() {
    let Some(example) = Example::new() else { return };
    let (target, workload) = (&example.target, example.workload());
    let refuse = |operation, status, code| example.aws.state().refuse.push_back((operation, status, code));
    refuse("DescribeServices", 400, "ThrottlingException");
    refuse("DescribeRules", 503, "ServiceUnavailable");
    example.observe().await;
    assert!(example.aws.asked("DescribeServices").len() >= 3, "both are over in a moment");

    refuse("TagResource", 400, "AccessDeniedException");
    let release = example.release("1.0.0").await;
    example.ensure(&release, 1).await.unwrap();
    let error = target.retire(&workload, &version("1.0.0"), 0, Fence(4)).await.unwrap_err();
    assert!(matches!(error, TargetError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("ecs:TagResource: AccessDeniedException"), "{error}");

    refuse("DescribeImages", 400, "ExpiredTokenException");
    let error = example.stage(&format!("{REPOSITORY}:1.1.0"), "1.1.0").await.unwrap_err().to_string();
    assert!(error.ends_with("give the control plane fresh credentials"), "{error}");
    let error = example.stage(&format!("{REPOSITORY}:9.9.9"), "9.9.9").await.unwrap_err().to_string();
    assert!(error.contains("ImageNotFoundException: The image requested does not exist."), "{error}");
    let error = example.stage("docker.io/library/nginx:1.27", "1.27.0").await.unwrap_err().to_string();
    assert!(error.contains("write the image with its digest"), "{error}");
    example.aws.expect_documented_requests();
}

#[tokio::test]
async fn whoever_another_control_plane_has_overtaken_is_refused() {
    let Some(example) = Example::new() else { return };
    let release = example.release("1.0.0").await;
    example.ensure(&release, 1).await.unwrap();
    let tag = ("pilotage:fence".to_owned(), "9".to_owned());
    example.aws.state().services.get_mut("shop-api-a").unwrap().tags.extend([tag]);
    let error = example.ensure(&release, 2).await.unwrap_err();
    assert!(matches!(error, TargetError::Fenced { held: 9, ours: 3, .. }), "{error:?}");
    assert!(example.aws.asked("UpdateService").is_empty());
}

#[tokio::test]
async fn a_secret_that_aws_does_not_keep_is_named() {
    let Some(example) = Example::new() else { return };
    let mut release = example.release("1.0.0").await;
    set_env(&mut release, "TOKEN", Value::Secret("env:TOKEN".parse().unwrap()));
    let error = example.ensure(&release, 1).await.unwrap_err().to_string();
    assert!(
        error.ends_with("add the ARN of a secret of Secrets Manager or a parameter as `secrets.TOKEN`"),
        "{error}"
    );
    assert!(example.aws.asked("RegisterTaskDefinition").is_empty());
}

#[tokio::test]
async fn credentials_are_sent_to_aws_or_to_this_machine_and_nowhere_else() {
    let elsewhere = Example::with(|env| {
        let url = "http://192.0.2.1/".to_owned();
        env.insert("AWS_ENDPOINT_URL".parse().unwrap(), Value::Plain(url));
    });
    let Some(example) = elsewhere else { return };
    let error = example.target.observe(&example.workload()).await.unwrap_err().to_string();
    assert!(error.contains("may name an address of this machine only"), "{error}");

    let Some(example) = Example::with(|env| env.retain(|name, _| name.as_str() != "AWS_SECRET_ACCESS_KEY"))
    else {
        return;
    };
    let error = example.target.observe(&example.workload()).await.unwrap_err().to_string();
    assert!(error.contains("there are no credentials"), "{error}");
}
