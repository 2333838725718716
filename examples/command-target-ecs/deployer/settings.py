"""What ecs.json and the environment say."""

import json
import os
import urllib.parse

from aws import Aws
from contract import Refused
from sigv4 import Credentials

FILE = "ecs.json"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Service:
    """How one service runs in one environment; see ecs.json."""

    def __init__(self, cluster, told):
        self.cluster = cluster
        self.rule = told["rule"]
        self.slots = told["slots"]
        self.family = told["family"]
        self.execution_role = told["execution_role"]
        self.task_role = told.get("task_role")
        self.subnets = told["subnets"]
        self.security_groups = told["security_groups"]
        self.assign_public_ip = told.get("assign_public_ip", False)
        self.log_group = told.get("log_group")
        self.secrets = told.get("secrets", {})


class Settings:
    """The file, and the connection to AWS."""

    def __init__(self, told):
        self.told = told
        self.aws = Aws(told["region"], credentials(), endpoint())

    def service(self, workload):
        name = f"{workload['environment']}/{workload['service']}"
        told = self.told["services"].get(name)
        if told is None:
            raise Refused("permanent", f"{FILE} says nothing of {name}", f"add it under `services` in {FILE}")
        try:
            return Service(self.told["cluster"], told)
        except KeyError as missing:
            raise Refused("permanent", f"{FILE}: {name} has no {missing}", "README.md lists what is needed") from None


def load():
    try:
        with open(FILE, encoding="utf-8") as file:
            return Settings(json.load(file))
    except (OSError, ValueError, KeyError) as error:
        raise Refused("permanent", f"{FILE} cannot be read: {error!r}", "README.md tells what it holds") from None


def credentials():
    """Of the environment that pilotage.yaml gives to this program."""
    key_id, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key_id or not secret_key:
        raise Refused(
            "permanent", "there are no credentials",
            "name AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY under `env` of the command target",
        )
    return Credentials(key_id, secret_key, os.environ.get("AWS_SESSION_TOKEN"))


def endpoint():
    """Another place than AWS, for tests on this machine alone: credentials must not be sent anywhere else."""
    url = os.environ.get("AWS_ENDPOINT_URL")
    if url and urllib.parse.urlsplit(url).hostname not in LOOPBACK:
        raise Refused("permanent", "AWS_ENDPOINT_URL may name an address of this machine only", "leave it out")
    return url
