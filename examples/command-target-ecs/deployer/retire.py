"""Takes tasks down. ECS first takes them out of the target group, where requests in flight have the deregistration delay."""

from contract import Pending
from slots import Slots


def retire(settings, request):
    service = settings.service(request["workload"])
    slots = Slots(settings.aws, service)
    slots.claim(request["fence"])
    slot = slots.of(request["version"])
    if slot is not None:
        take_down(slots, slot, request["keep"])
    return {}


def remove(settings, request):
    """The rule stays as it is: it has to forward somewhere, and without tasks the load balancer answers 503."""
    service = settings.service(request["workload"])
    slots = Slots(settings.aws, service)
    slots.claim(request["fence"])
    for slot in slots.all:
        if slot.service is not None and slot.desired > 0:
            slots.scale(slot, 0)
    left = [f"{slot.tasks} of {slot.name}" for slot in slots.all if slot.tasks > 0]
    if left:
        raise Pending(f"tasks are being stopped: {', '.join(left)}")
    return {}


def take_down(slots, slot, keep):
    if slot.desired > keep:
        slots.scale(slot, keep)
    if slot.tasks > keep:
        raise Pending(f"{slot.tasks - keep} of {slot.tasks} tasks of {slot.name} are being stopped")
