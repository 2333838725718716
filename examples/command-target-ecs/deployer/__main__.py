"""Drives AWS ECS for Pilotage: one request on standard input, one answer on standard output."""

import json
import sys

import settings
from contract import Pending, Refused
from ensure import ensure
from logs import logs
from observe import observe
from retire import remove, retire
from route import check_route, route
from stage import stage

# Secrets are told as references: ECS reads them itself, from the ARNs of ecs.json.
DESCRIPTION = {"weights": "exact", "secrets": "references"}
VERBS = {
    "stage": stage, "observe": observe, "ensure": ensure, "check_route": check_route, "route": route,
    "retire": retire, "remove": remove, "logs": logs,
}


def answer(request):
    if request["contract"] != 1:
        raise Refused("permanent", f"contract {request['contract']} is not spoken here", "use a newer deployer")
    if request["verb"] == "describe":
        return {"description": DESCRIPTION}
    verb = VERBS.get(request["verb"])
    if verb is None:
        raise Refused("unsupported", f"`{request['verb']}` is not known here")
    return verb(settings.load(), request)


def main():
    try:
        fields = answer(json.load(sys.stdin))
    except Refused as refused:
        fields = {"error": refused.error}
    except Pending as pending:
        fields = {"pending": pending.pending}
    json.dump({"contract": 1, **fields}, sys.stdout)


if __name__ == "__main__":
    main()
