"""The box stands alone, and the cloud's return restarts nothing."""

import time

import pytest
from cluster import wait
from cluster.kube import condition, container

from harness import pods

BUSY = 5  # How much slower than promised a machine with other work may be.


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One node with a pod that reads a ConfigMap and a Secret."""
    system.cloud.start()
    node = system.add_node("edge-1")
    config, config_mount = pods.volume_from_config_map("settings", "/etc/settings")
    password, password_mount = pods.volume_from_secret("password", "/etc/password")
    system.kubectl.apply(
        pods.config_map("settings", colour="green"), pods.secret("password", word="tide"),
        pods.pod("web", volumes=[config, password], container={
            "volumeMounts": [config_mount, password_mount],
            "env": [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "password", "key": "word"}}}]}))
    system.kubectl.wait_for("pod", "web", "Ready", lambda p: condition(p, "Ready") == "True")
    return node


def identity(pod):
    """What must not change while a container is left alone."""
    status = container(pod)
    return status["containerID"].rpartition("/")[2], status["restartCount"], pod["metadata"]["uid"]


def reported(system, containers):
    """The pod once the cloud shows one of these containers as ready."""
    return system.kubectl.wait_for(
        "pod", "web", "reported as it runs",
        lambda p: identity(p)[0] in containers and condition(p, "Ready") == "True")


def test_cloud_killed_and_back_restarts_nothing(system, node):
    """[offline_autonomy-1] A2."""
    before = identity(system.kubectl.get("pod", "web"))
    system.cloud.kill()
    wait.until("edgehub to notice", lambda: node.edgehub.metric("skerry_edgehub_link_connected") == 0, 60)
    assert before[0] in node.running()
    system.cloud.start()
    system.wait_ready("edge-1")
    assert identity(reported(system, {before[0]})) == before
    assert before[0] in node.running()


def test_edge_services_killed_adopt_what_runs(system, node):
    """[offline_autonomy-2] Every service of the box, with and without the cloud."""
    before = identity(system.kubectl.get("pod", "web"))
    for cloud_is_there in (True, False):
        if not cloud_is_there:
            system.cloud.kill()
        running = node.running()
        for service in node.services:
            service.kill()
        node.start()
        wait.until("edged to be ready", node.edged.ready, 30)
        assert node.running() == running
    system.cloud.start()
    system.wait_ready("edge-1")
    assert identity(reported(system, {before[0]})) == before
    assert node.running() == running


def runtime_alone(node):
    """How long containerd takes for the image's container without anything of ours, just now."""
    began = time.monotonic()
    node.ctr("run", "--rm", pods.IMAGE, "alone", "true")
    return time.monotonic() - began


def test_boots_without_the_cloud_and_reconnects_without_a_restart(system, node):
    """[offline_autonomy-3] A1, A2: power cut while the cloud is gone; SQLite alone brings the pod back."""
    before = identity(system.kubectl.get("pod", "web"))
    system.cloud.kill()
    node.power_cut()
    started = time.monotonic()
    node.start()
    running = wait.until("the pod's sandbox and container to run",
                         lambda: len(node.running()) == 2 and node.running(), 60, 0.05)
    took = time.monotonic() - started
    alone = runtime_alone(node)
    print(f"running {took:.1f} s after the services' start began; the runtime alone needs {alone:.1f} s")
    assert took < BUSY * (1 + alone)
    assert before[0] not in running
    container_id, = (c for c in running if "io.kubernetes.container.name" in node.labels(c))
    assert node.printed(container_id, "sh", "-c", "cat /etc/settings/colour; echo $WORD; cat /etc/password/word") \
        == "greentide\ntide"
    system.cloud.start()
    system.wait_ready("edge-1")
    after = identity(reported(system, {container_id}))
    assert after == (container_id, before[1] + 1, before[2]), "one restart, that of the power cut, and none since"
    assert node.running() == running


def test_what_changed_in_the_cloud_meanwhile_arrives(system, node):
    """[offline_autonomy-4] Deletes, too: the sync names what is left."""
    node.edgehub.stop()
    system.kubectl("patch", "configmap", "settings", "-p", '{"data":{"colour":"red"}}')
    system.kubectl.apply(pods.pod("late"))
    node.edgehub.start()
    container_id = container(system.kubectl.get("pod", "web"))["containerID"]
    wait.until("the new value in the container",
               lambda: node.exec(container_id, "cat", "/etc/settings/colour") == "red", 90)
    late = system.kubectl.wait_for("pod", "late", "Ready", lambda p: condition(p, "Ready") == "True")
    node.edgehub.stop()
    system.kubectl("delete", "pod", "late", "--grace-period=0", "--force", "--wait=false")
    node.edgehub.start()
    wait.until("the deleted pod's container to end", lambda: identity(late)[0] not in node.running(), 60)


def test_paused_cloud_is_noticed_and_left_behind(system, node):
    """[offline_autonomy-5] L3: a hub that hangs is dead within two heartbeats; the node reconnects when it lives."""
    system.cloud.hub.pause()
    try:
        wait.until("edgehub to notice", lambda: node.edgehub.metric("skerry_edgehub_link_connected") == 0, 60)
    finally:
        system.cloud.hub.resume()
    wait.until("edgehub to reconnect", lambda: node.edgehub.metric("skerry_edgehub_link_connected") == 1, 60)
