"""The supervisor of host.py: answers each verb of the contract for the processes that it holds."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time

from host_balancer import Balancer
from host_instance import Instance


class Refused(Exception):
    """An error of the contract."""

    def __init__(self, kind, message, **more):
        super().__init__(message)
        self.error = {"kind": kind, "message": message, **more}


class Workload:
    """What is known of one service in one environment."""

    def __init__(self):
        self.fence = 0
        self.next_number = 1
        self.instances = []
        self.balancer = None

    def of(self, version):
        return [instance for instance in self.instances if instance.release["version"] == version]

    def forget_ended(self):
        self.instances = [instance for instance in self.instances if not instance.gone]


class Supervisor:
    def __init__(self, folder):
        self.folder = folder
        self.workloads = {}
        self.lock = threading.Lock()

    def answer(self, request):
        with self.lock:
            try:
                if request["contract"] != 1:
                    raise Refused("permanent", f"contract {request['contract']} is not spoken here")
                fields = getattr(self, request["verb"])(request)
                return {"contract": 1, **(fields or {})}
            except Refused as refused:
                return {"contract": 1, "error": refused.error}

    def workload(self, request):
        """The workload, for whoever may act on it: an effect carries a token."""
        name = f"{request['workload']['environment']}.{request['workload']['service']}"
        workload = self.workloads.setdefault(name, Workload())
        workload.forget_ended()
        fence = request.get("fence")
        if fence is not None:
            if fence < workload.fence:
                raise Refused("fenced", f"{name} is held by token {workload.fence}", held=workload.fence)
            workload.fence = fence
        return workload

    # The verbs.

    def describe(self, _request):
        return {"description": {"weights": "exact", "holds_requests": True, "secrets": "values"}}

    def stage(self, request):
        path = request["artifact"].get("path")
        if path is None:
            raise Refused("unsupported", "this machine runs no images", mend="give the path of a program")
        if not os.path.exists(path):
            raise Refused("permanent", f"{path} is not there", mend="build it first")
        digest = digest_of(path)
        place = os.path.join(self.folder, "store", digest)
        if not os.path.exists(place):
            os.makedirs(place + ".part")
            copy = shutil.copytree if os.path.isdir(path) else shutil.copy2
            copy(path, os.path.join(place + ".part", os.path.basename(path)))
            os.rename(place + ".part", place)
        return {"staged": {"digest": f"sha256:{digest}"}}

    def observe(self, request):
        workload = self.workload(request)
        balancer = workload.balancer
        return {"observation": {
            "instances": [instance.told() for instance in workload.instances],
            "traffic": balancer and {"listen": balancer.listen, "shares": balancer.shares},
        }}

    def ensure(self, request):
        workload, release = self.workload(request), request["release"]
        same = [instance for instance in workload.of(release["version"]) if instance.kept_up()]
        for _ in range(request["replicas"] - len(same)):
            place = os.path.join(self.folder, "store", release["digest"].removeprefix("sha256:"))
            name = f"{request['workload']['service']}-{workload.next_number}"
            workload.next_number += 1
            workload.instances.append(Instance(name, release, place))

    def check_route(self, request):
        workload, traffic = self.workload(request), request["traffic"]
        if workload.balancer is None and not traffic["listen"].endswith(":0"):
            try:
                Balancer(traffic["listen"], []).close()
            except OSError as error:
                raise Refused("permanent", f"{traffic['listen']}: {error}", mend="choose another port") from error

    def route(self, request):
        workload, traffic = self.workload(request), request["traffic"]
        if workload.balancer is None:
            workload.balancer = Balancer(traffic["listen"], workload.instances)
        workload.balancer.switch(traffic, lambda: list(workload.instances))
        return {"routed": {"listen": workload.balancer.listen}}

    def retire(self, request):
        workload, version = self.workload(request), request["version"]
        there = [instance for instance in workload.of(version) if not instance.leaving.is_set()]
        # Those that take traffic are kept first, and of these the oldest.
        there.sort(key=lambda instance: instance.state != "ready")
        for instance in there[request["keep"]:]:
            instance.leave()
        return pending([instance for instance in workload.of(version) if instance.leaving.is_set()])

    def remove(self, request):
        workload = self.workload(request)
        if workload.balancer is not None:
            workload.balancer.close()
            workload.balancer = None
        for instance in workload.instances:
            instance.leave()
        return pending(workload.instances)

    def logs(self, request):
        query, lines = request["query"], []
        for instance in self.workload(request).instances:
            if query.get("version") in (None, instance.release["version"]):
                lines += instance.lines
        lines.sort(key=lambda line: line["at"])
        return {"lines": lines[-query["lines"]:]}


def pending(leaving):
    leaving = [instance.name for instance in leaving if not instance.gone]
    if leaving:
        return {"pending": {"message": f"{', '.join(leaving)} must end first", "again_ms": 100}}
    return None


def digest_of(path):
    """A digest over the names and contents of all files."""
    digest = hashlib.sha256()
    files = [path]
    if os.path.isdir(path):
        files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    for file in files:
        digest.update(os.path.relpath(file, os.path.dirname(path)).encode() + b"\0")
        with open(file, "rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def converse(connection, supervisor):
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        json.dump(supervisor.answer(json.loads(stream.read())), stream)


def supervise(folder):
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        serve(folder)


def serve(folder):
    supervisor = Supervisor(folder)
    path = os.path.join(folder, "host.sock")
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listener.settimeout(0.5)
    try:
        # A test that was killed removes nothing but its folder.
        while os.path.exists(path):
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            threading.Thread(target=converse, args=(connection, supervisor), daemon=True).start()
    finally:
        for workload in supervisor.workloads.values():
            for instance in workload.instances:
                instance.kill()
