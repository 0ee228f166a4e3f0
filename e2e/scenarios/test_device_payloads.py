"""What a device must not be able to do, in the whole system: whatever it publishes, it is answered with an error where
KubeEdge has an answer, and nothing is another thing than before, on the box and in the cloud."""

import json

import pytest
from cluster import wait

from harness import devices

OVEN = "$hw/events/device/default/oven-1"


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """A box with a broker and a device whose model has bounds; both sides of a property are known."""
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.broker.configure()
    system.add_node("edge-1", runtime=False)
    oven = devices.model("oven", ("target", "INT", "ReadWrite"), ("heat", "FLOAT", "ReadOnly"),
                         ("lit", "BOOLEAN", "ReadWrite"))
    oven["spec"]["properties"][0].update(minimum="0", maximum="300")
    system.kubectl.apply(oven, devices.device("oven-1", "oven", "edge-1", target="200", heat=None, lit=None))
    wait.until("the box to have the device", lambda: box.twin.metric("skerry_twin_devices") == 1, 60)
    return box


@pytest.fixture(scope="module", name="mqtt")
def fixture_mqtt(system, node):
    """A client of the box's broker, and a first report, which is there in the cloud."""
    client = devices.MqttClient(node.broker)
    client.publish(f"{OVEN}/twin/update", {"twin": {"target": {"actual": {"value": "190"}},
                                                    "heat": {"actual": {"value": "180.5"}}}})
    wait.until("the first report", lambda: devices.reported(system.kubectl, "oven-1") == {
        "target": "190", "heat": "180.5"}, 60, 0.2)
    yield client
    client.close()


def everything(system, mqtt):
    """Every value of the device: on the box, in its DeviceStatus, in the cloud's twin and among its readings."""
    heard = mqtt.subscribe(f"{OVEN}/twin/get/result")
    mqtt.publish(f"{OVEN}/twin/get", {"event_id": "all"})
    wait.until("the twin", lambda: heard, 20)
    box = {name: {side: (entry.get(side) or {}).get("value") for side in ("expected", "actual")}
           for name, entry in heard[0][1]["twin"].items()}
    status = {twin["propertyName"]: {side: twin.get(side, {}).get("value") for side in ("observedDesired", "reported")}
              for twin in system.kubectl.get("devicestatus", "oven-1")["status"]["twins"]}
    api = devices.DeviceApi(system.cloud)
    try:
        cloud = {name: (entry.desired.value, entry.reported.value) for name, entry in api.twin("oven-1").properties.items()}
        readings = {name: {value for _, value in api.readings("oven-1", name)} for name in ("target", "heat", "lit")}
    finally:
        api.close()
    return box, status, cloud, readings


def actual(**values):
    """An update of reported values."""
    return json.dumps({"event_id": "e", "twin": {name: {"actual": {"value": value}} for name, value in values.items()}})


def expected(**values):
    """An update of desired values."""
    return json.dumps({"event_id": "e", "twin": {name: {"expected": {"value": value}} for name, value in values.items()}})


BAD_UPDATES = {
    "no JSON": b"temp=18",
    "half of it": b'{"event_id":"e","twin":{"target":',
    "empty": b"",
    "not UTF-8": b'{"event_id":"e","twin":{"target":{"actual":{"value":"\xff\xfe"}}}}',
    "nested": b"[" * 5000,
    "no twin": b'{"event_id":"e"}',
    "another type of JSON": b'{"event_id":"e","twin":[1]}',
    "a number that is none": actual(heat="warm").encode(),
    "a boolean that is none": actual(lit="perhaps").encode(),
    "a good one beside a bad one": actual(target="100", heat="warm").encode(),
    "out of range": expected(target="301").encode(),
    "a desired value of what can only be read": expected(heat="5").encode(),
    "too large": actual(target="1" * (300 << 10)).encode(),
}


@pytest.mark.parametrize("payload", BAD_UPDATES.values(), ids=BAD_UPDATES.keys())
def test_a_bad_update_is_answered_and_changes_nothing(system, node, mqtt, payload):
    """[payloads-1] With code, reason and the event id where there is one."""
    before = everything(system, mqtt)
    heard = mqtt.subscribe(*[f"{OVEN}/twin/update/{kind}" for kind in ("result", "document", "delta")])
    mqtt.publish_raw(f"{OVEN}/twin/update", payload)
    wait.until("the answer", lambda: heard, 20)
    topic, answer = heard[0]
    assert topic == f"{OVEN}/twin/update/result"
    assert answer["code"] == 400 and answer["reason"], answer
    # What comes next is good, and comes after it: so nothing of the bad one is on its way.
    mqtt.publish(f"{OVEN}/twin/update", {"event_id": "same", "twin": {"target": {"actual": {"value": "190"}}}})
    wait.until("the next answer", lambda: [a for t, a in heard if t.endswith("/result") and a["event_id"] == "same"], 20)
    assert everything(system, mqtt) == before


def test_devices_that_are_not_there(node, mqtt):
    """[payloads-2] Answered on their own topics: whoever asks for them learns it."""
    ghost = "$hw/events/device/default/ghost-1"
    heard = mqtt.subscribe(f"{ghost}/twin/update/result", f"{ghost}/twin/get/result")
    mqtt.publish_raw(f"{ghost}/twin/update", actual(target="1").encode())
    mqtt.publish(f"{ghost}/twin/get", {"event_id": "g"})
    wait.until("the answers", lambda: len(heard) == 2, 20)
    answers = {topic.removeprefix(ghost): answer for topic, answer in heard}
    assert answers["/twin/update/result"]["code"] == answers["/twin/get/result"]["code"] == 404
    assert node.twin.metric("skerry_twin_devices") == 1


def test_topics_that_are_none_of_ours(system, node, mqtt):
    """[payloads-3] Names that Kubernetes could not have, and other nodes: ignored and counted."""
    before = everything(system, mqtt)
    counter = 'skerry_eventbus_messages_refused_total{reason="topic"}'
    refused = node.eventbus.metric(counter)
    mqtt.publish_raw("$hw/events/device/default/OVEN/twin/update", actual(target="1").encode())
    mqtt.publish_raw("$hw/events/node/edge-9/membership/get", b"{}")
    mqtt.publish_raw(f"{OVEN}/twin/update/result", actual(target="1").encode())  # Ours to say, not to hear.
    wait.until("both to be counted", lambda: node.eventbus.metric(counter) == refused + 2, 20)
    assert everything(system, mqtt) == before
