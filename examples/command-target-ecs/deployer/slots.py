"""The two places in which versions of a service run: an ECS service with a target group each.

Which version a slot runs is written in the labels of its task definition, so that it changes together with what runs. A slot
without tasks is free for the next version.
"""

from contract import Refused

VERSION_LABEL = "pilotage.version"
DIGEST_LABEL = "pilotage.digest"
DEFINITION_LABEL = "pilotage.definition"
FENCE_TAG = "pilotage:fence"


class Definition:
    """What a task definition says of the release that it runs."""

    def __init__(self, told):
        container = told["containerDefinitions"][0]
        labels = container.get("dockerLabels", {})
        ports = container.get("portMappings", [])
        self.arn = told["taskDefinitionArn"]
        self.version = labels.get(VERSION_LABEL)
        self.digest = labels.get(DIGEST_LABEL)
        self.identity = labels.get(DEFINITION_LABEL)
        self.container = container["name"]
        self.port = ports[0]["containerPort"] if ports else None


class Slot:
    """One ECS service with its target group, as it is now."""

    def __init__(self, told, service, definition):
        self.name = told["service"]
        self.target_group = told["target_group"]
        self.service = service
        self.definition = definition

    @property
    def version(self):
        """The version that it runs, or is told to run."""
        return self.definition.version if self.definition and not self.is_free else None

    @property
    def desired(self):
        return self.service["desiredCount"] if self.service else 0

    @property
    def tasks(self):
        return self.service["runningCount"] + self.service["pendingCount"] if self.service else 0

    @property
    def is_free(self):
        return self.desired == 0 and self.tasks == 0

    @property
    def fence(self):
        tags = self.service.get("tags", []) if self.service else []
        return max((int(tag["value"]) for tag in tags if tag["key"] == FENCE_TAG), default=0)


class Slots:
    """Both slots of a service."""

    def __init__(self, aws, settings):
        self.aws = aws
        self.settings = settings
        self.definitions = {}
        self.all = []
        self.read()

    def read(self):
        names = [slot["service"] for slot in self.settings.slots]
        answer = self.aws.ask("ecs", "DescribeServices", {
            "cluster": self.settings.cluster, "services": names, "include": ["TAGS"],
        })
        # One that was deleted is listed as INACTIVE for a while.
        found = {told["serviceName"]: told for told in answer["services"] if told["status"] != "INACTIVE"}
        self.all = [self.slot(told, found.get(told["service"])) for told in self.settings.slots]

    def slot(self, told, service):
        definition = self.definition(service["taskDefinition"]) if service else None
        return Slot(told, service, definition)

    def definition(self, arn):
        """A task definition never changes, so one look is enough."""
        if arn not in self.definitions:
            answer = self.aws.ask("ecs", "DescribeTaskDefinition", {"taskDefinition": arn})
            self.definitions[arn] = Definition(answer["taskDefinition"])
        return self.definitions[arn]

    def of(self, version):
        """The slot that runs a version."""
        return next((slot for slot in self.all if slot.version == version), None)

    def by_target_group(self, arn):
        return next((slot for slot in self.all if slot.target_group == arn), None)

    def claim(self, fence):
        """Refuses whoever has been overtaken, and marks the services with the token otherwise.

        ECS cannot compare and set a tag, so two who write in the same moment are not told apart here; Pilotage does that.
        """
        held = max(slot.fence for slot in self.all)
        if fence < held:
            raise Refused("fenced", f"token {held} has taken over", held=held)
        for slot in self.all:
            if slot.service and slot.fence < fence:
                self.aws.ask("ecs", "TagResource", {
                    "resourceArn": slot.service["serviceArn"], "tags": [{"key": FENCE_TAG, "value": str(fence)}],
                })

    def scale(self, slot, count):
        self.aws.ask("ecs", "UpdateService", {
            "cluster": self.settings.cluster, "service": slot.name, "desiredCount": count,
        })
