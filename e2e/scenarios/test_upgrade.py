"""Today's programs on the stores and settings that a release before them left (e2e/golden): everything is there, and goes on."""

import json

import pytest
from cluster import wait
from cluster.binaries import TOP
from cluster.kube import condition, container

from harness import devices, golden_site
from harness.golden_site import NODE, PUMP
from harness.rules import DeadLetters

GOLDEN = TOP / "e2e/golden"
RELEASES = sorted(path.name for path in GOLDEN.glob("*.*.*"))


@pytest.fixture(scope="module", name="site", params=[(release, kind) for release in RELEASES for kind in ("sqlite", "postgres")],
                ids="-".join)
def fixture_site(request):
    """A site as a release left it, with a broker and the URLs of rules, before the first start of today's programs."""
    release, kind = request.param
    site = golden_site.Site(f"upgrade-{release}-{kind}", kind)
    try:
        site.join()
        site.restore(GOLDEN / release / kind)
        site.facts = json.loads((GOLDEN / release / kind / "facts.json").read_text())
        site.node.broker.start()
        site.mqtt = devices.MqttClient(site.node.broker)
        site.heard = site.mqtt.subscribe(f"{PUMP}/#")
        site.cloud.start()
        yield site
    finally:
        if hasattr(site, "mqtt"):
            site.mqtt.close()
        site.close()


def test_the_cloud_half_has_everything(site):
    """[upgrade-1] Objects with their uids, the registry, twins with their history, readings, dead letters, tokens, commands."""
    kubectl = site.system.kubectl
    assert site.facts["uids"] == {name: kubectl.get(*name.split("/"))["metadata"]["uid"] for name in site.facts["uids"]}
    page = kubectl.get("configmap", "page")
    assert page["data"] == {"text": "second"} and int(page["metadata"]["resourceVersion"]) == site.facts["resourceVersion"]
    api = devices.DeviceApi(site.cloud)
    try:
        assert [value for _, value in api.readings("pump-1", "level")] == site.facts["readings"]
        assert api.history("room-3", "target", desired=True) == site.facts["history"]
        assert api.twin("room-3").properties["target"].desired.value == "24"
    finally:
        api.close()
    (letter,) = DeadLetters(site.cloud).list()
    assert (letter.rule, letter.payload) == ("namespaces/default/rules/orders", b'"refused"'), letter
    assert "golden" in site.cloud.skerryctl("token", "list", *site.cloud.operator_flags)


def test_versions_go_on(site):
    """[upgrade-2] What is written now is newer than all that was: nobody who knows an older object takes it for that."""
    kubectl = site.system.kubectl
    kubectl("annotate", "configmap", "page", "upgraded=yes")
    assert int(kubectl.get("configmap", "page")["metadata"]["resourceVersion"]) > site.facts["resourceVersion"]


def test_the_box_goes_on(site):
    """[upgrade-3] It keeps its name and key; pods keep their uids, restarts and ends; what was to come to it comes."""
    kubectl = site.system.kubectl
    site.cloud.hub.stop()
    site.node.start()
    wait.until("the mapper to have its devices", lambda: site.node.mappers["virtual"].metric("skerry_mapper_devices") == 2, 60)
    site.cloud.hub.start()  # What it has for the box comes to a box that is up.
    site.system.wait_ready(NODE)
    # 1 for the death of its container while the box was offline, of which the cloud had not heard; 1 for the lost runtime.
    web = kubectl.wait_for("pod", "web", "Ready after two restarts", lambda pod: condition(pod, "Ready") == "True" and
                           container(pod)["restartCount"] == 2, 120)
    done = kubectl.wait_for("pod", "done", "Failed", lambda pod: pod["status"].get("phase") == "Failed")
    assert [pod["metadata"]["uid"] for pod in (web, done)] == [site.facts["uids"][f"pod/{name}"] for name in ("web", "done")]
    assert container(done)["containerID"] == site.facts["done"], "a pod that had ended ran again"
    # Until: on a busy machine ctr loses what a command printed that ends at once (seen with echo, too).
    wait.until("web to see what was changed meanwhile, and its Secret", lambda: [
        site.node.exec(container(web)["containerID"], "cat", path) for path in ("/etc/page/text", "/etc/key/word")] == [
            "second", "sesame"], 60)
    kubectl.wait_for("pod", "later", "Ready", lambda pod: condition(pod, "Ready") == "True", 120)


def test_what_waited_arrives(site):
    """[upgrade-4] Readings and messages of before come once and in order, whichever store they were in, and a queued call is made."""
    wait.until("the alarms", lambda: len(site.target.bodies("/alarms")) >= 3, 60)
    assert site.target.bodies("/alarms") == ["1", "2", "3"]
    api = devices.DeviceApi(site.cloud)
    try:
        wait.until("the readings", lambda: len(api.readings("pump-1", "level")) >= 4, 60)
        assert [value for _, value in api.readings("pump-1", "level")] == ["1", "2", "3", "4"]
    finally:
        api.close()
    call = ("device", "call", "lamp-3", "toggle", "--delivery=queue", *site.cloud.device_flags)
    wait.until("the call to be made", lambda: site.cloud.skerryctl(*call, "--call-id=golden").startswith("status 200"), 60)
    # The lamp, whose driver began anew, was on, as is desired; the call of before the upgrade switched it off, and once.
    assert site.cloud.skerryctl(*call, "--call-id=golden") == "status 200\nfalse\n"


def test_what_was_done_is_not_done_again(site):
    """[upgrade-5] A call with the key of one that ended before the upgrade gets its answer, and nothing happens."""
    before = golden_site.twin_on_box(site.node, "lamp-3").properties["on"].reported.value
    said = site.cloud.skerryctl("device", "call", "lamp-3", "toggle", "--call-id=done", *site.cloud.device_flags)
    assert said == "status 200\nfalse\n"
    assert golden_site.twin_on_box(site.node, "lamp-3").properties["on"].reported.value == before


def test_twins_go_on(site):
    """[upgrade-6] Values, versions and who wrote them; what the cloud and the box desired meanwhile meets by the rule."""
    wait.until("room-3 to obey the cloud", lambda: devices.reported(site.system.kubectl, "room-3").get("target") == "24.00", 60)
    twin = golden_site.twin_on_box(site.node, "room-3")
    conflict = twin.properties["target"].conflict
    assert (conflict.local.value, conflict.local.writer, conflict.cloud.value) == ("26", "panel", "24")
    for name, version in site.facts["twins"].items():
        assert golden_site.twin_on_box(site.node, name).version > version
    assert golden_site.twin_on_box(site.node, "pump-1").properties["speed"].desired.value == "9"
    deltas = [payload["delta"] for topic, payload in site.heard if topic.endswith("/delta")]
    assert {"speed": "9"} in deltas, "what waited for the broker was not published"


def test_the_site_grows(site):
    """[upgrade-7] A token of before lets another box join, and the rules work."""
    token = f"{site.cloud.create_token().split('.')[0]}.{site.facts['token']}"
    other = site.system.make_node("edge-2", runtime=False)
    other.join(site.cloud, token)
    other.start()
    wait.until("the other box's session", lambda: "edge-2" in site.cloud.skerryctl("status", "--cloud", *site.cloud.operator_flags), 30)
    site.mqtt.publish("default/alarms", "4")
    wait.until("an alarm of today", lambda: site.target.bodies("/alarms") == ["1", "2", "3", "4"], 60)
    DeadLetters(site.cloud).replay(DeadLetters(site.cloud).list()[0].name)
    wait.until("the dead letter", lambda: site.target.bodies("/orders") == ['"refused"'], 30)


def test_nothing_was_taken_for_damaged(site):
    """[upgrade-8] No store was set aside or began anew."""
    for _, service in site.system.services():
        service.kill()
    assert not list(site.system.folder.rglob("*.damaged-*"))
    assert set(site.system.check_databases().values()) == {"ok"}
