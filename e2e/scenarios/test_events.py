"""What `kubectl describe` of an edge pod ends with: the events that a kubelet writes, also after an outage."""

import collections
import time
from datetime import datetime

import pytest
from cluster import wait
from cluster.kube import condition, container

from harness import pods


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One node, and pods with every kind of trouble, which take their time and are looked at in turn."""
    system.cloud.start()
    node = system.add_node("edge-1")
    probe = {"exec": {"command": ["cat", "/alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    missing, mount = pods.volume_from_secret("never-made", "/etc/never")
    system.kubectl.apply(
        pods.pod("web"),
        pods.pod("no-image", container={"image": "127.0.0.1:1/none:1"}),
        pods.pod("never-pulled", container={"image": "127.0.0.1:1/none:1", "imagePullPolicy": "Never"}),
        pods.pod("crashes", container={"command": ["sh", "-c", "exit 3"]}),
        pods.pod("unwell", container={"livenessProbe": probe}),
        pods.pod("no-volume", volumes=[missing], container={"volumeMounts": [mount]}),
    )
    system.kubectl.wait_for("pod", "web", "Ready", lambda p: condition(p, "Ready") == "True")
    return node


def events(system, name):
    """The Events about an object."""
    return [event for event in system.kubectl.get("events")["items"] if event["involvedObject"]["name"] == name]


def all_once(system, name):
    """The Events about an object, of which no two say the same: as long as edged is not restarted."""
    found = events(system, name)
    said = collections.Counter(
        (e["involvedObject"]["uid"], e["involvedObject"].get("fieldPath"), e["reason"], e["message"]) for e in found)
    assert all(times == 1 for times in said.values()), said
    return found


def event(system, name, reason, message="", count=1, timeout=60):
    """Waits for an Event whose message begins so and which has been counted to `count`."""
    return wait.until(f"{reason} x{count} of {name}", lambda: next(
        (e for e in events(system, name) if e["reason"] == reason and e["message"].startswith(message)
         and e["count"] >= count), None), timeout, 0.3)


def seconds(stamp):
    """Unix time of a Kubernetes time."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def test_describe_ends_with_the_start_of_the_container(system, node):
    """[events-1] In order, of the container, from edged."""
    started = event(system, "web", "Started", "Started container main")
    assert started["involvedObject"]["fieldPath"] == "spec.containers{main}"
    assert started["involvedObject"]["uid"] == system.kubectl.get("pod", "web")["metadata"]["uid"]
    assert started["source"] == {"component": "edged", "host": "edge-1"}
    assert (started["type"], started["count"]) == ("Normal", 1)
    table = system.kubectl("describe", "pod", "web").partition("Events:")[2]
    rows = [line.split() for line in table.splitlines()[3:] if line.strip()]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("Normal", "Pulled", "edged"), ("Normal", "Created", "edged"), ("Normal", "Started", "edged")], table
    assert "Created container: main" in table
    assert f'Container image "{pods.IMAGE}" already present on machine' in table


def test_an_image_that_cannot_be_pulled(system, node):
    """[events-2] One Event of each kind, whose count rises with every attempt."""
    image = "127.0.0.1:1/none:1"
    event(system, "no-image", "Pulling", f'Pulling image "{image}"', count=2)
    event(system, "no-image", "Failed", f'Failed to pull image "{image}": ')
    assert event(system, "no-image", "Failed", "Error: ErrImagePull")["type"] == "Warning"
    backed = event(system, "no-image", "BackOff", f'Back-off pulling image "{image}"', count=2)
    assert seconds(backed["lastTimestamp"]) > seconds(backed["firstTimestamp"])
    event(system, "no-image", "Failed", "Error: ImagePullBackOff")
    event(system, "never-pulled", "ErrImageNeverPull",
          f'Container image "{image}" is not present with pull policy of Never')
    all_once(system, "no-image")


def test_a_crash_loop(system, node):
    """[events-3] Back-off, and starts that are counted."""
    uid = system.kubectl.get("pod", "crashes")["metadata"]["uid"]
    backed = event(system, "crashes", "BackOff",
                   f"Back-off restarting failed container main in pod crashes_default({uid})", count=2)
    assert backed["type"] == "Warning"
    event(system, "crashes", "Started", count=3)
    all_once(system, "crashes")


def test_a_liveness_probe_that_fails(system, node):
    """[events-4] Why the container was restarted."""
    unhealthy = event(system, "unwell", "Unhealthy", "Liveness probe failed: cat: can't open '/alive'", count=2)
    assert unhealthy["type"] == "Warning"
    event(system, "unwell", "Killing", "Container main failed liveness probe, will be restarted")


def test_a_volume_that_cannot_be_made(system, node):
    """[events-5] Of the pod as a whole."""
    failed = event(system, "no-volume", "FailedMount",
                   'MountVolume.SetUp failed for volume "never-made" : secret "never-made" not found')
    assert "fieldPath" not in failed["involvedObject"]


def test_events_of_an_outage_arrive_with_their_times(system, node):
    """[events-6] Each once, though every process on their way is killed."""
    for name in ("crashes", "no-image", "unwell", "no-volume", "never-pulled"):
        system.kubectl("delete", "pod", name, "--timeout=40s")
    before = container(system.kubectl.get("pod", "web"))["containerID"].rpartition("/")[2]
    system.cloud.hub.kill()
    wait.until("edgehub to notice", lambda: node.edgehub.metric("skerry_edgehub_link_connected") == 0, 60)
    node.ctr("tasks", "kill", "--signal", "SIGKILL", before)
    wait.until("the events to be stored", lambda: node.edgehub.metric("skerry_edgehub_event_entries") >= 3, 30)
    node.edgehub.kill()
    node.edgehub.start()
    away_until = time.time()
    wait.until("a later second than that of the events", lambda: time.time() > away_until + 2)
    system.cloud.hub.start()
    system.cloud.controller.kill()
    system.cloud.controller.start()
    started = event(system, "web", "Started", count=2, timeout=90)
    assert seconds(started["lastTimestamp"]) <= away_until
    wait.until("the box to have been told", lambda: node.edgehub.metric("skerry_edgehub_event_entries") == 0, 30)
    for _ in range(2):
        node.edgehub.kill()
        system.cloud.controller.kill()
        node.edgehub.start()
        system.cloud.controller.start()
    system.wait_ready("edge-1")
    assert {(e["reason"], e["count"]) for e in all_once(system, "web")} == {
        ("Pulled", 2), ("Created", 2), ("Started", 2)}


def test_the_node_tells_of_itself(system, node):
    """[events-7] That it has started, that it is ready, that it was rebooted."""
    event(system, "edge-1", "Starting")
    event(system, "edge-1", "NodeReady", "Node edge-1 status is now: NodeReady")
    node.edged.stop()
    (node.state_dir / "boot_id").write_text("of an earlier boot")
    node.edged.start()
    assert event(system, "edge-1", "Rebooted", "Node edge-1 has been rebooted, boot id: ")["type"] == "Warning"
    assert "Rebooted" in system.kubectl("describe", "node", "edge-1").partition("Events:")[2]
