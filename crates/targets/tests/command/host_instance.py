"""One process that is kept up."""

import datetime
import http.client
import os
import signal
import socket
import subprocess
import threading
import time

# So often in a row may it end within a second of its start.
PATIENCE = 3
LINES_KEPT = 1000


class Instance:
    def __init__(self, name, release, folder):
        self.name = name
        self.release = release
        self.folder = folder
        self.state = "starting"
        self.reason = None
        self.restarts = 0
        self.port = None
        self.process = None
        self.started_at = None
        self.connections = 0
        self.lock = threading.Lock()
        self.lines = []
        self.leaving = threading.Event()
        self.gone = False
        threading.Thread(target=self.keep_up, daemon=True).start()

    def kept_up(self):
        return self.state != "failed" and not self.leaving.is_set()

    def told(self):
        """As the contract writes an instance."""
        running = self.process is not None and self.process.poll() is None
        return {
            "name": self.name,
            "version": self.release["version"],
            "digest": self.release["digest"],
            "state": "stopping" if self.leaving.is_set() else self.state,
            "reason": self.reason,
            "address": f"127.0.0.1:{self.port}" if self.port else None,
            "pid": self.process.pid if running else None,
            "started_at": self.started_at,
            "restarts": self.restarts,
            "an_unknown_field": "is tolerated",
        }

    def keep_up(self):
        quick_ends = 0
        while not self.leaving.is_set():
            began = time.monotonic()
            try:
                self.run_once()
                last = self.lines[-1]["text"] if self.lines else "nothing"
                self.reason = f"ended with {self.process.returncode}; it wrote last: {last}"
            except OSError as error:
                self.reason = f"cannot be started: {error}"
            if self.leaving.is_set():
                break
            quick_ends = quick_ends + 1 if time.monotonic() - began < 1 else 0
            if quick_ends >= PATIENCE:
                self.state = "failed"
                self.leaving.wait()
                break
            self.state = "waiting"
            self.restarts += 1
            self.leaving.wait(0.05 * quick_ends)
        self.gone = True

    def run_once(self):
        """From the start of the process to its end, however that comes."""
        self.port = free_port()
        values = {name: variable.get("value") or "" for name, variable in self.release["env"].items()}
        values |= {"PORT": str(self.port), "PILOTAGE_VERSION": self.release["version"]}
        words = [substituted(word, values) for word in self.release["run"]]
        self.process = subprocess.Popen(
            words, cwd=self.folder, env={"PATH": os.environ.get("PATH", ""), **values}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.started_at = now()
        self.state = "starting"
        for stream, is_error in ((self.process.stdout, False), (self.process.stderr, True)):
            threading.Thread(target=self.listen, args=(stream, is_error), daemon=True).start()
        while self.process.poll() is None and not self.leaving.is_set():
            if self.answers():
                self.state = "ready"
            elif self.state == "ready":
                self.state = "unready"
            time.sleep(self.release["health"]["interval_ms"] / 1000)
        self.end()

    def answers(self):
        """Whether the process can take traffic."""
        path = self.release["health"].get("ready")
        try:
            if path is None:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", path)
                return 200 <= connection.getresponse().status < 400
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return False

    def end(self):
        """Ends the process gracefully, after the connections to it have ended."""
        deadline = time.monotonic() + self.release["stop_grace_ms"] / 1000
        while self.connections and time.monotonic() < deadline and self.process.poll() is None:
            time.sleep(0.01)
        self.send(signal.SIGTERM)
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()

    def count(self, change):
        """A connection came or went."""
        with self.lock:
            self.connections += change

    def leave(self):
        self.leaving.set()

    def kill(self):
        self.send(signal.SIGKILL)

    def send(self, number):
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, AttributeError):
            pass

    def listen(self, stream, is_error):
        for line in stream:
            text = line.decode(errors="replace").rstrip("\r\n")
            told = {"at": now(), "instance": self.name, "version": self.release["version"]}
            self.lines.append({**told, "stderr": is_error, "text": text})
            del self.lines[:-LINES_KEPT]


def substituted(word, values):
    """`$NAME` for each variable; the longest name first, so that `$PORTAL` is not taken for `$PORT`."""
    for name in sorted(values, key=len, reverse=True):
        word = word.replace(f"${name}", values[name])
    return word


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
