"""A small HTTP service with nothing but the standard library. SIGTERM lets requests in flight finish."""

import os
import random
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETING = os.environ.get("GREETING", "Hello")
FAILURES = float(os.environ.get("FAILURES", "0"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, text = 200, "well"
        if self.path == "/":
            text = f"{GREETING} from {os.environ.get('PILOTAGE_INSTANCE', 'a container')}"
            if random.random() < FAILURES:
                status, text = 500, "this one went wrong"
        elif self.path != "/health":
            status, text = 404, "there is nothing here"
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # an idle connection would keep the process from its end
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *words):
        if self.path != "/health":
            print(form % words, flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() waits for requests in flight
    request_queue_size = 128

    def stop(self, *_signal):
        # From another thread: shutdown() waits for the loop that this signal has interrupted.
        threading.Thread(target=self.shutdown).start()


if __name__ == "__main__":
    server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, server.stop)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
