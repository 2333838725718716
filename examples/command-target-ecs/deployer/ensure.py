"""Brings tasks of a release up."""

import task_definition
from contract import Pending, Refused
from rule import read_rule
from slots import FENCE_TAG, Slots

# The load balancer decides about health from then on; ECS must not stop tasks that are still starting.
LEAST_GRACE_S = 30


def ensure(settings, request):
    service, release = settings.service(request["workload"]), request["release"]
    if "image" not in release:
        raise Refused("unsupported", "ECS runs images, not files", "write `image` in place of `artifact`")
    slots = Slots(settings.aws, service)
    slots.claim(request["fence"])
    name = request["workload"]["service"]
    definition, identity = task_definition.build(release, service, settings.aws.region, name)
    slot = slots.of(release["version"])
    if slot is not None and slot.definition.identity == identity:
        # Never fewer than there are: taking tasks down is what `retire` is for.
        if slot.desired < request["replicas"]:
            slots.scale(slot, request["replicas"])
        return {}
    slot = slot or free(slots, read_rule(settings.aws, service))
    registered = settings.aws.ask("ecs", "RegisterTaskDefinition", definition)
    arn = registered["taskDefinition"]["taskDefinitionArn"]
    count = max(slot.desired, request["replicas"])
    if slot.service is None:
        create(settings.aws, service, slot, arn, count, request)
    else:
        settings.aws.ask("ecs", "UpdateService", {
            "cluster": service.cluster, "service": slot.name, "taskDefinition": arn, "desiredCount": count,
        })
    return {}


def free(slots, rule):
    """A slot in which nothing runs, and which gets no requests: those are for `route` to give."""
    unused = sorted((slot for slot in slots.all if slot.is_free), key=lambda slot: rule.weights.get(slot.target_group, 0))
    if unused:
        slot = unused[0]
        if len(unused) == 1 and rule.weights.get(slot.target_group, 0):
            raise Refused("transient", f"the rule gives requests to {slot.name}, which is not in use")
        return slot
    for slot in slots.all:
        if slot.desired == 0:
            raise Pending(f"{slot.name} still has {slot.tasks} tasks")
    taken = " and ".join(f"{slot.name} runs {slot.version or 'something else'}" for slot in slots.all)
    raise Refused("permanent", f"there is no slot for another version: {taken}", "retire one of them")


def create(aws, service, slot, definition, count, request):
    release = request["release"]
    aws.ask("ecs", "CreateService", {
        "cluster": service.cluster,
        "serviceName": slot.name,
        "taskDefinition": definition,
        "desiredCount": count,
        "launchType": "FARGATE",
        # Repeating the request does not make a second service.
        "clientToken": request["key"],
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": service.subnets,
            "securityGroups": service.security_groups,
            "assignPublicIp": "ENABLED" if service.assign_public_ip else "DISABLED",
        }},
        "loadBalancers": [{
            "targetGroupArn": slot.target_group,
            "containerName": request["workload"]["service"],
            "containerPort": release["container_port"],
        }],
        # Tasks that end again and again are given up; what is done then is for Pilotage to decide.
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": False},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
        "healthCheckGracePeriodSeconds": max(release["start_timeout_ms"] // 1000, LEAST_GRACE_S),
        "propagateTags": "SERVICE",
        "tags": [{"key": FENCE_TAG, "value": str(request["fence"])}],
    })
