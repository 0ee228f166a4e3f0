"""What networks do to a box: nothing acknowledged is lost, repeated or out of order, and the neighbour does not notice.

Every scenario runs under a load whose history is checked at its end (harness/history.py): L1, L2, A2 and A3.
"""

import pytest
from cluster import wait
from harness import probes
from harness.field import HEARTBEAT, MARGIN
from harness.history import Kind

pytestmark = pytest.mark.alone


@pytest.fixture(name="net")
def fixture_net(field):
    """edge-1's network, whole again afterwards."""
    net = field.nodes["edge-1"].host
    yield net
    net.heal()


@pytest.fixture(autouse=True)
def neighbour_is_left_alone(field):
    """[network-1] L4: edge-2 keeps its session whatever happens to edge-1."""
    yield
    assert field.load.edges["edge-2"].lost == []


@pytest.fixture(name="proxy")
def fixture_proxy(field):
    """A proxy between edge-1 and the hub; afterwards the way is straight again."""
    node = field.nodes["edge-1"]
    proxy = field.proxy(node)
    yield proxy
    field.dial_by(node)
    proxy.close()


def test_partition_and_heal(field, load, net):
    """[network-2] L1, L3, A2, A3; link-3.3, link-4.1, link-5.6: what either side did meanwhile arrives."""
    def gone(what):
        return field.cloud.hub.metric(f"skerry_cloudhub_detection_seconds_{what}", reason="HEARTBEAT_LOST")

    before = {what: gone(what) for what in ("count", "sum")}
    with load.running():
        field.expect_detection(net.drop, "edge-1")
        assert gone("count") == before["count"] + 1, "the hub's own figure"
        assert 2 * HEARTBEAT <= gone("sum") - before["sum"] <= 2 * HEARTBEAT + MARGIN
        load.await_acknowledged("edge-1")
        net.heal()
        load.await_connected()
        load.await_progress()


@pytest.mark.parametrize("lost", ["to_cloud", "from_cloud"])
def test_one_way_partition(field, load, net, lost):
    """[network-3] L1, L3; link-3.3: the end that hears nothing ends the session, and the other learns of it or notices by
    itself."""
    with load.running():
        field.expect_detection(lambda: net.drop(**{"to_cloud": False, "from_cloud": False, lost: True}), "edge-1")
        load.await_acknowledged("edge-1")
        net.heal()
        load.await_connected()
        load.await_progress()


def test_one_packet_of_five_is_lost(load, net):
    """[network-4] L1: slow, perhaps with new sessions, but everything arrives."""
    with load.running():
        net.lose(0.2)
        load.measure("edge-1", 60, timeout=60)
        net.heal()
        load.await_connected()


def test_connections_are_reset(field, load, net):
    """[network-5] L1, L3."""
    with load.running():
        field.expect_detection(net.reset, "edge-1")
        load.await_acknowledged("edge-1")
        net.heal()
        load.await_connected()
        load.await_progress()


def test_half_open_connection(field, load, net):
    """[network-6] L1, L3; link-2.2, link-3.3: the old connection is dead without a word, new ones work, and the fault is
    never mended."""
    with load.running():
        field.expect_detection(net.half_open, "edge-1")
        load.await_connected()
        load.await_progress()


def test_address_of_the_box_changes(field, load, net):
    """[network-7] L1, L3; edgehub-1.5."""
    with load.running():
        field.expect_detection(lambda: net.change_address("10.77.2.1"), "edge-1")
        load.await_connected()
        load.await_progress()


def test_long_line_with_jitter(field, load, proxy):
    """[network-8] L1, L3: what is slow is not dead. 300 ms each way and up to 100 ms more, then 200 kB/s as well."""
    edge = load.edges["edge-1"]
    field.dial_by(field.nodes["edge-1"], proxy)
    load.await_connected()
    sessions = len(edge.lost)
    with load.running():
        for rate in (0, 200_000):
            proxy.line(delay=0.3, jitter=0.1, rate=rate)
            load.measure("edge-1", 20)
        proxy.line()
    assert len(edge.lost) == sessions, "a slow session was given up"


def test_large_object_on_a_slow_line(field, load, proxy):
    """[network-10] L3; link-12.5: an object that takes five heartbeats to come does come, in the session that it began in."""
    edge = load.edges["edge-1"]
    field.dial_by(field.nodes["edge-1"], proxy)
    load.await_connected()
    sessions = len(edge.lost)
    proxy.line(rate=100_000)
    load.cloud.put("edge-1", "large", size=512 << 10)
    place = (probes.DOWN, "edge-1", "large")
    wait.until("the large object to be at the box",
               lambda: load.history.last(Kind.APPLIED, place) == load.history.last(Kind.SENT, place), timeout=20)
    assert len(edge.lost) == sessions, "a slow session was given up"
    proxy.line()


def test_late_frames_of_a_dead_session_are_not_applied(field, load, proxy):
    """[network-9] L1, L2; link-2.2, link-5.6: what edgehub-svc sent before it died comes when its next session has long
    begun."""
    node, cloud = field.nodes["edge-1"], load.cloud
    field.dial_by(node, proxy)
    load.await_connected()
    with load.running():
        load.await_progress()
        proxy.hold()
        load.await_acknowledged("edge-1", 5)
        former, ended = cloud.sessions["edge-1"], len(cloud.ended["edge-1"])
        field.dial_by(node)
        load.await_connected()
        load.await_progress()
        assert cloud.sessions["edge-1"] > former
        assert [reason for _, reason in cloud.ended["edge-1"][ended:]] == ["FENCED"]
        proxy.release()
        load.await_progress()
