"""Devices as KubeEdge's users declare them, and an MQTT device of a box made of mosquitto's own clients."""

import json
import subprocess
import threading

from harness import stubs
from harness.stubs import grpc


def model(name, *properties):
    """A DeviceModel; properties: (name, type, access mode)."""
    return {"apiVersion": "devices.kubeedge.io/v1beta1", "kind": "DeviceModel",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"properties": [{"name": name, "type": kind, "accessMode": mode} for name, kind, mode in properties]}}


def device(name, of_model, node, protocol="mqtt", **desired):
    """A Device with a property for each of `desired`: a value, or None."""
    properties = [{"name": name, **({} if value is None else {"desired": {"value": value}})}
                  for name, value in desired.items()]
    return {"apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"deviceModelRef": {"name": of_model}, "nodeName": node, "protocol": {"protocolName": protocol},
                     "properties": properties}}


def reported(kubectl, name):
    """{property: reported value} of a DeviceStatus; empty while there is none."""
    if not kubectl.exists("devicestatus", name):
        return {}
    twins = kubectl.get("devicestatus", name).get("status", {}).get("twins", [])
    return {twin["propertyName"]: twin["reported"]["value"] for twin in twins if "reported" in twin}


def desire(kubectl, name, property_name, value):
    """Sets the desired value of a Device's property, as `kubectl edit` does."""
    properties = kubectl.get("device", name)["spec"]["properties"]
    index = next(i for i, entry in enumerate(properties) if entry["name"] == property_name)
    kubectl("patch", "device", name, "--type=json", "-p", json.dumps(
        [{"op": "add", "path": f"/spec/properties/{index}/desired", "value": {"value": value}}]))


class MqttClient:
    """mosquitto_pub and mosquitto_sub against a box's broker."""

    def __init__(self, broker):
        self._flags = ["-h", "127.0.0.1", "-p", str(broker.port)]
        self._children = []

    def publish(self, topic, payload):
        """One message with QoS 1; returns when the broker has it."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        subprocess.run(["mosquitto_pub", *self._flags, "-q", "1", "-t", topic, "-m", text], check=True, timeout=20)

    def publish_raw(self, topic, payload):
        """Bytes that may be no text."""
        subprocess.run(["mosquitto_pub", *self._flags, "-q", "1", "-t", topic, "-s" if payload else "-n"], input=payload,
                       check=True, timeout=20)

    def stream(self, topic):
        """A client that publishes each line of its standard input, and cares for no answer."""
        child = subprocess.Popen(["mosquitto_pub", *self._flags, "-q", "1", "-t", topic, "-l"], stdin=subprocess.PIPE,
                                 text=True)
        self._children.append(child)
        return child

    def subscribe(self, *topics):
        """A list to which (topic, payload) of what comes are appended, from now on."""
        heard = []
        child = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", *self._flags, "-q", "1", "-F", "> %t %p", "-d",
             *[word for topic in topics for word in ("-t", topic)]],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._children.append(child)
        subscribed = threading.Event()

        def read():
            for line in child.stdout:
                if line.startswith("Subscribed (mid"):
                    subscribed.set()
                elif line.startswith("> "):  # The others are -d's.
                    _, topic, payload = line.rstrip("\n").split(" ", 2)
                    heard.append((topic, json.loads(payload)))

        threading.Thread(target=read, daemon=True).start()
        if not subscribed.wait(20):
            raise AssertionError(f"mosquitto_sub did not subscribe to {topics}")
        return heard

    def close(self):
        """Ends what listens."""
        for child in self._children:
            child.terminate()
            child.wait(20)


class DeviceApi:
    """device-controller-svc's gRPC API, as the operator, over a channel of its own or the one that is given."""

    def __init__(self, cloud=None, channel=None):
        if channel is not None:
            self._channel = channel
            return
        read = [(cloud.clients / name).read_bytes() for name in ("ca.crt", "operator.key", "operator.crt")]
        self._channel = grpc.secure_channel(cloud.devices.addresses["api"], grpc.ssl_channel_credentials(*read))

    def readings(self, name, property_name):
        """[(time in ms, value)] of all readings of a property, the oldest first."""
        stub = stubs.telemetry.TelemetryServiceStub(self._channel)
        found, token = [], ""
        while True:
            page = stub.QueryReadings(stubs.telemetry.QueryReadingsRequest(
                name=f"namespaces/default/devices/{name}", property=property_name, oldest_first=True, page_size=1000,
                page_token=token), timeout=20)
            found += [(reading.time.ToMilliseconds(), reading.value) for reading in page.readings]
            token = page.next_page_token
            if not token:
                return found

    def buckets(self, name, property_name, begin, end, width):
        """Aggregates of readings between two times, for each `width` seconds."""
        stub = stubs.telemetry.TelemetryServiceStub(self._channel)
        request = stubs.telemetry.AggregateReadingsRequest(name=f"namespaces/default/devices/{name}", property=property_name)
        request.start_time.FromMicroseconds(int(begin * 1e6))
        request.end_time.FromMicroseconds(int(end * 1e6))
        request.bucket_width.FromSeconds(width)
        return stub.AggregateReadings(request, timeout=20).buckets

    def twin(self, name, at=None):
        """The twin as the cloud knows it, or knew it at a time (seconds since 1970)."""
        request = stubs.device_twin.GetDeviceTwinRequest(name=f"namespaces/default/devices/{name}/twin")
        if at is not None:
            request.read_time.FromMicroseconds(int(at * 1e6))
        return self._twins().GetDeviceTwin(request, timeout=20)

    def desire(self, name, etag="", versions=None, **values):
        """Writes desired values, on condition of the twin's etag, or of each value's version."""
        twin = stubs.device_twin.DeviceTwin(name=f"namespaces/default/devices/{name}/twin", etag=etag)
        for property_name, value in values.items():
            twin.properties[property_name].desired.value = value
            twin.properties[property_name].desired.version = (versions or {}).get(property_name, "")
        return self._twins().UpdateDeviceTwin(stubs.device_twin.UpdateDeviceTwinRequest(twin=twin), timeout=20)

    def history(self, name, property_name, desired=False):
        """[value] that one side of a property was at, the oldest first."""
        side = stubs.device_twin.ListTwinHistoryRequest
        entries, token = [], ""
        while True:
            page = self._twins().ListTwinHistory(side(
                name=f"namespaces/default/devices/{name}/twin", property=property_name, oldest_first=True, page_size=7,
                side=side.SIDE_DESIRED if desired else side.SIDE_REPORTED, page_token=token), timeout=20)
            entries += [entry.value.value for entry in page.entries]
            token = page.next_page_token
            if not token:
                return entries

    def _twins(self):
        return stubs.device_twin.DeviceTwinServiceStub(self._channel)

    def close(self):
        """Ends its connection."""
        self._channel.close()
