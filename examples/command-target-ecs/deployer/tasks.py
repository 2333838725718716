"""Lists the tasks of a slot."""

# DescribeTasks takes so many at a time.
AT_ONCE = 100


def tasks_of(aws, cluster, slot):
    """Those that are to run, and those that stopped within the last hour, which is as long as ECS lists them."""
    if slot.service is None:
        return []
    arns = [arn for wanted in ("RUNNING", "STOPPED") for arn in list_tasks(aws, cluster, slot.name, wanted)]
    tasks = []
    for begin in range(0, len(arns), AT_ONCE):
        answer = aws.ask("ecs", "DescribeTasks", {"cluster": cluster, "tasks": arns[begin:begin + AT_ONCE]})
        tasks += answer["tasks"]
    return tasks


def list_tasks(aws, cluster, service, wanted):
    body = {"cluster": cluster, "serviceName": service, "desiredStatus": wanted}
    arns = []
    while True:
        answer = aws.ask("ecs", "ListTasks", body)
        arns += answer["taskArns"]
        if not answer.get("nextToken"):
            return arns
        body["nextToken"] = answer["nextToken"]


def identity(task):
    """The last part of a task's ARN."""
    return task["taskArn"].rsplit("/", 1)[-1]


def private_address(task):
    """The address of its network interface, once it has one."""
    for attachment in task.get("attachments", []):
        for detail in attachment.get("details", []):
            if detail["name"] == "privateIPv4Address":
                return detail["value"]
    return None


def why_stopped(task):
    """In ECS's words, with the exit code or reason of its container."""
    parts = [task.get("stoppedReason", "stopped")]
    for container in task.get("containers", []):
        if container.get("reason"):
            parts.append(container["reason"])
        if container.get("exitCode") is not None:
            parts.append(f"exit code {container['exitCode']}")
    return "; ".join(parts)
