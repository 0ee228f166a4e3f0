"""KubeEdge's rules end to end: HTTP requests of the cloud to MQTT and to a service of the box, MQTT messages and posts
of the box to URLs, as examples/rules.yaml has them."""

import base64
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest
from cluster import wait

from harness import rules, stubs
from harness.plant import ORDERS, PROBE, built
from harness.stubs import grpc

KILLS = int(os.environ.get("SKERRY_E2E_KILLS", "50"))  # Of each service.


@pytest.fixture(scope="module", name="built_plant")
def fixture_built_plant(system):
    """The plant that the scenarios of this file share."""
    with built(system) as plant:
        yield plant


@pytest.fixture(name="plant")
def fixture_plant(built_plant):
    """The plant as it is after a good night."""
    built_plant.reset()
    return built_plant


@pytest.fixture(name="letters")
def fixture_letters(plant):
    """Those of the plant."""
    return plant.letters


def test_the_cloud_publishes_on_the_box(plant):
    """[rules-2] rest to eventbus: answered when the broker has it; what is beyond the rule's path is appended."""
    heard = plant.mqtt.subscribe("default/lights/#", "lights/#")
    assert plant.rest("lights/hall", "-d", '{"on":true}') == (200, "message delivered\n")
    wait.until("the message on the box", lambda: heard, 20)
    assert heard == [("lights/hall", {"on": True})]
    plant.node.broker.stop()
    status, body = plant.rest("lights/hall", "-d", "{}")
    assert status == 503 and body.startswith("MQTT_"), body
    plant.node.broker.start()
    wait.until("eventbus-svc to be ready", plant.node.eventbus.ready, 30)
    assert plant.rest("lights", "-d", "1")[0] == 200
    wait.until("the rule's status",
               lambda: plant.count("lights") >= 2 and plant.count("lights", "failMessages") >= 1, 20)


def test_the_cloud_calls_a_service_of_the_box(plant):
    """[rules-3] rest to servicebus: the service's own status and body come back; it is called once, also where the
    caller repeats itself; and the box has the last word."""
    plant.service.answer = lambda request: (418, f"a teapot, {request.body}")
    key = ("-H", "Idempotency-Key: order 7", "-H", "X-Shift: night", "-H", "Cookie: secret")
    for _ in range(2):
        assert plant.rest("panel/state?deep=1", "-d", "short and stout", *key) == (418, "a teapot, short and stout")
    asked = plant.service.requests
    assert [(r.method, r.path, r.key, r.headers["x-shift"]) for r in asked] == [
        ("POST", "/api/state?deep=1", "order 7", "night")]
    assert "cookie" not in asked[0].headers
    assert plant.rest("panel/state") == (418, "a teapot, ")
    status, body = plant.rest("panel/state", "-X", "DELETE")
    assert status == 403 and "CALL_NOT_ALLOWED" in body
    plant.service.kill()
    status, body = plant.rest("panel/state")
    assert status == 503 and "HTTP_UNREACHABLE" in body
    assert len(plant.service.asked("/api")) == 2


class Caller(threading.Thread):
    """A request of the cloud, by `rest`, that its service is in no hurry to answer."""

    def __init__(self, plant, rest):
        super().__init__(daemon=True)
        self.release = threading.Event()
        self.end = None  # Status and body, or the error.
        self._rest = rest
        plant.service.answer = self._answer
        self.start()
        wait.until("the service to be called", lambda: plant.service.requests, 30)

    def _answer(self, _request):
        assert self.release.wait(60)
        return 200, "at last"

    def run(self):
        try:
            self.end = self._rest()
        except RuntimeError as error:
            self.end = error


def test_router_svc_dies_during_a_call(plant):
    """[rules-4] Its caller's connection breaks; asked again with the key, the call goes on, and was made once."""
    flags = ("panel/slow", "-d", "start", "-H", "Idempotency-Key: start 1")
    caller = Caller(plant, lambda: plant.system.cloud.rest("edge-1", *flags))
    plant.system.cloud.router.kill()
    caller.join(30)
    assert isinstance(caller.end, RuntimeError), caller.end
    plant.system.cloud.router.start()
    again = Caller(plant, lambda: plant.rest(*flags))
    caller.release.set()
    again.release.set()
    again.join(60)
    assert again.end == (200, "at last")
    assert len(plant.service.requests) == 1


def test_servicebus_svc_dies_during_a_call(plant):
    """[rules-5] Nobody knows whether the service did it, and that is what the caller hears."""
    caller = Caller(plant, lambda: plant.system.cloud.rest("edge-1", "panel/slow", "-d", "start"))
    plant.node.servicebus.kill()
    plant.node.servicebus.start()
    caller.join(60)
    caller.release.set()
    assert caller.end[0] == 500 and "COMMAND_OUTCOME_UNKNOWN" in caller.end[1], caller.end
    assert len(plant.service.requests) == 1
    plant.service.answer = rules.yes
    wait.until("calls to be taken again", lambda: plant.rest("panel/state")[0] == 200, 30)


def test_who_may_ask(plant):
    """[rules-6] Nothing is told to who has no certificate; and what has no rule or no node is told."""
    cloud = plant.system.cloud
    status, body = cloud.rest("edge-1", "nothing/here")
    assert status == 404 and "NO_RULE" in body
    status, body = cloud.rest("edge-9", "panel/state")
    assert status == 503 and "NODE_NOT_CONNECTED" in body
    done = cloud.host.command("curl", "-sS", "--max-time", "20", "--cacert", str(cloud.clients / "ca.crt"), "-w",
                              "\n%{http_code}", f"https://{cloud.router.addresses['rest']}/edge-1/default/panel")
    assert _output(done).endswith("\n401")


def _output(command):
    return subprocess.run(command, text=True, check=True, stdout=subprocess.PIPE, timeout=60).stdout


def test_what_the_box_says_is_posted(plant):
    """[rules-7] eventbus to rest and servicebus to rest: with what they said, in order, and with where it is from."""
    before = {rule: plant.count(rule) for rule in ("alarms", "orders")}
    for number in range(20):
        plant.alarm(number)
    plant.await_posted("/alarms", [str(number) for number in range(20)])
    answer = plant.order("seven pipes")
    assert answer == {"code": 200, "msg": "stored, and sent to the cloud", "body": ""}
    assert plant.order({"pipes": 7})["code"] == 200
    plant.await_posted("/orders", ["seven pipes", '{"pipes":7}'])
    alarm, order = plant.target.asked("/alarms")[-1], plant.target.asked("/orders")[-1]
    assert (alarm.method, alarm.path) == ("POST", "/alarms")
    assert (alarm.headers["skerry-node"], alarm.headers["skerry-source"]) == ("edge-1", "default/alarms")
    assert (order.headers["skerry-source"], order.headers["content-type"]) == (ORDERS, "application/json")
    refused = rules.post_on_box(plant.node, "http://shop.example/else", "1")
    assert refused["code"] == 400 and "is not allowed" in refused["msg"]
    wait.until("the status of the rules", lambda: plant.count("alarms") >= before["alarms"] + 20
               and plant.count("orders") >= before["orders"] + 2, 20)


def test_the_box_is_away(plant):
    """[rules-8] What its clients say meanwhile arrives once, in order, when it is back; requests of the cloud are
    refused at once; and a rule that was made meanwhile is known."""
    heard = plant.mqtt.subscribe("lights/#")
    plant.system.cloud.hub.kill()
    for number in range(50):
        plant.alarm(number)
    for number in range(5):
        assert plant.order(f"order {number}")["code"] == 200
    began = time.monotonic()
    status, body = plant.system.cloud.rest("edge-1", "lights", "-d", "1")
    assert status == 503 and "NODE_NOT_CONNECTED" in body and time.monotonic() - began < 5
    plant.system.kubectl.apply(_rule("late", {"target_url": "http://late.example/", "node_name": "edge-1"}, "box",
                                     f"{plant.target.url}/late"))
    assert rules.post_on_box(plant.node, "http://late.example/", "x")["code"] == 400
    plant.system.cloud.hub.start()
    plant.await_posted("/alarms", [str(number) for number in range(50)])
    plant.await_posted("/orders", [f"order {number}" for number in range(5)])
    plant.await_allowed("http://late.example/")
    plant.system.kubectl("delete", "rule", "late")
    wait.until("the box to forget the rule",
               lambda: rules.post_on_box(plant.node, "http://late.example/", PROBE)["code"] == 400, 30)
    assert plant.rest("lights", "-d", "2")[0] == 200
    wait.until("the message on the box", lambda: heard, 20)
    assert heard == [("lights", 2)], "the refused one never comes"


def _rule(name, source_resource, source, url):
    return {"apiVersion": "rules.kubeedge.io/v1", "kind": "Rule", "metadata": {"name": name, "namespace": "default"},
            "spec": {"source": source, "sourceResource": source_resource, "target": "cloud",
                     "targetResource": {"resource": url}}}


def test_a_rule_that_does_not_work_says_why(plant):
    """[rules-9] As long as that is so. A changed rule counts; the box hears the topics that rules name, as long as
    they do."""
    topics = plant.node.eventbus.metric("skerry_eventbus_rule_topics")
    plant.system.kubectl.apply(_rule("bad", {"topic": "a/#/b", "node_name": "edge-1"}, "broker", plant.target.url))
    plant.system.kubectl.wait_for("rule", "bad", "refused", lambda rule: "spec.sourceResource.topic" in str(
        rule.get("status", {}).get("errors")), 20)
    plant.system.kubectl.apply(_rule("bad", {"topic": "a/+/b", "node_name": "edge-1"}, "broker",
                                     f"{plant.target.url}/mended"))
    plant.system.kubectl.wait_for("rule", "bad", "valid", lambda rule: not rule["status"]["errors"], 20)

    def posted():
        plant.mqtt.publish("default/a/1/b", PROBE)
        return plant.target.asked("/mended")

    wait.until("the rule to work", posted, 30)
    assert plant.target.asked("/mended")[0].headers["skerry-source"] == "default/a/1/b"
    assert plant.node.eventbus.metric("skerry_eventbus_rule_topics") == topics + 1
    plant.system.kubectl("delete", "rule", "bad")
    wait.until("the box to hear it no longer",
               lambda: plant.node.eventbus.metric("skerry_eventbus_rule_topics") == topics, 30)


def test_dead_letters(plant, letters):
    """[rules-10] What a target refuses is kept, with the reason; people replay it, with its key, or drop it."""
    failed = plant.count("alarms", "failMessages")
    plant.target.answer = lambda request: (422, "no") if request.body in ("2", "4") else (200, "")
    for number in range(6):
        plant.alarm(number)
    wait.until("the dead letters", lambda: len(letters.list("alarms")) == 2, 30)
    found = letters.list("alarms", page_size=1)
    assert [letter.payload for letter in found] == [b"2", b"4"]
    assert (found[0].rule, found[0].node, found[0].source) == ("namespaces/default/rules/alarms", "edge-1",
                                                              "default/alarms")
    assert found[0].error == "the target answered 422"
    assert letters.list("orders") == []
    wait.until("the others", lambda: plant.posted("/alarms") == ["0", "1", "2", "3", "4", "5"], 20)
    wait.until("the status", lambda: plant.count("alarms", "failMessages") == failed + 2, 20)

    plant.target.requests.clear()
    letters.replay(found[0].name)  # It is refused again.
    wait.until("the letter to be back", lambda: [letter.payload for letter in letters.list()] == [b"4", b"2"], 20)
    plant.target.answer = rules.yes
    letters.replay(letters.list()[1].name)
    wait.until("the letter to arrive", lambda: not [letter for letter in letters.list() if letter.payload == b"2"], 20)
    wait.until("the letter to be posted", lambda: len(plant.target.asked("/alarms")) == 2, 20)
    assert {request.key for request in plant.target.requests} == {found[0].key}
    letters.drop(found[1].name)
    assert letters.list() == []
    with pytest.raises(grpc.RpcError) as unknown:
        letters.replay(found[1].name)
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
    controller = rules.DeadLetters(plant.system.cloud, "edge-controller")
    with pytest.raises(grpc.RpcError) as denied:
        controller.list()
    assert denied.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_dead_letters_by_skerryctl(plant, letters):
    """[ctl-10.1] As the runbook has it: listed, replayed by id and by rule, dropped; what is not there is said."""
    cloud = plant.system.cloud

    def ctl(*argv, **options):
        return cloud.skerryctl("deadletter", *argv, f"--router={cloud.router.addresses['api']}", *cloud.operator_flags[1:], **options)

    assert ctl("list") == "No dead letters.\n"
    plant.target.answer = lambda request: (422, "no")
    for number in range(4):
        plant.alarm(number)
    wait.until("the dead letters", lambda: len(letters.list("alarms")) == 4, 30)
    listed = json.loads(ctl("list", "--rule=alarms", "--payloads", "-o", "json"))
    assert not listed["more"] and [base64.b64decode(each["payload"]) for each in listed["deadLetters"]] == [b"0", b"1", b"2", b"3"]
    ids = [each["name"].removeprefix("deadLetters/") for each in listed["deadLetters"]]
    table = ctl("list", "--rule=default/alarms").splitlines()
    assert table[0].split() == ["ID", "RULE", "NODE", "SOURCE", "BYTES", "DIED", "ERROR"]
    assert table[1].split()[:5] == [ids[0], "default/alarms", "edge-1", "default/alarms", "1"] and "answered 422" in table[1]
    assert ctl("list", "--limit=1").splitlines()[-1] == "There are more: --limit"
    assert ctl("list", "--rule=orders") == "No dead letters.\n"

    plant.target.answer = rules.yes
    plant.target.requests.clear()
    assert ctl("drop", ids[3]) == f"deadLetters/{ids[3]} dropped\n"
    assert ctl("replay", ids[0]) == f"deadLetters/{ids[0]} replayed\n"
    replayed = json.loads(ctl("replay", "--rule=alarms", "-o", "json"))
    assert replayed == {"replayed": [f"deadLetters/{ids[1]}", f"deadLetters/{ids[2]}"], "gone": [], "leftCount": 0, "unanswered": None}
    wait.until("the letters to be posted", lambda: plant.posted("/alarms") == ["0", "1", "2"], 20)
    assert [request.key for request in plant.target.asked("/alarms")] == [each["key"] for each in listed["deadLetters"][:3]]
    wait.until("no letter to be left", lambda: not letters.list(), 20)
    assert ctl("drop", "--all") == "No dead letters.\n"
    with pytest.raises(RuntimeError, match="DEAD_LETTER_UNKNOWN"):
        ctl("replay", ids[3])
    with pytest.raises(RuntimeError, match="--rule, or --all"):
        ctl("drop", ids[3], "--all")
    with pytest.raises(RuntimeError, match="--rule"):  # A namespace alone narrows nothing.
        ctl("drop", "--all", "--namespace=factory")


def test_ctrl_c_ends_the_work_on_dead_letters_between_two(plant, letters):
    """[ctl-10.1] Each is said as it is dropped; what the last line says is left is there."""
    cloud = plant.system.cloud
    flags = [f"--router={cloud.router.addresses['api']}", *cloud.operator_flags[1:]]
    count = 250
    plant.target.answer = lambda request: (422, "no")
    for number in range(count):
        plant.alarm(number)
    wait.until("the dead letters", lambda: len(letters.list("alarms")) == count, 60)
    # It stands still at a full pipe, long before the last. A background job's SIGINT may be ignored: not this one's.
    out, end = os.pipe()
    size = fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    command = ["env", "--default-signal=INT", plant.system.binaries["skerryctl"], "deadletter", "drop", "--all", *flags]
    with subprocess.Popen(command, stdout=end, stderr=subprocess.PIPE, text=True) as ctl, open(out, encoding="utf-8") as lines:
        os.close(end)
        wait.until("the pipe to be full", lambda: _held(lines) > size - 50, 30)
        ctl.send_signal(signal.SIGINT)
        *dropped, last = lines.read().splitlines()
        assert ctl.wait(20) == 1 and "[INTERRUPTED]" in ctl.stderr.read()
    left = [letter.name for letter in letters.list("alarms")]
    assert 0 < len(left) < count and len(dropped) == count - len(left)
    assert last == f"{len(dropped)} dropped, {len(left)} left"
    assert not {line.split()[0] for line in dropped} & set(left)
    said = cloud.skerryctl("deadletter", "drop", "--all", *flags).splitlines()
    assert len(said) == len(left) + 1 and said[-1] == f"{len(left)} dropped"
    assert not letters.list()


def _held(pipe):
    """How many bytes wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_a_target_that_is_down(plant, letters):
    """[rules-11] Its rule's messages wait, in order, also while router-svc dies and lives again; other rules go on;
    what has no rule any more is a dead letter."""
    router = plant.system.cloud.router
    plant.system.kubectl.apply(_rule("gone", {"target_url": "http://gone.example/", "node_name": "edge-1"}, "box",
                                     "http://127.0.0.1:9/"))
    plant.await_allowed("http://gone.example/")
    plant.target.answer = lambda request: (503, "") if request.path == "/alarms" else (200, "")
    for number in range(20):
        plant.alarm(number)
    wait.until("the first attempts", lambda: len(plant.target.asked("/alarms")) >= 3, 30)
    assert set(plant.target.bodies("/alarms")) == {"0"}, "the others wait behind it"
    assert plant.order("meanwhile")["code"] == 200
    plant.await_posted("/orders", ["meanwhile"])
    plant.target.kill()
    router.kill()
    router.start()
    plant.target.requests.clear()
    plant.target.answer = rules.yes
    plant.target.start()
    plant.await_posted("/alarms", [str(number) for number in range(20)])
    assert letters.list() == []
    plant.system.kubectl("delete", "rule", "gone")
    wait.until("the message without a rule", lambda: letters.list("gone"), 30)
    assert letters.list("gone")[0].error == "the rule is gone"


def test_messages_and_dead_letters_have_bounds(plant, letters):
    """[rules-12] What is beyond a rule's bound is a dead letter at once; of dead letters the oldest are dropped, and
    counted. So it is after a restart, too."""
    router = plant.system.cloud.router

    def kept():
        return [int(letter.payload.split()[0]) for letter in letters.list("orders")]

    try:
        router.kill()
        router.settings.update({"store.rule_bytes_max": "1MiB", "store.dead_letter_bytes_max": "1MiB"})
        router.start()
        plant.target.answer = lambda request: (503, "")
        for number in range(12):  # Five of which are less than 1 MiB.
            assert plant.order(f"{number} {'x' * 200_000}")["code"] == 200
        wait.until("what is beyond the rule's bound", lambda: kept() == [7, 8, 9, 10, 11], 60)
        assert "RULE_QUEUE_FULL" in letters.list("orders")[0].error
        assert router.metric("skerry_router_events_total", result="overflowed") == 7
        assert router.metric("skerry_router_dead_letters_dropped_total") == 2
        router.kill()
        router.start()
        assert kept() == [7, 8, 9, 10, 11]
        with pytest.raises(grpc.RpcError) as full:
            letters.replay(letters.list("orders")[0].name)
        assert stubs.reason_of(full.value) == "RULE_QUEUE_FULL"
        plant.target.answer = lambda request: (410, "")
        wait.until("what waited to be refused", lambda: kept() == [0, 1, 2, 3, 4], 60)
        assert router.metric("skerry_router_dead_letters_dropped_total") == 5
        wait.until("the bytes of them",
                   lambda: 1_000_000 < router.metric("skerry_router_dead_letter_bytes") <= 1 << 20, 20)
    finally:
        router.kill()
        for name in ("store.rule_bytes_max", "store.dead_letter_bytes_max"):
            router.settings.pop(name, None)
        router.start()


def test_services_killed_at_random(plant):
    """[rules-13] router-svc, both hubs and the target die at any instant while a box speaks: all of it arrives, in
    order, and a repetition has the key of the first. SKERRY_E2E_SEED repeats the order of kills."""
    seed = int(os.environ.get("SKERRY_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: SKERRY_E2E_SEED={seed}")
    rng = random.Random(seed)
    cloud = plant.system.cloud
    victims = [victim for victim in (cloud.router, cloud.hub, plant.node.edgehub, plant.target) for _ in range(KILLS)]
    rng.shuffle(victims)
    with plant.speaking() as said:
        for victim in victims:
            time.sleep(rng.random() * 0.1)  # Not to wait for something: the instant of death is to be any.
            victim.kill()
            victim.start()
    print(f"{len(victims)} kills, {[len(bodies) for bodies in said.values()]} messages, {plant.again} posted again")
