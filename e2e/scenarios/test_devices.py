"""Devices end to end: declared by kubectl, spoken with by a mapper or over MQTT on the box, seen in the cloud."""

import json
import os
import time

import pytest
from cluster import wait
from cluster.binaries import TOP

from harness import devices, stubs


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One box with a broker and the virtual mapper, without containers."""
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.broker.configure()
    box.make_mapper("virtual")
    system.add_node("edge-1", runtime=False)
    system.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    return box


@pytest.fixture(name="mqtt")
def fixture_mqtt(node):
    """A client of the box's broker."""
    client = devices.MqttClient(node.broker)
    yield client
    client.close()


def await_reported(system, name, timeout=30, **values):
    """Until these values of a device are in its DeviceStatus."""
    return wait.until(f"{name} to report {values}", lambda: {
        key: devices.reported(system.kubectl, name).get(key) for key in values} == values, timeout, 0.2)


def test_a_mapper_obeys_kubectl_and_reports(system, node):
    """[devices-1] D2: what is desired reaches the device, and what it measures the cloud."""
    wait.until("the mapper to be registered", node.mappers["virtual"].ready, 30)
    await_reported(system, "room-3", target="21.00")
    assert "temperature" in devices.reported(system.kubectl, "room-3")
    devices.desire(system.kubectl, "room-3", "target", "25")
    await_reported(system, "room-3", target="25.00")
    status = system.kubectl.wait_for("devicestatus", "room-3", "online",
                                     lambda s: s["status"].get("state") == "online", 30)
    assert status["status"].get("lastOnlineTime")
    assert status["metadata"]["ownerReferences"][0]["name"] == "room-3"


def test_a_method_is_called_from_the_cloud(system, node):
    """[devices-2] The device's own status and answer come back; a method that it has not is its refusal."""
    await_reported(system, "lamp-3", on="true")
    said = system.cloud.skerryctl("device", "call", "lamp-3", "toggle", *system.cloud.device_flags)
    assert said == "status 200\nfalse\n"
    await_reported(system, "lamp-3", on="false")


def test_a_disabled_device_leaves_its_node(system, node):
    """[devices-3] Whatever manifests say, until it is enabled again."""
    call = ("device", "call", "lamp-3", "toggle", *system.cloud.device_flags)
    system.cloud.skerryctl("device", "disable", "lamp-3", "--reason", "it smokes", *system.cloud.device_flags)
    with pytest.raises(RuntimeError, match="DEVICE_DISABLED"):
        system.cloud.skerryctl(*call)
    system.cloud.skerryctl("device", "enable", "lamp-3", *system.cloud.device_flags)
    wait.until("the lamp to be called again", lambda: _works(system, call), 30)


def _works(system, call):
    try:
        return system.cloud.skerryctl(*call).startswith("status 200")
    except RuntimeError:
        return False


def test_an_mqtt_device(system, node, mqtt):
    """[devices-4] KubeEdge's topics: a reported value goes to the cloud, a desired one comes as delta."""
    wait.until("eventbus-svc to be ready", node.eventbus.ready, 30)
    heard = mqtt.subscribe("$hw/events/device/default/pump-1/#")
    system.kubectl.apply(devices.model("pump", ("speed", "INT", "ReadWrite"), ("level", "FLOAT", "ReadOnly")),
                         devices.device("pump-1", "pump", "edge-1", speed="5", level=None))
    wait.until("the delta", lambda: any(
        topic.endswith("/twin/update/delta") and payload["delta"].get("speed") == "5" for topic, payload in heard), 30)
    mqtt.publish("$hw/events/device/default/pump-1/twin/update",
                 {"event_id": "e1", "timestamp": 1, "twin": {"speed": {"actual": {"value": "5"}}}})
    await_reported(system, "pump-1", speed="5")
    mqtt.publish("$hw/events/device/default/pump-1/twin/update",
                 {"event_id": "e2", "timestamp": 1, "twin": {"level": {"actual": {"value": "1.5"}}}})
    await_reported(system, "pump-1", level="1.5")


OUTAGE_UPDATES = 2000
OUTAGE_SECONDS = float(os.environ.get("SKERRY_E2E_OUTAGE", "60"))


def test_an_outage_loses_no_reading(system, node, mqtt):
    """[devices-5] A3, D2: what a device reports while the cloud is away arrives once, in order, with its own times, and
    the last value is the one that stands."""
    system.kubectl.apply(devices.model("counter", ("count", "INT", "ReadOnly")),
                         devices.device("counter-1", "counter", "edge-1", count=None))
    topic = "$hw/events/device/default/counter-1/twin/update"

    def update(number):
        return {"event_id": f"c{number}", "timestamp": 1, "twin": {"count": {"actual": {"value": str(number)}}}}

    wait.until("the box to have the device", lambda: _heard_back(mqtt, topic, update(0)), 60)
    await_reported(system, "counter-1", count="0")
    system.cloud.kill()
    begin = time.time() * 1000
    device = mqtt.stream(topic)
    for number in range(1, OUTAGE_UPDATES + 1):
        device.stdin.write(json.dumps(update(number)) + "\n")
        device.stdin.flush()
        time.sleep(OUTAGE_SECONDS / OUTAGE_UPDATES)  # The device's rhythm: it waits for nothing.
    device.stdin.close()
    assert device.wait(20) == 0
    wait.until("the box to have all",
               lambda: _property(node, "counter-1", "count").reported.value == str(OUTAGE_UPDATES), 60)
    end = time.time() * 1000
    system.cloud.start()
    await_reported(system, "counter-1", timeout=90, count=str(OUTAGE_UPDATES))
    api = devices.DeviceApi(system.cloud)
    try:
        wait.until("all readings", lambda: len(api.readings("counter-1", "count")) > OUTAGE_UPDATES, 60, 0.5)
        readings = api.readings("counter-1", "count")
    finally:
        api.close()
    assert [value for _, value in readings] == [str(number) for number in range(OUTAGE_UPDATES + 1)]
    times = [at for at, _ in readings[1:]]
    assert times == sorted(times) and begin - 1 <= times[0] and times[-1] <= end + 1, "of the box, when it took them"


def _property(node, device, name):
    """A property of a device's twin, as its box has it."""
    channel = stubs.unix_channel(node.run_dir / "twin.sock")
    try:
        return stubs.twin.TwinServiceStub(channel).GetTwin(stubs.twin.GetTwinRequest(
            name=f"namespaces/default/devices/{device}/twin"), timeout=20).properties[name]
    finally:
        channel.close()


def _desire_on_box(node, device, name, value):
    """Sets a desired value as a local program does."""
    channel = stubs.unix_channel(node.run_dir / "twin.sock")
    try:
        request = stubs.twin.WriteTwinRequest(name=f"namespaces/default/devices/{device}/twin", writer="panel")
        request.desired[name].value = value
        stubs.twin.TwinServiceStub(channel).WriteTwin(request, timeout=20)
    finally:
        channel.close()


def _heard_back(mqtt, topic, payload):
    """Whether the box takes an update: it answers with an error while it does not know the device."""
    heard = mqtt.subscribe(f"{topic}/result")
    mqtt.publish(topic, payload)
    wait.until("an answer", lambda: heard, 20)
    return "code" not in heard[-1][1]


def test_what_the_box_desires_offline_merges_by_the_rule(system, node):
    """[devices-9] A4: without the cloud people on the box set what their device does; it holds when the link is back,
    until the cloud declares another value: then that counts, and the conflict is there to be seen."""
    devices.desire(system.kubectl, "room-3", "target", "20")
    await_reported(system, "room-3", target="20.00")
    node.edgehub.kill()
    _desire_on_box(node, "room-3", "target", "26")
    wait.until("the device to obey the box", lambda: _property(node, "room-3", "target").reported.value == "26.00", 30)
    node.edgehub.start()
    await_reported(system, "room-3", target="26.00")
    assert _property(node, "room-3", "target").desired.value == "26"

    node.edgehub.kill()
    _desire_on_box(node, "room-3", "target", "27")
    devices.desire(system.kubectl, "room-3", "target", "19")
    node.edgehub.start()
    await_reported(system, "room-3", target="19.00")
    conflict = _property(node, "room-3", "target").conflict
    assert (conflict.local.value, conflict.local.writer, conflict.cloud.value) == ("27", "panel", "19")
    twins = system.kubectl.get("devicestatus", "room-3")["status"]["twins"]
    target = next(twin for twin in twins if twin["propertyName"] == "target")
    assert target["observedDesired"]["value"] == "19" and "27" in json.dumps(target), target


def test_a_device_moves_to_another_node(system, node):
    """[devices-6] The new box has it, the former lets it go; what is known of it stays."""
    other = system.make_node("edge-2", runtime=False)
    other.make_mapper("virtual")
    system.add_node("edge-2", runtime=False)
    devices.desire(system.kubectl, "room-3", "target", "22")
    await_reported(system, "room-3", target="22.00")
    system.kubectl("patch", "device", "room-3", "--type=merge", "-p", '{"spec":{"nodeName":"edge-2"}}')
    wait.until("the new box to have it", lambda: other.twin.metric("skerry_twin_devices") == 1, 60)
    devices.desire(system.kubectl, "room-3", "target", "24")
    await_reported(system, "room-3", target="24.00")
    wait.until("the former to have let it go", lambda: "room-3" not in _twins(node), 60)


def test_a_device_is_deleted_while_its_node_is_away(system, node):
    """[devices-7] The box forgets it when it hears of it, and its DeviceStatus goes with it."""
    wait.until("the lamp to be there", lambda: "lamp-3" in _twins(node), 30)
    node.edgehub.kill()
    system.kubectl("delete", "device", "lamp-3")
    assert "lamp-3" in _twins(node), "the box lives on what it knows"
    node.edgehub.start()
    wait.until("the box to have let it go", lambda: "lamp-3" not in _twins(node), 60)
    wait.until("the status to go", lambda: not system.kubectl.exists("devicestatus", "lamp-3"), 60)


def _twins(node):
    """Names of the devices that a box has twins of."""
    channel = stubs.unix_channel(node.run_dir / "twin.sock")
    try:
        page = stubs.twin.TwinServiceStub(channel).ListTwins(stubs.twin.ListTwinsRequest(page_size=1000), timeout=20)
        return {twin.name.split("/")[3] for twin in page.twins}
    finally:
        channel.close()
