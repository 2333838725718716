"""The listener rule of the load balancer, which shares requests between the two target groups."""

import math

from contract import Refused

# "Forward actions" in the guide of Application Load Balancers.
GREATEST_WEIGHT = 999
WHOLE = 10_000


class Rule:
    """The weights of target groups by their ARNs, and how clients stick to one."""

    def __init__(self, weights, stickiness):
        self.weights = weights
        self.stickiness = stickiness


def read_rule(aws, service):
    result = aws.ask_elb("DescribeRules", {"RuleArns": [service.rule]})
    return parse(result, service)


def write_rule(aws, service, rule, weights):
    """One request, so that both weights change together; the answer is the rule as it is from then on."""
    groups = [{"TargetGroupArn": slot["target_group"], "Weight": weights.get(slot["target_group"], 0)}
              for slot in service.slots]
    forward = {"TargetGroups": groups, **({"TargetGroupStickinessConfig": rule.stickiness} if rule.stickiness else {})}
    result = aws.ask_elb("ModifyRule", {
        "RuleArn": service.rule, "Actions": [{"Type": "forward", "ForwardConfig": forward}],
    })
    written = parse(result, service).weights
    if any(written.get(group["TargetGroupArn"], 0) != group["Weight"] for group in groups):
        raise Refused("transient", f"the rule has {written} after it was changed")


def parse(result, service):
    actions = result.findall("Rules/member/Actions/member")
    if len(actions) != 1 or actions[0].findtext("Type") != "forward":
        raise Refused(
            "permanent", f"the rule {service.rule} does more than forward",
            "give Pilotage a rule of its own with a single `forward` action",
        )
    weights = {}
    for group in actions[0].iterfind("ForwardConfig/TargetGroups/member"):
        weights[group.findtext("TargetGroupArn")] = int(group.findtext("Weight", "1"))
    if not weights:
        weights[actions[0].findtext("TargetGroupArn")] = 1
    told = actions[0].find("ForwardConfig/TargetGroupStickinessConfig")
    stickiness = {} if told is None else {field.tag: field.text for field in told}
    return Rule(weights, stickiness)


def shares_of(rule, slots):
    """The shares of versions; none if nothing of ours gets requests."""
    total = sum(rule.weights.values())
    weighted = [(slots.by_target_group(arn), weight) for arn, weight in rule.weights.items() if weight]
    known = [(slot.version, weight) for slot, weight in weighted if slot is not None and slot.version]
    shares = [{"version": version, "share": weight * WHOLE // total} for version, weight in known]
    if shares and sum(weight for _, weight in known) == total:
        # What rounding has left over.
        shares[-1]["share"] += WHOLE - sum(share["share"] for share in shares)
    return shares


def weights_for(shares):
    """The smallest whole weights in the same proportion, by version."""
    wanted = {share["version"]: share["share"] for share in shares if share["share"]}
    if not wanted:
        raise Refused("unsupported", "a rule has to forward somewhere", "use a strategy that always serves a version")
    if len(wanted) > 2:
        raise Refused("unsupported", f"{len(wanted)} versions are to get requests", "there are two slots: use two versions")
    divisor = math.gcd(*wanted.values())
    weights = {version: share // divisor for version, share in wanted.items()}
    if any(weight > GREATEST_WEIGHT for weight in weights.values()):
        raise Refused(
            "unsupported", f"the load balancer has weights from 0 to {GREATEST_WEIGHT}, and {shares} needs greater ones",
            "use steps in whole percents or tenths of a percent",
        )
    return weights
