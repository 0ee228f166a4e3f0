"""From a write of a desired value to the delta message at an MQTT subscriber, beside the parts that it cannot be without."""

import json
import queue
import subprocess
import threading
import time

from harness.devices import DeviceApi
from harness.kube_http import KubeHttp

DEVICE = "setter"
PATIENCE = 20
_PATH = "/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices"
_BARE = "bench/bare"


class Arrivals:
    """What came, with the instant of its arrival, from a thread of its own."""

    def __init__(self, source):
        self._queue = queue.Queue()
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def _read(self, source):
        for what in source:
            self._queue.put((time.monotonic(), what))

    def after(self, begun, wanted):
        """Milliseconds from `begun` to the first that is wanted; what comes before it is dropped."""
        while True:
            at, what = self._queue.get(timeout=PATIENCE)
            if wanted(what):
                return (at - begun) * 1000


class DesiredBench:
    """One device of a system that runs: its desired value is written by the API server's clients and by the gRPC API's."""

    def __init__(self, system, broker):
        self._kube = KubeHttp(system.cloud.admin_kubeconfig, system.cloud.host)
        self._api = DeviceApi(system.cloud)
        self._value = 0
        self._children = []
        flags = ["-h", "127.0.0.1", "-p", str(broker.port), "-q", "1"]
        self._bare = self._child(["mosquitto_pub", *flags, "-t", _BARE, "-l"], stdin=subprocess.PIPE)
        self._mqtt = Arrivals(self._messages([*flags, "-t", f"$hw/events/device/default/{DEVICE}/twin/update/delta"]))
        self._bare_mqtt = Arrivals(self._messages([*flags, "-t", _BARE]))
        version = self._kube("GET", _PATH)["metadata"]["resourceVersion"]
        self._watch = Arrivals(KubeHttp(system.cloud.admin_kubeconfig, system.cloud.host).watch(_PATH, version))
        self._once()  # Connections and Python's stubs are made.

    def _child(self, command, **pipes):
        child = subprocess.Popen(command, text=True, **pipes)
        self._children.append(child)
        return child

    def _messages(self, flags):
        """Payloads as they come, once the broker has subscribed the client."""
        child = self._child(["stdbuf", "-oL", "mosquitto_sub", *flags, "-F", "> %p", "-d"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
        for line in child.stdout:
            if line.startswith("Subscribed (mid"):
                return (line[2:].rstrip("\n") for line in child.stdout if line.startswith("> "))
        raise RuntimeError("mosquitto_sub did not subscribe")

    def _patch(self, value):
        change = {"op": "add", "path": "/spec/properties/0/desired", "value": {"value": value}}
        self._kube("PATCH", f"{_PATH}/{DEVICE}", [change], "application/json-patch+json")

    def _grpc(self, value):
        self._api.desire(DEVICE, level=value)

    def _delta(self, begun, value):
        return self._mqtt.after(begun, lambda payload: json.loads(payload)["delta"].get("level") == value)

    def _once(self):
        """{what: milliseconds} of one write of each kind."""
        taken = {}
        self._value += 1
        value = str(self._value)
        begun = time.monotonic()
        self._bare.stdin.write(value + "\n")
        self._bare.stdin.flush()
        taken["bare"] = self._bare_mqtt.after(begun, lambda payload: payload == value)
        begun = time.monotonic()
        self._patch(value)
        taken["patch"] = self._delta(begun, value)
        taken["watch"] = self._watch.after(begun, lambda event: (
            event[1]["metadata"]["name"] == DEVICE and event[1]["spec"]["properties"][0]["desired"]["value"] == value))
        self._value += 1
        begun = time.monotonic()
        self._grpc(str(self._value))
        taken["grpc"] = self._delta(begun, str(self._value))
        return taken

    def measure(self, count, pause):
        """{what: sorted milliseconds} of `count` writes of each kind, `pause` seconds apart."""
        taken = []
        for _ in range(count):
            time.sleep(pause)
            taken.append(self._once())
        return {what: sorted(one[what] for one in taken) for what in taken[0]}

    def close(self):
        """Ends what listens."""
        self._api.close()
        for child in self._children:
            child.terminate()
            child.wait(20)
