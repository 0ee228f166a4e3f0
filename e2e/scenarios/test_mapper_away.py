"""A device whose mapper is gone is not online."""

import time

import pytest
from cluster import wait
from cluster.binaries import TOP

AWAY_AFTER = 3
# To the cloud: questions of a second, a report of twin-svc, and a machine that is busy.
BOUND = AWAY_AFTER + 20


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One box with the virtual mapper, without containers."""
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.twin.env["SKERRY_TWIN_MAPPERS_AWAY_AFTER"] = f"{AWAY_AFTER}s"
    box.make_mapper("virtual")
    system.add_node("edge-1", runtime=False)
    wait.until("the mapper to be registered", box.mappers["virtual"].ready, 30)
    system.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    return box


def await_state(system, state, timeout=BOUND):
    """Until room-3 is in it; its DeviceStatus then."""
    return system.kubectl.wait_for("devicestatus", "room-3", state, lambda s: s["status"].get("state") == state,
                                   timeout)["status"]


def test_a_killed_mapper_and_its_return(system, node):
    """[twin-4.6] "unknown" not before the time is over, and soon after it; when it was last online stays."""
    before = await_state(system, "online", 60)
    killed = time.monotonic()
    node.mappers["virtual"].kill()
    away = await_state(system, "unknown")
    assert time.monotonic() - killed >= AWAY_AFTER - 1
    assert away["lastOnlineTime"] == before["lastOnlineTime"]
    node.mappers["virtual"].start()
    await_state(system, "online")


def test_a_mapper_that_hangs(system, node):
    """[twin-4.6] As one that is gone; it does not register again."""
    await_state(system, "online", 60)
    node.mappers["virtual"].pause()
    try:
        await_state(system, "unknown")
    finally:
        node.mappers["virtual"].resume()
    await_state(system, "online")


def test_a_restart_of_twin_svc_is_nothing(system, node):
    """[twin-4.6] Nor several of them, while the mapper is there."""
    await_state(system, "online", 60)
    for _ in range(3):
        node.twin.kill()
        node.twin.start()
        wait.until("twin-svc to be ready", node.twin.ready, 30)
        assert await_state(system, "online", 1)["state"] == "online"
    node.mappers["virtual"].kill()
    node.twin.kill()
    node.twin.start()
    await_state(system, "unknown")
    node.mappers["virtual"].start()
    await_state(system, "online")
