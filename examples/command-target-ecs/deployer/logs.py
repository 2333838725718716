"""The last lines of each task, from CloudWatch Logs."""

import datetime

from aws import AwsError
from contract import Refused
from slots import Slots
from tasks import identity, tasks_of


def logs(settings, request):
    service, query = settings.service(request["workload"]), request["query"]
    if not service.log_group:
        raise Refused("unsupported", "ecs.json names no `log_group`", "add it, and the log group in CloudWatch")
    slots, lines = Slots(settings.aws, service), []
    for slot in slots.all:
        for task in tasks_of(settings.aws, service.cluster, slot):
            definition = slots.definition(task["taskDefinitionArn"])
            if definition.version and query.get("version") in (None, definition.version):
                lines += of_task(settings.aws, service, slot, task, definition, query["lines"])
    lines.sort(key=lambda line: line["at"])
    return {"lines": lines[-query["lines"]:]}


def of_task(aws, service, slot, task, definition, count):
    try:
        answer = aws.ask("logs", "GetLogEvents", {
            "logGroupName": service.log_group,
            "logStreamName": f"pilotage/{definition.container}/{identity(task)}",
            "limit": min(max(count, 1), 10_000),
            "startFromHead": False,
        })
    except AwsError as error:
        # A task that has not written anything has no stream.
        if error.code == "ResourceNotFoundException":
            return []
        raise
    name, version = f"{slot.name}/{identity(task)}", definition.version
    return [{"at": time(event["timestamp"]), "instance": name, "version": version, "text": event["message"]}
            for event in answer["events"]]


def time(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
