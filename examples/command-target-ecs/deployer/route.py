"""Shares the requests between versions."""

from contract import Refused
from rule import read_rule, weights_for, write_rule
from slots import Slots


def check_route(settings, request):
    service = settings.service(request["workload"])
    weights_for(request["traffic"]["shares"])
    rule = read_rule(settings.aws, service)
    absent = [slot["target_group"] for slot in service.slots if slot["target_group"] not in rule.weights]
    if absent:
        # Without a load balancer a target group has no health checks, and ECS refuses to create a service with it.
        raise Refused(
            "permanent", f"the rule does not forward to {' and '.join(absent)}",
            "add the target group to the rule with weight 0",
        )
    return {}


def route(settings, request):
    service = settings.service(request["workload"])
    slots = Slots(settings.aws, service)
    slots.claim(request["fence"])
    weights = {}
    for version, weight in weights_for(request["traffic"]["shares"]).items():
        slot = slots.of(version)
        if slot is None:
            raise Refused("permanent", f"{version} is to get requests, and runs nowhere", "bring it up first")
        weights[slot.target_group] = weight
    write_rule(settings.aws, service, read_rule(settings.aws, service), weights)
    return {}
