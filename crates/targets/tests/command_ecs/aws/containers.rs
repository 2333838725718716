//! ECS, ECR and CloudWatch Logs.

use serde_json::{Value, json};

use super::operations::Refusal;
use super::state::{Service, State, Step, Task};

const CLUSTER: &str = "arn:aws:ecs:eu-central-1:123456789012:cluster/shop";

type Answered = Result<String, Refusal>;

pub fn register(state: &mut State, body: &Value) -> Answered {
    let family = text(&body["family"]);
    let revision = state.definitions.iter().filter(|told| told["family"] == family).count() + 1;
    let mut told = body.clone();
    let arn = format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/{family}:{revision}");
    told["taskDefinitionArn"] = arn.into();
    told["revision"] = revision.into();
    told["status"] = "ACTIVE".into();
    state.definitions.push(told.clone());
    Ok(json!({ "taskDefinition": told }).to_string())
}

pub fn definition(state: &State, body: &Value) -> Answered {
    let told = state.definition(text(&body["taskDefinition"]));
    let told = told.ok_or(("ClientException", "Unable to describe task definition.".to_owned()))?;
    Ok(json!({ "taskDefinition": told, "tags": [] }).to_string())
}

pub fn create(state: &mut State, body: &Value) -> Answered {
    let name = text(&body["serviceName"]).to_owned();
    if state.services.contains_key(&name) {
        return Err(("InvalidParameterException", "Creation of service was not idempotent.".to_owned()));
    }
    let target_group = text(&body["loadBalancers"][0]["targetGroupArn"]).to_owned();
    if !state.weights.contains_key(&target_group) {
        let message = format!(
            "The target group with targetGroupArn {target_group} does not have an associated load balancer."
        );
        return Err(("InvalidParameterException", message));
    }
    let definition = known_definition(state, &body["taskDefinition"])?;
    let tags = body["tags"].as_array().into_iter().flatten();
    let service = Service {
        name: name.clone(),
        definition,
        desired: count(&body["desiredCount"]),
        target_group,
        tags: tags.map(|tag| (text(&tag["key"]).to_owned(), text(&tag["value"]).to_owned())).collect(),
        created: state.now,
        tasks: Vec::new(),
        events: Vec::new(),
    };
    let told = told(&service);
    state.services.insert(name, service);
    Ok(json!({ "service": told }).to_string())
}

pub fn update(state: &mut State, body: &Value) -> Answered {
    let definition = match &body["taskDefinition"] {
        Value::Null => None,
        wanted => Some(known_definition(state, wanted)?),
    };
    let now = state.now;
    let service = state.services.get_mut(text(&body["service"]));
    let service = service.ok_or(("ServiceNotFoundException", "Service not found.".to_owned()))?;
    if let Some(definition) = definition.filter(|definition| *definition != service.definition) {
        service.definition = definition;
        service.created = now;
    }
    if body["desiredCount"].is_u64() {
        service.desired = count(&body["desiredCount"]);
    }
    Ok(json!({ "service": told(service) }).to_string())
}

/// Each look lets a moment pass.
pub fn services(state: &mut State, body: &Value) -> String {
    state.pass();
    let wanted: Vec<&str> = body["services"].as_array().into_iter().flatten().map(text).collect();
    let found: Vec<Value> = wanted.iter().filter_map(|name| state.services.get(*name)).map(told).collect();
    let missing = wanted.iter().filter(|name| !state.services.contains_key(**name));
    let failures: Vec<Value> = missing.map(|name| json!({ "arn": name, "reason": "MISSING" })).collect();
    json!({ "services": found, "failures": failures }).to_string()
}

fn told(service: &Service) -> Value {
    let running = |task: &&Task| matches!(task.step, Step::Running | Step::Healthy | Step::Deactivating);
    let running = service.tasks.iter().filter(running).count();
    let pending = |task: &&Task| matches!(task.step, Step::Provisioning | Step::Pending);
    let pending = service.tasks.iter().filter(pending).count();
    let (rollout, reason) = match service.has_given_up() {
        true => ("FAILED", "ECS deployment circuit breaker: tasks failed to start."),
        false if running == service.desired => ("COMPLETED", "ECS deployment completed."),
        false => ("IN_PROGRESS", "ECS deployment in progress."),
    };
    let events = service
        .events
        .iter()
        .map(|message| json!({ "id": "1", "createdAt": service.created, "message": message }));
    json!({
        "serviceArn": format!("arn:aws:ecs:eu-central-1:123456789012:service/shop/{}", service.name),
        "serviceName": service.name,
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "desiredCount": service.desired,
        "runningCount": running,
        "pendingCount": pending,
        "taskDefinition": service.definition,
        "deployments": [{
            "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": service.definition, "desiredCount": service.desired,
            "createdAt": service.created, "rolloutState": rollout, "rolloutStateReason": reason,
        }],
        "events": events.collect::<Vec<_>>(),
        "tags": service.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect::<Vec<_>>(),
    })
}

/// One task a page, so that whoever reads has to go on.
pub fn list(state: &State, body: &Value) -> Answered {
    let service = state.services.get(text(&body["serviceName"]));
    let service = service.ok_or(("ServiceNotFoundException", "Service not found.".to_owned()))?;
    let to_run = body["desiredStatus"] == "RUNNING";
    let of_it: Vec<&Task> = service.tasks.iter().filter(|task| task.is_alive() == to_run).collect();
    let place: usize = body["nextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0);
    let arns: Vec<String> = of_it.iter().skip(place).take(1).map(|task| arn(task)).collect();
    let mut answer = json!({ "taskArns": arns });
    if place + 1 < of_it.len() {
        answer["nextToken"] = (place + 1).to_string().into();
    }
    Ok(answer.to_string())
}

pub fn tasks(state: &State, body: &Value) -> String {
    let wanted: Vec<&str> = body["tasks"].as_array().into_iter().flatten().map(text).collect();
    let all = state.services.values().flat_map(|service| &service.tasks);
    let found: Vec<Value> = all
        .filter(|task| wanted.contains(&arn(task).as_str()))
        .map(|task| told_task(task, state.now))
        .collect();
    json!({ "tasks": found, "failures": [] }).to_string()
}

fn told_task(task: &Task, now: f64) -> Value {
    let status = match task.step {
        Step::Provisioning => "PROVISIONING",
        Step::Pending => "PENDING",
        Step::Running | Step::Healthy => "RUNNING",
        Step::Deactivating => "DEACTIVATING",
        Step::Stopped => "STOPPED",
    };
    let mut told = json!({
        "taskArn": arn(task), "taskDefinitionArn": task.definition, "clusterArn": CLUSTER, "lastStatus": status,
        "desiredStatus": if task.is_alive() { "RUNNING" } else { "STOPPED" }, "createdAt": task.created,
        "attachments": [{ "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": [
            { "name": "privateIPv4Address", "value": task.address },
        ]}],
        "containers": [{ "name": "api", "lastStatus": status }],
    });
    if matches!(task.step, Step::Running | Step::Healthy) {
        told["startedAt"] = (task.created + 0.5).into();
    }
    if task.crashed {
        told["stopCode"] = "EssentialContainerExited".into();
        told["stoppedReason"] = "Essential container in task exited".into();
        told["stoppedAt"] = now.into();
        told["containers"][0]["exitCode"] = 1.into();
    }
    told
}

pub fn tag(state: &mut State, body: &Value) -> Answered {
    let name = text(&body["resourceArn"]).rsplit('/').next().unwrap_or_default();
    let service = state.services.get_mut(name);
    let service =
        service.ok_or(("ResourceNotFoundException", "The specified resource was not found.".to_owned()))?;
    for tag in body["tags"].as_array().into_iter().flatten() {
        service.tags.insert(text(&tag["key"]).to_owned(), text(&tag["value"]).to_owned());
    }
    Ok("{}".to_owned())
}

/// The digest of an image is its tag, many times over.
pub fn images(body: &Value) -> Answered {
    let wanted = &body["imageIds"][0];
    let digest = match (wanted["imageDigest"].as_str(), wanted["imageTag"].as_str()) {
        (Some(digest), _) => digest.to_owned(),
        (None, Some("9.9.9")) | (None, None) => {
            return Err(("ImageNotFoundException", "The image requested does not exist.".to_owned()));
        }
        (None, Some(tag)) => digest_of(tag),
    };
    let repository = text(&body["repositoryName"]);
    Ok(json!({ "imageDetails": [{ "repositoryName": repository, "imageDigest": digest }] }).to_string())
}

/// The digest of the image with this tag.
pub fn digest_of(tag: &str) -> String {
    let digits: String = tag.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits:0>64}")
}

pub fn log_events(body: &Value) -> String {
    let message = format!("a line of {}", text(&body["logStreamName"]));
    json!({ "events": [{ "timestamp": 1_782_898_201_250_u64, "message": message, "ingestionTime": 1_782_898_202_000_u64 }] })
        .to_string()
}

fn known_definition(state: &State, wanted: &Value) -> Result<String, Refusal> {
    let wanted = text(wanted).to_owned();
    match state.definition(&wanted) {
        Some(_) => Ok(wanted),
        None => Err(("ClientException", "TaskDefinition not found.".to_owned())),
    }
}

fn arn(task: &Task) -> String {
    format!("arn:aws:ecs:eu-central-1:123456789012:task/shop/{}", task.id)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|count| count.try_into().ok()).unwrap_or(0)
}
