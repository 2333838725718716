"""What is there: tasks, their health in the eyes of the load balancer, and the weights of the rule."""

import datetime

from rule import read_rule, shares_of
from slots import Slots
from tasks import identity, private_address, tasks_of, why_stopped

COMING = {"PROVISIONING", "PENDING", "ACTIVATING"}
GOING = {"DEACTIVATING", "STOPPING", "DEPROVISIONING"}
# How ECS says that a task did not end because somebody wanted it.
UNPLANNED = {"EssentialContainerExited", "TaskFailedToStart"}
STATES = {"healthy": "ready", "unhealthy": "unready", "draining": "stopping", "unhealthy.draining": "stopping"}


def observe(settings, request):
    service = settings.service(request["workload"])
    slots = Slots(settings.aws, service)
    instances = []
    for slot in slots.all:
        if slot.version is not None:
            instances += of_slot(settings.aws, service, slots, slot)
    shares = shares_of(read_rule(settings.aws, service), slots)
    return {"observation": {"instances": instances, "traffic": {"shares": shares} if shares else None}}


def of_slot(aws, service, slots, slot):
    tasks = tasks_of(aws, service.cluster, slot)
    health = target_health(aws, slot.target_group)
    present = [task for task in tasks if task["lastStatus"] != "STOPPED"]
    instances = [told(task, slots.definition(task["taskDefinitionArn"]), slot, health) for task in present]
    wanted = [task for task in present if task["desiredStatus"] != "STOPPED"]
    return instances + missing(slot, tasks, slot.desired - len(wanted))


def told(task, definition, slot, health):
    """As the contract writes an instance."""
    address = private_address(task)
    instance = {
        "name": f"{slot.name}/{identity(task)}",
        "version": definition.version or slot.version,
        "digest": definition.digest or slot.definition.digest,
        "state": state(task, health.get((address, definition.port))),
        "address": f"{address}:{definition.port}" if address and definition.port else None,
        "started_at": time(task.get("startedAt")),
    }
    return instance


def state(task, health):
    status = task["lastStatus"]
    if status in GOING or task["desiredStatus"] == "STOPPED":
        return "stopping"
    if status in COMING:
        return "starting"
    # A target that the load balancer has not registered or checked yet takes no traffic.
    return STATES.get(health, "starting")


def missing(slot, tasks, count):
    """Tasks that are wanted and not there, with all that ECS says about why."""
    deployment = next((told for told in slot.service["deployments"] if told["status"] == "PRIMARY"), {})
    since = deployment.get("createdAt", 0)
    ended = [
        task for task in tasks
        if task["lastStatus"] == "STOPPED" and task.get("stopCode") in UNPLANNED and task.get("createdAt", 0) >= since
    ]
    ended.sort(key=lambda task: task.get("stoppedAt", 0))
    reasons = [why_stopped(ended[-1])] if ended else []
    reasons += trouble(slot, since)
    state = "waiting" if reasons else "starting"
    if deployment.get("rolloutState") == "FAILED":
        state = "failed"
        reasons.insert(0, deployment.get("rolloutStateReason", "the deployment failed"))
    instance = {
        "version": slot.version, "digest": slot.definition.digest, "state": state,
        "reason": "; ".join(reasons) or None, "restarts": len(ended),
    }
    return [{"name": f"{slot.name}/missing-{number}", **instance} for number in range(1, count + 1)]


def trouble(slot, since):
    """The last event that tells why ECS cannot go on; events are listed newest first."""
    events = (event for event in slot.service["events"] if event["createdAt"] >= since)
    return [event["message"] for event in events if "unable to" in event["message"]][:1]


def target_health(aws, target_group):
    """The state of each target by its address and port."""
    result = aws.ask_elb("DescribeTargetHealth", {"TargetGroupArn": target_group})
    states = {}
    for told_health in result.iterfind("TargetHealthDescriptions/member"):
        target = told_health.find("Target")
        states[target.findtext("Id"), int(target.findtext("Port"))] = told_health.findtext("TargetHealth/State")
    return states


def time(seconds):
    """ECS writes seconds since 1970."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()
