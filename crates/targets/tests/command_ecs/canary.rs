//! A canary goes out, is taken back, and another goes all the way.

use pilotage_targets::{Address, Fence, LogQuery, Target};
use serde_json::{Value, json};

use crate::aws::{RULE, SLOT_A, SLOT_B, digest_of};
use crate::example::{Example, REPOSITORY, traffic, version};
use crate::support::{ready, set_env};

/// The body of `ModifyRule` for these weights.
fn weights(a: &str, b: &str) -> Value {
    let group = |number: u32| format!("Actions.member.1.ForwardConfig.TargetGroups.member.{number}");
    json!({
        "Action": "ModifyRule", "Version": "2015-12-01", "RuleArn": RULE, "Actions.member.1.Type": "forward",
        format!("{}.TargetGroupArn", group(1)): SLOT_A, format!("{}.Weight", group(1)): a,
        format!("{}.TargetGroupArn", group(2)): SLOT_B, format!("{}.Weight", group(2)): b,
        "Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled": "false",
    })
}

#[tokio::test]
async fn a_canary_goes_out_and_is_taken_back() {
    let Some(example) = Example::new() else { return };
    let (target, workload) = (&example.target, example.workload());
    let stable = example.release("1.0.0").await;
    assert_eq!(stable.id.digest.to_string(), digest_of("1.0.0"), "the digest that the tag has in ECR");
    assert!(example.observe().await.traffic.is_none(), "nothing is served yet");
    example.ensure(&stable, 2).await.unwrap();
    let seen = example.ready("1.0.0", 2).await;
    assert!(seen.traffic.is_none(), "it was given the slot without requests");
    let addresses: Vec<_> = seen.instances.iter().map(|instance| instance.address.clone()).collect();
    assert_eq!(addresses[0], Some(Address::Tcp("10.0.1.1:8080".parse().unwrap())));
    example.route(&[("1.0.0", 10_000)]).await.unwrap();

    let canary = example.release("1.1.0").await;
    example.ensure(&canary, 1).await.unwrap();
    example.ensure(&canary, 1).await.unwrap();
    assert_eq!(example.aws.asked("RegisterTaskDefinition").len(), 2, "the same is not registered twice");
    example.ready("1.1.0", 1).await;
    example.route(&[("1.1.0", 500), ("1.0.0", 9_500)]).await.unwrap();
    let seen = example.observe().await;
    assert_eq!(seen.traffic, Some(traffic(&[("1.1.0", 500), ("1.0.0", 9_500)])));
    assert_eq!(ready(&seen, "1.0.0").len(), 2, "the stable version goes on");

    example.route(&[("1.1.0", 0), ("1.0.0", 10_000)]).await.unwrap();
    target.retire(&workload, &version("1.1.0"), 0, Fence(3)).await.unwrap();
    let seen = example.observe().await;
    assert_eq!((seen.instances.len(), ready(&seen, "1.0.0").len()), (2, 2));
    assert_eq!(
        example.aws.asked("ModifyRule"),
        [weights("1", "0"), weights("19", "1"), weights("1", "0")],
        "each switch is one request"
    );

    // The next one takes the slot that has become free, and the place of the stable version.
    let next = example.release("1.2.0").await;
    example.ensure(&next, 2).await.unwrap();
    example.ready("1.2.0", 2).await;
    example.route(&[("1.2.0", 10_000), ("1.0.0", 0)]).await.unwrap();
    target.retire(&workload, &version("1.0.0"), 0, Fence(3)).await.unwrap();
    assert_eq!(example.observe().await.shares()[&version("1.2.0")], 10_000);
    target.remove(&workload, Fence(3)).await.unwrap();
    let seen = example.observe().await;
    assert!(seen.instances.is_empty() && seen.traffic.is_none(), "{seen:?}");
    assert_eq!(example.aws.asked("CreateService").len(), 2);
    example.aws.expect_documented_requests();
}

#[tokio::test]
async fn what_is_registered_and_created_is_as_the_release_says() {
    let Some(example) = Example::new() else { return };
    let mut release = example.release("1.0.0").await;
    release.instance.run = ["/api", "--port=$PORT", "--log", "$LOG"].map(str::to_owned).to_vec();
    release.instance.resources.cpu_millis = Some(500);
    release.instance.resources.memory_bytes = Some(1 << 30);
    set_env(&mut release, "LOG", pilotage_spec::Value::Plain("info".to_owned()));
    let reference = "env:SHOP_DATABASE_URL".parse().unwrap();
    set_env(&mut release, "DATABASE_URL", pilotage_spec::Value::Secret(reference));
    example.ensure(&release, 2).await.unwrap();

    let digest = digest_of("1.0.0");
    let mut registered = example.aws.asked("RegisterTaskDefinition").remove(0);
    let labels = registered["containerDefinitions"][0]["dockerLabels"].take();
    assert_eq!(
        (&labels["pilotage.version"], &labels["pilotage.digest"]),
        (&"1.0.0".into(), &digest.clone().into())
    );
    assert_eq!(
        registered,
        json!({
            "family": "shop-api", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc",
            "cpu": "512", "memory": "1024",
            "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            "taskRoleArn": "arn:aws:iam::123456789012:role/shop-api",
            "containerDefinitions": [{
                "name": "api", "image": format!("{REPOSITORY}@{digest}"), "essential": true,
                "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
                "environment": [{"name": "LOG", "value": "info"}, {"name": "PORT", "value": "8080"}],
                "secrets": [{
                    "name": "DATABASE_URL",
                    "valueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/api/database-AbCdEf",
                }],
                "stopTimeout": 5, "dockerLabels": null, "command": ["/api", "--port=8080", "--log", "info"],
                "logConfiguration": {"logDriver": "awslogs", "options": {
                    "awslogs-group": "/shop/api", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "pilotage",
                }},
            }],
        })
    );
    let mut created = example.aws.asked("CreateService").remove(0);
    assert!(created["clientToken"].take().is_string());
    assert_eq!(
        created,
        json!({
            "cluster": "shop", "serviceName": "shop-api-a", "desiredCount": 2, "launchType": "FARGATE", "clientToken": null,
            "taskDefinition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-api:1",
            "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"], "securityGroups": ["sg-0123abcd"],
                "assignPublicIp": "DISABLED",
            }},
            "loadBalancers": [{"targetGroupArn": SLOT_A, "containerName": "api", "containerPort": 8080}],
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": true, "rollback": false},
                "minimumHealthyPercent": 100, "maximumPercent": 200,
            },
            "healthCheckGracePeriodSeconds": 30, "propagateTags": "SERVICE",
            "tags": [{"key": "pilotage:fence", "value": "3"}],
        })
    );
    let images = json!([{
        "registryId": "123456789012", "repositoryName": "shop/api", "imageIds": [{"imageTag": "1.0.0"}],
    }]);
    assert_eq!(json!(example.aws.asked("DescribeImages")), images);
    example.aws.expect_documented_requests();
}

#[tokio::test]
async fn the_lines_of_tasks_are_read_from_cloudwatch() {
    let Some(example) = Example::new() else { return };
    let release = example.release("1.0.0").await;
    example.ensure(&release, 2).await.unwrap();
    let seen = example.ready("1.0.0", 2).await;
    let query = LogQuery { lines: 10, ..LogQuery::default() };
    let lines = example.target.logs(&example.workload(), &query).await.unwrap();
    let by: Vec<&str> = lines.iter().map(|line| line.instance.as_str()).collect();
    let names: Vec<&str> = seen.instances.iter().map(|instance| instance.name.as_str()).collect();
    assert_eq!(by, names);
    assert_eq!(lines[0].text, format!("a line of pilotage/api/{:032x}", 1));
    assert_eq!(lines[0].at.as_micros(), 1_782_898_201_250_000);
    example.aws.expect_documented_requests();
}

#[tokio::test]
async fn weights_that_somebody_changes_by_hand_are_seen() {
    let Some(example) = Example::new() else { return };
    let release = example.release("1.0.0").await;
    example.ensure(&release, 1).await.unwrap();
    example.ready("1.0.0", 1).await;
    example.route(&[("1.0.0", 10_000)]).await.unwrap();
    example.aws.state().weights = [(SLOT_A.to_owned(), 1), (SLOT_B.to_owned(), 2)].into();
    let wanted = [(version("1.0.0"), 3_333)].into();
    example.until("the new weights are seen", |seen| seen.shares() == wanted).await;
    example.aws.expect_documented_requests();
}
