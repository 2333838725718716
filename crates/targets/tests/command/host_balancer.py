"""A listener that shares its connections between versions."""

import random
import socket
import threading
import time


class Balancer:
    def __init__(self, listen, instances):
        host, port = listen.rsplit(":", 1)
        self.listener = socket.create_server((host.strip("[]"), int(port)), backlog=256)
        self.listen = f"{host}:{self.listener.getsockname()[1]}"
        self.shares = []
        self.hold_s = 0
        self.instances = lambda: instances
        threading.Thread(target=self.serve, daemon=True).start()

    def switch(self, traffic, instances):
        """From the next connection on."""
        self.instances = instances
        self.hold_s = traffic["hold_ms"] / 1000
        self.shares = traffic["shares"]

    def close(self):
        # Without it the thread in accept would keep the socket.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def choose(self):
        """An instance of a version by the shares; waits while there is none."""
        deadline = time.monotonic() + self.hold_s
        while True:
            shares = [share for share in self.shares if share["share"] > 0]
            if shares:
                version = random.choices(shares, [share["share"] for share in shares])[0]["version"]
                ready = [
                    instance for instance in self.instances()
                    if instance.release["version"] == version and instance.state == "ready" and instance.kept_up()
                ]
                if ready:
                    return random.choice(ready)
            if time.monotonic() > deadline:
                return None
            time.sleep(0.01)

    def pass_on(self, client):
        instance = self.choose()
        if instance is None:
            client.close()
            return
        instance.count(1)
        try:
            with client, socket.create_connection(("127.0.0.1", instance.port)) as service:
                back = threading.Thread(target=copy, args=(service, client), daemon=True)
                back.start()
                copy(client, service)
                back.join()
        except OSError:
            pass
        finally:
            instance.count(-1)


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
