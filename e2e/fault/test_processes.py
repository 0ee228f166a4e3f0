"""What happens to processes: they stop for a while, they stop reading, they go without a word."""

import time

import pytest
from cluster import wait
from harness import history
from harness.field import HEARTBEAT
from harness.hostile import NeverReadingBox

pytestmark = pytest.mark.alone

_MEASURED = 50   # Values of each kind that a delay is taken from.
_BULK = 100      # Objects that the box that never reads would have to read; beyond the hub's bound for a node, 16 MiB.
_BULK_BYTES = 256 << 10


def await_three_heartbeats(began):
    """What L3 speaks of twice, and one more."""
    wait.until("three heartbeats to pass", lambda: time.monotonic() - began >= 3 * HEARTBEAT)


def test_hub_stops_for_three_heartbeats(field, load):
    """[processes-1] L1, L3; link-3.3: every box notices, and comes back when the hub does."""
    began = time.monotonic()
    with load.running():
        try:
            field.expect_detection(field.cloud.hub.pause, *field.nodes, cloud=False)
            await_three_heartbeats(began)
        finally:
            field.cloud.hub.resume()
        load.await_connected()
        load.await_progress()


def test_box_stops_for_three_heartbeats(field, load):
    """[processes-2] L1, L3, L4; link-3.3: the hub notices, and the neighbour does not."""
    node, neighbour = field.nodes["edge-1"], load.edges["edge-2"]
    lost, began = len(neighbour.lost), time.monotonic()
    with load.running():
        try:
            field.expect_detection(node.edgehub.pause, "edge-1", edge=False)
            await_three_heartbeats(began)
        finally:
            node.edgehub.resume()
        load.await_connected()
        load.await_progress()
    assert len(neighbour.lost) == lost


def expect_undisturbed(load, quiet, what):
    """[L4] The neighbour's delays are as they were, but for what two cores do not give to both."""
    disturbed = load.measure("edge-2", _MEASURED)
    for stream, delays in disturbed.items():
        print(f"{stream}: 95 of 100 in {history.quantile(quiet[stream], 0.95) * 1e3:.0f} ms undisturbed, in "
              f"{history.quantile(delays, 0.95) * 1e3:.0f} ms beside a box that {what}")
        assert not history.hampered(quiet[stream], delays, factor=3, slack=0.25)


def test_stopped_box_delays_no_other(field, load):
    """[processes-3] L4; cloudhub-1.4, ec-2.3: its changes pile up in the cloud, and its neighbour's go through."""
    node, lost = field.nodes["edge-1"], len(load.edges["edge-2"].lost)
    with load.running():
        quiet = load.measure("edge-2", _MEASURED)
        node.edgehub.pause()
        try:
            expect_undisturbed(load, quiet, "is stopped")
        finally:
            node.edgehub.resume()
        load.await_connected()
        load.await_progress()
    assert len(load.edges["edge-2"].lost) == lost


def test_box_that_never_reads_delays_no_other(field, load):
    """[processes-4] L4, L8; cloudhub-1.4, link-4.10, link-7.3: it has a session and keeps it alive."""
    node, hub, lost = field.nodes["edge-1"], field.cloud.hub, len(load.edges["edge-2"].lost)
    with load.running():
        quiet = load.measure("edge-2", _MEASURED)
        node.edgehub.stop()
        overflows = hub.metric("skerry_cloudhub_overflows_total")
        with NeverReadingBox(field, node, ("probes", "configmaps", "pods"), HEARTBEAT):
            wait.until("its session", lambda: "edge-1" in load.cloud.sessions)
            for n in range(_BULK):
                load.cloud.put("edge-1", f"bulk-{n}", _BULK_BYTES)
            # What the load, in one process, needs to send all that is not what is measured.
            wait.until("its queue to be dropped", lambda: hub.metric("skerry_cloudhub_overflows_total") > overflows)
            wait.until("all of it to be sent", load.cloud.idle, 30, 0.01)
            expect_undisturbed(load, quiet, "never reads")
            assert hub.metric("skerry_cloudhub_unsent_bytes") < _BULK * _BULK_BYTES
        node.edgehub.start()
        load.await_connected()
        load.await_progress()
    assert len(load.edges["edge-2"].lost) == lost


def test_controller_goes_with_reports_that_it_applied(load):
    """[processes-5] L1; link-5.6: it had not said so, and its successor does not see a value go back."""
    with load.running():
        load.cloud.silent = True
        load.await_acknowledged("edge-1", 40)
        load.cloud.silent = False
        load.cloud.detach()
        load.await_progress()
