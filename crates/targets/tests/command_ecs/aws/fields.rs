//! Which fields each operation has, as the API references of ECS, ECR, CloudWatch Logs and Elastic Load Balancing list them.
//! A field that is missing or not listed is a fault of whoever asks.

use serde_json::Value;

/// What may stand in a place: the fields of an object, those marked `!` required.
enum Shape {
    Fields(&'static [(&'static str, Shape)]),
    Each(&'static Shape),
    Map,
    Text,
    Number,
    Bool,
}

use Shape::{Bool, Each, Fields, Map, Number, Text};

const TEXTS: Shape = Each(&Text);
const TAGS: Shape = Each(&Fields(&[("key", Text), ("value", Text)]));
const NAMED: Shape = Each(&Fields(&[("name", Text), ("value", Text)]));

const CONTAINER: Shape = Fields(&[
    ("name", Text),
    ("image", Text),
    ("essential", Bool),
    ("portMappings", Each(&Fields(&[("containerPort", Number), ("protocol", Text)]))),
    ("environment", NAMED),
    ("secrets", Each(&Fields(&[("name!", Text), ("valueFrom!", Text)]))),
    ("command", TEXTS),
    ("stopTimeout", Number),
    ("dockerLabels", Map),
    ("logConfiguration", Fields(&[("logDriver!", Text), ("options", Map)])),
]);

const OPERATIONS: &[(&str, Shape)] = &[
    (
        "RegisterTaskDefinition",
        Fields(&[
            ("family!", Text),
            ("containerDefinitions!", Each(&CONTAINER)),
            ("requiresCompatibilities", TEXTS),
            ("networkMode", Text),
            ("cpu", Text),
            ("memory", Text),
            ("executionRoleArn", Text),
            ("taskRoleArn", Text),
        ]),
    ),
    ("DescribeTaskDefinition", Fields(&[("taskDefinition!", Text), ("include", TEXTS)])),
    (
        "CreateService",
        Fields(&[
            ("cluster", Text),
            ("serviceName!", Text),
            ("taskDefinition", Text),
            ("desiredCount", Number),
            ("launchType", Text),
            ("clientToken", Text),
            (
                "networkConfiguration",
                Fields(&[(
                    "awsvpcConfiguration",
                    Fields(&[("subnets!", TEXTS), ("securityGroups", TEXTS), ("assignPublicIp", Text)]),
                )]),
            ),
            (
                "loadBalancers",
                Each(&Fields(&[
                    ("targetGroupArn", Text),
                    ("containerName", Text),
                    ("containerPort", Number),
                ])),
            ),
            (
                "deploymentConfiguration",
                Fields(&[
                    ("deploymentCircuitBreaker", Fields(&[("enable!", Bool), ("rollback!", Bool)])),
                    ("minimumHealthyPercent", Number),
                    ("maximumPercent", Number),
                ]),
            ),
            ("healthCheckGracePeriodSeconds", Number),
            ("propagateTags", Text),
            ("tags", TAGS),
        ]),
    ),
    (
        "UpdateService",
        Fields(&[("cluster", Text), ("service!", Text), ("desiredCount", Number), ("taskDefinition", Text)]),
    ),
    ("DescribeServices", Fields(&[("cluster", Text), ("services!", TEXTS), ("include", TEXTS)])),
    (
        "ListTasks",
        Fields(&[("cluster", Text), ("serviceName", Text), ("desiredStatus", Text), ("nextToken", Text)]),
    ),
    ("DescribeTasks", Fields(&[("cluster", Text), ("tasks!", TEXTS)])),
    ("TagResource", Fields(&[("resourceArn!", Text), ("tags!", TAGS)])),
    (
        "DescribeImages",
        Fields(&[
            ("registryId", Text),
            ("repositoryName!", Text),
            ("imageIds", Each(&Fields(&[("imageDigest", Text), ("imageTag", Text)]))),
        ]),
    ),
    (
        "GetLogEvents",
        Fields(&[
            ("logGroupName", Text),
            ("logStreamName!", Text),
            ("limit", Number),
            ("startFromHead", Bool),
        ]),
    ),
    ("DescribeRules", Fields(&[("Action!", Text), ("Version!", Text), ("RuleArns.member.1", Text)])),
    ("DescribeTargetHealth", Fields(&[("Action!", Text), ("Version!", Text), ("TargetGroupArn!", Text)])),
    (
        "ModifyRule",
        Fields(&[
            ("Action!", Text),
            ("Version!", Text),
            ("RuleArn!", Text),
            ("Actions.member.1.Type!", Text),
            ("Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn", Text),
            ("Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight", Text),
            ("Actions.member.1.ForwardConfig.TargetGroups.member.2.TargetGroupArn", Text),
            ("Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight", Text),
            ("Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled", Text),
            ("Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds", Text),
        ]),
    ),
];

pub fn check(operation: &str, body: &Value) -> Result<(), String> {
    let shape = OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, shape)| shape);
    fits(shape.ok_or("not listed")?, body).map_err(|fault| format!("{fault} in {body}"))
}

fn fits(shape: &Shape, value: &Value) -> Result<(), String> {
    let is = |right: bool, what: &str| right.then_some(()).ok_or(format!("{value} is no {what}"));
    match shape {
        Text => is(value.is_string(), "text"),
        Number => is(value.is_u64(), "number"),
        Bool => is(value.is_boolean(), "boolean"),
        Map => is(value.as_object().is_some_and(|map| map.values().all(Value::is_string)), "map"),
        Each(item) => value
            .as_array()
            .ok_or(format!("{value} is no list"))?
            .iter()
            .try_for_each(|value| fits(item, value)),
        Fields(fields) => {
            let object = value.as_object().ok_or(format!("{value} is no object"))?;
            for (name, _) in fields.iter().filter(|(name, _)| name.ends_with('!')) {
                object.get(name.trim_end_matches('!')).ok_or(format!("no {name}"))?;
            }
            object.iter().try_for_each(|(name, value)| {
                let field = fields.iter().find(|(field, _)| field.trim_end_matches('!') == name);
                fits(&field.ok_or(format!("no such field: {name}"))?.1, value)
            })
        }
    }
}
