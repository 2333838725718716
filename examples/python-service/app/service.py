"""A small HTTP/1.1 service with nothing but the standard library. SIGTERM lets requests in flight finish."""

import json
import os
import pathlib
import random
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SETTINGS = json.loads(pathlib.Path(__file__).with_name("settings.json").read_text())
GRACE_SECONDS = 8


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep connections open
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet

    def do_GET(self):
        with self.server.one_request():
            self.answer()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def answer(self):
        status, text = 200, "well"
        if self.path == "/":
            version = os.environ.get("PILOTAGE_VERSION", "")
            text = f"{SETTINGS['greeting']} from Python {version}"
            if random.random() < SETTINGS["failures"]:
                status, text = 500, "this one went wrong"
        elif self.path != "/health":
            status, text = 404, "there is nothing here"
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.server.stopping:
            self.send_header("Connection", "close")  # also ends the connection after this answer
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, form, *words):
        if self.path != "/health":
            print(form % words, flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True  # idle connections do not keep the process alive
    request_queue_size = 128

    def __init__(self, address):
        super().__init__(address, Handler)
        self.stopping = False
        self.in_flight = 0
        self.changed = threading.Condition()

    def one_request(self):
        return InFlight(self)

    def stop(self, *_signal):
        self.stopping = True
        # From another thread: shutdown() waits for the loop that this signal has interrupted.
        threading.Thread(target=self.shutdown).start()

    def finish(self):
        with self.changed:
            self.changed.wait_for(lambda: self.in_flight == 0, timeout=GRACE_SECONDS)


class InFlight:
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        with self.server.changed:
            self.server.in_flight += 1

    def __exit__(self, *_error):
        with self.server.changed:
            self.server.in_flight -= 1
            self.server.changed.notify_all()


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])))
    signal.signal(signal.SIGTERM, server.stop)
    print(f"listening on 127.0.0.1:{sys.argv[1]}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.finish()
