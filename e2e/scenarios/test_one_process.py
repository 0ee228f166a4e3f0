"""A small box: all its services in one process (skerry-edge)."""

from pathlib import Path

import pytest
from cluster import wait
from cluster.binaries import TOP
from cluster.kube import condition, container

from harness import devices, pods


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """With a container runtime, a broker and the virtual mapper, a pod and a thermometer."""
    system.cloud.start()
    box = system.make_node("edge-1", one_process=True)
    box.broker.configure()
    box.make_mapper("virtual")
    system.add_node("edge-1")
    system.kubectl.apply(pods.pod("web"))
    system.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    return box


def await_reported(system, value):
    """Until the thermometer says that it has this target."""
    wait.until("the thermometer to obey", lambda: devices.reported(system.kubectl, "room-3").get("target") == value, 60)


def ready_pod(system):
    """The pod, once it is Ready: which container, started how often."""
    pod = system.kubectl.wait_for("pod", "web", "Ready", lambda p: condition(p, "Ready") == "True", 60)
    return container(pod)["containerID"], container(pod)["restartCount"]


def test_everything_works_in_one_process(system, node):
    """[one-process-1] Pods, devices by mapper and by MQTT, all over one link."""
    assert [service.name for service in node.services] == ["skerry-edge", "virtual-mapper"]
    ready_pod(system)
    await_reported(system, "21.00")
    devices.desire(system.kubectl, "room-3", "target", "24")
    await_reported(system, "24.00")
    client = devices.MqttClient(node.broker)
    try:
        heard = client.subscribe("$hw/events/node/edge-1/membership/get/result")
        client.publish("$hw/events/node/edge-1/membership/get", {"event_id": "m"})
        wait.until("the devices of the box", lambda: heard, 20)
        assert {entry["name"] for entry in heard[0][1]["devices"]} == {"room-3", "lamp-3"}
    finally:
        client.close()


def test_its_threads_keep_no_free_memory(node):
    """[one-process-4] It has begun anew with glibc's setting for that, by its own name, and the id that its starter knows."""
    process = Path("/proc") / str(node.all.pid)
    assert b"GLIBC_TUNABLES=glibc.malloc.tcache_count=0" in (process / "environ").read_bytes().split(b"\0")
    assert (process / "comm").read_text() == "skerry-edge\n"


def test_it_dies_and_lives_again(system, node):
    """[one-process-2] One fate for all: they start together, with and without the cloud, and restart no container."""
    before = ready_pod(system)
    node.all.kill()
    node.all.start()
    devices.desire(system.kubectl, "room-3", "target", "25")
    await_reported(system, "25.00")
    assert ready_pod(system) == before
    system.cloud.kill()
    node.all.kill()
    node.all.start()
    assert before[0].rpartition("/")[2] in node.running()
    system.cloud.start()
    system.wait_ready("edge-1")
    devices.desire(system.kubectl, "room-3", "target", "26")
    await_reported(system, "26.00")
    assert ready_pod(system) == before


def test_it_ends_when_it_is_told(node):
    """[one-process-3] Every service in its turn; none of their sockets is left to be dialled."""
    addresses = node.all.addresses
    services = ("edgehub", "edge-meta", "edged", "twin", "eventbus", "servicebus")
    assert {name.split("/")[0] for name in addresses if name != "pid"} == {f"{name}-svc" for name in services}
    node.all.stop()
    log = node.all.log.read_text()
    for name in services:
        assert f'"component":"{name}-svc","msg":"stopped"' in log
