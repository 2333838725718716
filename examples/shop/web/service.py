"""The pages of the shop, at a socket that it creates. Nothing but the standard library."""

import os
import signal
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html>
<title>Shop</title>
<h1>Shop {version}</h1>
<ul id="goods"></ul>
<script>
  fetch("/api/goods").then(answer => answer.json()).then(({{ goods }}) => {{
    for (const name of goods) document.querySelector("#goods").append(name, document.createElement("br"));
  }});
</script>
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep connections open
    wbufsize = -1  # head and body in one packet

    def do_GET(self):
        page = PAGE.format(version=os.environ.get("PILOTAGE_VERSION", ""))
        body = ("well\n" if self.path == "/health" else page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *words):
        if self.path != "/health":
            print(form % words, flush=True)


class Server(ThreadingHTTPServer):
    address_family = socket.AF_UNIX
    request_queue_size = 128
    daemon_threads = True  # idle connections do not keep the process alive

    def server_bind(self):
        # That of HTTPServer would look for the name of a host.
        socketserver.TCPServer.server_bind(self)


if __name__ == "__main__":
    server = Server(sys.argv[1], Handler)
    # From another thread: shutdown() waits for the loop that this signal has interrupted.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"serving at {sys.argv[1]}", flush=True)
    server.serve_forever(poll_interval=0.05)
