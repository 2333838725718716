"""A small engine for the tests of the command target: processes on this machine behind a listener of its own.

Without arguments it answers one request of the contract: it hands it to a supervisor, which it starts if there is none.
`supervise FOLDER` is that supervisor: it holds the processes, probes them, starts them again and shares the connections.
"""

import json
import os
import socket
import subprocess
import sys
import time

PATIENCE_S = 20


def main():
    if sys.argv[1:2] == ["supervise"]:
        import host_supervisor

        host_supervisor.supervise(sys.argv[2])
        return
    request = json.load(sys.stdin)
    print(f"{request['verb']} for {request.get('workload')}", file=sys.stderr)
    sys.stdout.write(ask(os.environ["HOST_FOLDER"], request))


def ask(folder, request):
    """The supervisor's answer, as a text."""
    with connected(folder) as connection:
        connection.sendall(json.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile(encoding="utf-8") as answer:
            return answer.read()


def connected(folder):
    """A connection to the supervisor. The first who finds none starts one; of several, one gets the lock."""
    deadline = time.monotonic() + PATIENCE_S
    started = False
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(os.path.join(folder, "host.sock"))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise
        if not started:
            started = True
            start(folder)
        time.sleep(0.02)


def start(folder):
    """It has to outlive this request: a session of its own, and none of our pipes."""
    null = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, "-B", "-S", os.path.abspath(__file__), "supervise", folder],
        stdin=null, stdout=null, stderr=null, start_new_session=True,
    )


if __name__ == "__main__":
    main()
