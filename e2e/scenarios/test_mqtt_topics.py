"""Every MQTT topic of KubeEdge's edge core in a whole system: what is answered, field by field, and what the cloud has
of it. The transcripts are KubeEdge's own."""

import json
import re
import time

import pytest
from cluster import wait

from harness import devices
from harness.mqtt_topics import Answers, plain
from harness.rules import Peer
from harness.stubs import grpc

MEMBERSHIP = "$hw/events/node/edge-1/membership"


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One box with a broker, without containers and mappers."""
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.broker.configure()
    system.add_node("edge-1", runtime=False)
    system.kubectl.apply(devices.model("thermometer", ("temp", "INT", "ReadWrite"), ("level", "FLOAT", "ReadOnly")))
    wait.until("eventbus-svc to be ready", box.eventbus.ready, 30)
    return box


@pytest.fixture(name="mqtt")
def fixture_mqtt(node):
    """A client of the box's broker."""
    client = devices.MqttClient(node.broker)
    yield client
    client.close()


@pytest.fixture(name="answers")
def fixture_answers(mqtt):
    """What the box publishes during the test."""
    return Answers(mqtt)


@pytest.fixture(name="cloud_twin")
def fixture_cloud_twin(system):
    """A device's properties as device-controller-svc has them."""
    api = devices.DeviceApi(system.cloud)
    yield lambda name: api.twin(name).properties
    api.close()


class Device:
    """A device of the test's own, which the box has: a name for its topics, and requests on them."""

    def __init__(self, system, mqtt, answers, name, **desired):
        self.name = name
        self._mqtt, self._answers = mqtt, answers
        self.since = time.time() * 1000
        system.kubectl.apply(devices.device(name, "thermometer", "edge-1", **desired))
        self.announced = answers.next(f"{MEMBERSHIP}/updated", 60)

    def topic(self, suffix):
        """A topic of the device."""
        return f"$hw/events/device/default/{self.name}/{suffix}"

    def publish(self, suffix, payload):
        """A request."""
        self._mqtt.publish(self.topic(suffix), payload)

    def hear(self, suffix, timeout=20):
        """The next answer on a topic, without times."""
        return plain(self._answers.next(self.topic(suffix), timeout), self.since)


def value(text, **metadata):
    """One side of a property as KubeEdge writes it."""
    return {"value": text, "metadata": {"timestamp": "T", **metadata}}


def test_update_is_answered_with_result_document_and_delta(system, mqtt, answers, cloud_twin):
    """[topics-1] KubeEdge's transcript of twin/update: new property, mended delta, wrong type, removal; the cloud's twin follows."""
    device = Device(system, mqtt, answers, "temp-1")
    device.publish("twin/update", {"event_id": "e1", "timestamp": 1, "twin": {
        "rate": {"expected": {"value": "20"}, "actual": {"value": "18"}, "metadata": {"type": "int"}}}})
    first = {"expected": value("20"), "actual": value("18"), "optional": True, "metadata": {"type": "int"}}
    assert device.hear("twin/update/result") == {"event_id": "e1", "timestamp": "T", "twin": {"rate": first}}
    assert device.hear("twin/update/document") == {
        "event_id": "e1", "timestamp": "T", "twin": {"rate": {"last": None, "current": first}}}
    assert device.hear("twin/update/delta") == {
        "event_id": "<uuid>", "timestamp": "T", "twin": {"rate": first}, "delta": {"rate": "20"}}

    device.publish("twin/update", {"event_id": "e2", "twin": {"rate": {"actual": {"value": "20"}}}})
    second = {**first, "actual": value("20")}
    assert device.hear("twin/update/result") == {"event_id": "e2", "timestamp": "T", "twin": {
        "rate": {"actual": value("20"), "optional": True, "metadata": {"type": "int"}}}}
    assert device.hear("twin/update/document") == {
        "event_id": "e2", "timestamp": "T", "twin": {"rate": {"last": first, "current": second}}}
    wait.until("the cloud to have it", lambda: cloud_twin("temp-1")["rate"].reported.value == "20", 30)

    device.publish("twin/update", {"event_id": "e3", "twin": {"rate": {"actual": {"value": "abc"}}}})
    assert device.hear("twin/update/result") == {
        "event_id": "e3", "timestamp": "T", "code": 400, "reason": "the value is not int or integer"}

    device.publish("twin/update", {"event_id": "e4", "twin": {}})
    assert device.hear("twin/update/result") == {"event_id": "e4", "timestamp": "T", "twin": {}}

    device.publish("twin/update", {"event_id": "e7", "twin": {"rate": None}})
    assert device.hear("twin/update/result") == {"event_id": "e7", "timestamp": "T", "twin": {"rate": None}}
    assert device.hear("twin/update/document") == {
        "event_id": "e7", "timestamp": "T", "twin": {"rate": {"last": second, "current": None}}}
    wait.until("the cloud to have it no more", lambda: "rate" not in cloud_twin("temp-1"), 30)
    assert not answers.left(), "what changes nothing has a result alone; what differs no more has no delta"


def test_what_the_cloud_desires_is_told_and_what_is_reported_ends_the_delta(system, mqtt, answers):
    """[topics-2] kubectl changes what is desired: the device is told the property before and after, and what differs. What it
    reports is in its DeviceStatus, and twin/get has the whole."""
    device = Device(system, mqtt, answers, "temp-2", temp="20", level=None)

    def temp(expected, **actual):
        return {"expected": value(expected), **actual, "optional": True, "metadata": {"type": "string"}}

    assert device.hear("twin/update/delta") == {
        "event_id": "<uuid>", "timestamp": "T", "twin": {"temp": temp("20")}, "delta": {"temp": "20"}}
    devices.desire(system.kubectl, "temp-2", "temp", "25")
    assert device.hear("twin/update/document") == {
        "event_id": "<uuid>", "timestamp": "T", "twin": {"temp": {"last": temp("20"), "current": temp("25")}}}
    assert device.hear("twin/update/delta") == {
        "event_id": "<uuid>", "timestamp": "T", "twin": {"temp": temp("25")}, "delta": {"temp": "25"}}

    device.publish("twin/update", {"event_id": "e1", "timestamp": 1, "twin": {
        "temp": {"actual": {"value": "25"}}, "level": {"actual": {"value": "1.5"}}}})
    level = {"actual": value("1.5"), "optional": True, "metadata": {"type": "string"}}
    assert device.hear("twin/update/result") == {"event_id": "e1", "timestamp": "T", "twin": {
        "level": level, "temp": {"actual": value("25"), "optional": True, "metadata": {"type": "string"}}}}
    reported = temp("25", actual=value("25"))
    assert device.hear("twin/update/document") == {"event_id": "e1", "timestamp": "T", "twin": {
        "level": {"last": None, "current": level}, "temp": {"last": temp("25"), "current": reported}}}

    device.publish("twin/get", {"event_id": "g1", "timestamp": 7})
    assert device.hear("twin/get/result") == {
        "event_id": "g1", "timestamp": "T", "twin": {"level": level, "temp": reported}}
    device.publish("twin/get", {})
    assert device.hear("twin/get/result")["event_id"] == "<uuid>"
    assert not answers.left(), "what differs no more has no delta"

    status = system.kubectl.wait_for("devicestatus", "temp-2", "reported", lambda s: {
        twin["propertyName"]: twin.get("reported", {}).get("value") for twin in s["status"]["twins"]} == {
            "temp": "25", "level": "1.5"}, 30)
    for twin in status["status"]["twins"]:
        metadata = twin["reported"]["metadata"]
        assert metadata["type"] == {"temp": "int", "level": "float"}[twin["propertyName"]], twin
        assert device.since - 1 <= int(metadata["timestamp"]) <= time.time() * 1000 + 1, twin


def test_devices_that_nobody_declared(system, mqtt, answers, cloud_twin):
    """[topics-3] update and get are answered with 404 and KubeEdge's texts, a state with nothing; no twin comes of it."""
    topic = "$hw/events/device/default/ghost"
    since = time.time() * 1000
    mqtt.publish(f"{topic}/state/update", {"event_id": "s1", "state": "online"})
    mqtt.publish(f"{topic}/twin/update", {"event_id": "e12", "twin": {"x": {"actual": {"value": "1"}}}})
    assert plain(answers.next(f"{topic}/twin/update/result"), since) == {
        "event_id": "e12", "timestamp": "T", "code": 404, "reason": "update rejected due to the device is not existed"}
    mqtt.publish(f"{topic}/twin/get", {"event_id": "g2"})
    assert plain(answers.next(f"{topic}/twin/get/result"), since) == {
        "event_id": "g2", "timestamp": "T", "code": 404,
        "reason": "Device default/ghost not found while getting twin"}
    assert not answers.left()
    with pytest.raises(grpc.RpcError) as refused:
        cloud_twin("ghost")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert not system.kubectl.exists("devicestatus", "ghost")


def test_state_is_answered_and_is_in_the_device_status(system, node, mqtt, answers):
    """[topics-4] state/update: online has a time, offline none; a state that KubeEdge does not know is ignored."""
    device = Device(system, mqtt, answers, "temp-4")
    device.publish("state/update", {"event_id": "s1", "timestamp": 1, "state": "online"})
    result = device.hear("state/update/result")
    seen = result["device"].pop("lastOnlineTime")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen)
    assert result == {"event_id": "<uuid>", "timestamp": "T", "device": {"name": "temp-4", "state": "online"}}
    status = system.kubectl.wait_for("devicestatus", "temp-4", "online",
                                     lambda s: s["status"].get("state") == "online", 30)["status"]
    assert status["lastOnlineTime"] == seen

    ignored = node.eventbus.metric("skerry_eventbus_messages_refused_total", reason="invalid")
    device.publish("state/update", {"event_id": "s2", "state": "sleepy"})
    device.publish("state/update", {"event_id": "s3", "state": "offline"})
    assert device.hear("state/update/result") == {
        "event_id": "<uuid>", "timestamp": "T", "device": {"name": "temp-4", "state": "offline"}}
    assert node.eventbus.metric("skerry_eventbus_messages_refused_total", reason="invalid") == ignored + 1
    status = system.kubectl.wait_for("devicestatus", "temp-4", "offline",
                                     lambda s: s["status"].get("state") == "offline", 30)["status"]
    assert status["lastOnlineTime"] == seen, "when it was last online stays"
    assert not answers.left()


def test_membership_is_announced_and_answered(system, node, mqtt, answers):
    """[topics-5] Devices that come and go are told, one at a time; membership/get has all of this node's, and is answered
    for this node alone."""
    since = time.time() * 1000
    system.kubectl.apply(devices.device("temp-5", "thermometer", "edge-1"))
    own = {"id": "default/temp-5", "name": "temp-5"}
    assert plain(answers.next(f"{MEMBERSHIP}/updated", 60), since) == {
        "event_id": "<uuid>", "timestamp": "T", "added_devices": [own], "removed_devices": None}

    refused = node.eventbus.metric("skerry_eventbus_messages_refused_total", reason="topic")
    state = "$hw/events/device/default/temp-5/state/update"
    mqtt.publish(state, {"event_id": "s1", "state": "ok"})
    seen = answers.next(f"{state}/result")["device"]["lastOnlineTime"]
    mqtt.publish("$hw/events/node/edge-2/membership/get", {"event_id": "m0"})
    mqtt.publish(f"{MEMBERSHIP}/get", {"event_id": "m1", "timestamp": 1})
    names = sorted(item["metadata"]["name"] for item in system.kubectl.get("devices")["items"])
    listed = plain(answers.next(f"{MEMBERSHIP}/get/result"), since)
    assert {**own, "state": "ok", "lastOnlineTime": seen} in listed["devices"]
    for device in listed["devices"]:
        device.pop("state", None)
        device.pop("lastOnlineTime", None)
    assert listed == {"event_id": "m1", "timestamp": "T", "devices": [
        {"id": f"default/{name}", "name": name} for name in names]}, "without twins"
    assert node.eventbus.metric("skerry_eventbus_messages_refused_total", reason="topic") == refused + 1

    system.kubectl("delete", "device", "temp-5")
    assert plain(answers.next(f"{MEMBERSHIP}/updated", 60), since) == {
        "event_id": "<uuid>", "timestamp": "T", "added_devices": None, "removed_devices": [own]}
    assert not answers.left()


def test_topics_that_are_no_requests_of_devices(system, node, mqtt, answers, cloud_twin):
    """[topics-6] What KubeEdge has a name for and no handler, and what mappers publish for each other: no answer, no change."""
    device = Device(system, mqtt, answers, "temp-6", temp=None)
    lie = {"event_id": "x1", "timestamp": 1, "twin": {"temp": {"actual": {"value": "99"}}}}
    mqtt.publish(device.topic("twin/cloud_updated"), lie)
    mqtt.publish(device.topic("twin/edge_updated"), lie)
    mqtt.publish(device.topic("state/get"), {"event_id": "x2"})
    mqtt.publish(f"{MEMBERSHIP}/detail", {"event_id": "x3"})
    mqtt.publish("$hw/events/disconnected/temp-6", {"event_id": "x4"})
    mqtt.publish("$ke/events/device/default/temp-6/data/update",
                 {"event_id": "x5", "timestamp": 1, "data": {"temp": {"value": "99", "metadata": {"timestamp": 1}}}})
    device.publish("twin/update", {"event_id": "e1", "twin": {"level": {"actual": {"value": "2.5"}}}})
    assert device.hear("twin/update/result")["event_id"] == "e1"
    device.hear("twin/update/document")
    device.publish("twin/get", {"event_id": "g1"})
    assert list(device.hear("twin/get/result")["twin"]) == ["level"]
    assert not answers.left()
    wait.until("the cloud to have the last", lambda: cloud_twin("temp-6")["level"].reported.value == "2.5", 30)
    assert "temp" not in cloud_twin("temp-6") or not cloud_twin("temp-6")["temp"].HasField("reported")


def rule(name, source, source_resource, target, target_resource):
    """A Rule."""
    return {"apiVersion": "rules.kubeedge.io/v1", "kind": "Rule", "metadata": {"name": name, "namespace": "default"},
            "spec": {"source": source, "sourceResource": source_resource, "target": target,
                     "targetResource": target_resource}}


def endpoint(name, kind):
    """A RuleEndpoint."""
    return {"apiVersion": "rules.kubeedge.io/v1", "kind": "RuleEndpoint",
            "metadata": {"name": name, "namespace": "default"}, "spec": {"ruleEndpointType": kind}}


@pytest.fixture(name="target")
def fixture_target():
    """Where rules post to."""
    peer = Peer()
    yield peer
    peer.kill()


def test_what_programs_upload_goes_to_the_cloud(system, node, mqtt, target):
    """[topics-7] $hw/events/upload/#, SYS/dis/upload_records, +/user/# and the topics of rules: each message is in the cloud once,
    in order, and at the URL of its rule, if it has one, with topic and node."""
    system.kubectl.apply(
        endpoint("rest", "rest"), endpoint("mqtt", "eventbus"),
        rule("alarms", "mqtt", {"topic": "user/alarm", "node_name": "edge-1"}, "rest", {"resource": f"{target.url}/alarms"}),
        rule("boiler", "mqtt", {"topic": "boiler", "node_name": "edge-1"}, "rest", {"resource": f"{target.url}/boiler"}))
    router = system.cloud.router
    wait.until("the rules to be valid", lambda: router.metric("skerry_router_rules", state="valid") >= 2, 30)

    def first():
        mqtt.publish("default/boiler", {"of": "first"})
        return target.requests

    wait.until("the box to have the rules", first, 30)
    before = router.metric("skerry_router_events_total", result="unrouted")
    for topic in ("$hw/events/upload/photos/1", "SYS/dis/upload_records", "plant/user/other", "default/user/alarm",
                  "default/boiler"):
        mqtt.publish(topic, {"of": topic})
    def posts():
        return [(request.path, request.headers["skerry-source"], request.headers["skerry-node"], json.loads(request.body))
                for request in target.asked("/") if json.loads(request.body) != {"of": "first"}]

    wait.until("all to arrive", lambda: len(posts()) >= 2, 30)
    assert sorted(posts()) == [
        ("/alarms", "default/user/alarm", "edge-1", {"of": "default/user/alarm"}),
        ("/boiler", "default/boiler", "edge-1", {"of": "default/boiler"})], "each once, though several filters match"
    assert router.metric("skerry_router_events_total", result="unrouted") == before + 3


def test_what_the_cloud_publishes_is_heard_on_the_box(system, mqtt, answers):
    """[topics-8] A request of the cloud for a rule's path is a message on the rule's topic, which has what is beyond the path."""
    system.kubectl.apply(endpoint("rest", "rest"), endpoint("mqtt", "eventbus"),
                         rule("led", "rest", {"path": "/led"}, "mqtt", {"topic": "default/led"}))
    wait.until("the rule to hold", lambda: system.cloud.rest("edge-1", "led", "-d", '{"on":true}')[0] == 200, 30)
    assert answers.next("default/led") == {"on": True}
    assert system.cloud.rest("edge-1", "led/3", "-d", '{"on":false}')[0] == 200
    assert answers.next("default/led/3") == {"on": False}
    assert system.cloud.rest("edge-1", "none", "-d", "{}")[0] == 404
