"""Answers under /api, at a socket that it is handed: see sd_listen_fds(3). Nothing but the standard library."""

import json
import os
import pathlib
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIRST_PASSED = 3
GOODS = json.loads(pathlib.Path(__file__).with_name("goods.json").read_text())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep connections open
    wbufsize = -1  # head and body in one packet

    def do_GET(self):
        version = os.environ.get("PILOTAGE_VERSION", "")
        known = {"/api/health": "well", "/api/goods": {"version": version, "goods": GOODS}}
        answer = known.get(self.path)
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *words):
        if self.path != "/api/health":
            print(form % words, flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True  # idle connections do not keep the process alive

    def __init__(self, passed):
        super().__init__("", Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = passed


if __name__ == "__main__":
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        raise SystemExit("no socket was passed: write `listen: passed` in pilotage.yaml")
    server = Server(socket.socket(fileno=FIRST_PASSED))
    # From another thread: shutdown() waits for the loop that this signal has interrupted.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print("serving at the socket that was passed", flush=True)
    server.serve_forever(poll_interval=0.05)
