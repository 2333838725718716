"""What is registered for a release."""

import hashlib
import json

from contract import Refused
from slots import DEFINITION_LABEL, DIGEST_LABEL, VERSION_LABEL

# The sizes of Fargate: processor units, and the least, the greatest and the steps of memory in MiB. "Task size" in the
# Amazon ECS Developer Guide; 256 units come with 512, 1024 or 2048 MiB.
SIZES = [
    (256, 512, 2048, 512), (512, 1024, 4096, 1024), (1024, 2048, 8192, 1024), (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024), (8192, 16384, 61440, 4096), (16384, 32768, 122880, 8192),
]
# ECS lets a container have at most this long to stop on Fargate, in seconds.
LONGEST_STOP_S = 120


def build(release, service, region, name):
    """The body of RegisterTaskDefinition. Its identity is among its labels, so that the same is not registered twice."""
    cpu, memory = size(release["resources"])
    container = {
        "name": name,
        "image": release["image"],
        "essential": True,
        "portMappings": [{"containerPort": release["container_port"], "protocol": "tcp"}],
        **environment(release, service),
        "stopTimeout": min(-(-release["stop_grace_ms"] // 1000), LONGEST_STOP_S),
        "dockerLabels": {VERSION_LABEL: release["version"], DIGEST_LABEL: release["digest"]},
    }
    if release["run"]:
        container["command"] = [substituted(word, container["environment"]) for word in release["run"]]
    if service.log_group:
        container["logConfiguration"] = {"logDriver": "awslogs", "options": {
            "awslogs-group": service.log_group, "awslogs-region": region, "awslogs-stream-prefix": "pilotage",
        }}
    definition = {
        "family": service.family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(cpu),
        "memory": str(memory),
        "executionRoleArn": service.execution_role,
        "containerDefinitions": [container],
    }
    if service.task_role:
        definition["taskRoleArn"] = service.task_role
    identity = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    container["dockerLabels"][DEFINITION_LABEL] = identity
    return definition, identity


def environment(release, service):
    """Plain variables as they are; secrets by the ARN from which ECS itself reads them."""
    plain, secrets = {"PORT": str(release["container_port"])}, []
    for name, variable in release["env"].items():
        if "secret" not in variable:
            plain[name] = variable["value"]
        elif variable.get("file"):
            raise Refused("unsupported", f"{name}: ECS has no secrets as files", "leave out `as: file`")
        elif name in service.secrets:
            secrets.append({"name": name, "valueFrom": service.secrets[name]})
        else:
            raise Refused(
                "permanent", f"{name} is a secret, and ecs.json does not say where AWS keeps it",
                f"add the ARN of a secret of Secrets Manager or a parameter as `secrets.{name}`",
            )
    told = {"environment": [{"name": name, "value": plain[name]} for name in sorted(plain)]}
    return {**told, "secrets": secrets} if secrets else told


def substituted(word, variables):
    """`$NAME`, the longest names first, so that `$PORTAL` is not taken for `$PORT`."""
    for variable in sorted(variables, key=lambda variable: -len(variable["name"])):
        word = word.replace(f"${variable['name']}", variable["value"])
    return word


def size(resources):
    """The smallest size of Fargate that holds what the release may use."""
    cpu = resources.get("cpu_millis", 0) * 1024 / 1000
    memory = resources.get("memory_bytes", 0) / (1 << 20)
    for units, least, most, step in SIZES:
        fitting = [mebibytes for mebibytes in range(least, most + 1, step) if mebibytes >= memory]
        if units == 256 and 1536 in fitting:
            fitting.remove(1536)
        if units >= cpu and fitting:
            return units, fitting[0]
    raise Refused("permanent", "no size of Fargate is large enough", "lower `resources` of the service")
