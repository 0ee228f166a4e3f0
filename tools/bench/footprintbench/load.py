"""Devices that report by MQTT, at a rate."""

import subprocess
import time


class Reporters:
    """A connection for each device; use it in a `with`."""

    _number = 0  # Of all: the same event_id again would be a redelivery.

    def __init__(self, broker, names):
        self._broker = broker
        self._names = names
        self._clients = []

    def __enter__(self):
        for name in self._names:
            self._clients.append(subprocess.Popen(
                ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self._broker.port), "-q", "1", "-l",
                 "-t", f"$hw/events/device/default/{name}/twin/update"], stdin=subprocess.PIPE))
        return self

    def __exit__(self, *_):
        for client in self._clients:
            client.stdin.close()
        for client in self._clients:
            client.wait(60)

    def run(self, rate, seconds):
        """`rate` updates a second of all devices together; returns how many there were."""
        begun, sent = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds:
            while sent < rate * passed:
                number = Reporters._number = Reporters._number + 1
                client = self._clients[number % len(self._clients)]
                client.stdin.write((f'{{"event_id":"e{number}","timestamp":1,"twin":'
                                    f'{{"count":{{"actual":{{"value":"{number}"}}}}}}}}\n').encode())
                client.stdin.flush()
                sent += 1
            time.sleep(0.02)
        return sent
