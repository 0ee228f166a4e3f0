"""What happens to a box itself: its clock steps, its disk fills up."""

import time

import pytest
from cluster import wait
from harness import command_checks
from harness.clock import SteppingClock
from harness.disk import filled
from harness.field import Field

_HEARTBEAT = 2  # Seconds: other scenarios run beside this one, and no session may be lost to them.
_DISK_BYTES = 32 << 20


@pytest.fixture(scope="module", name="field")
def fixture_field(request):
    """A cloud and one box, with a clock of its own and a small disk."""
    field = Field(request.module.__name__)
    try:
        field.clock = SteppingClock(field.folder / "clock")
        field.cloud.hub.settings["link.heartbeat_interval"] = f"{_HEARTBEAT}s"
        field.cloud.start()
        field.add_box("edge-1", env=field.clock.env, disk_bytes=_DISK_BYTES)
        field.start_load()
        yield field
    finally:
        field.close()


@pytest.fixture(name="clock")
def fixture_clock(field):
    """The box's clock, right again afterwards."""
    yield field.clock
    field.clock.step()


def test_clock_steps_by_a_day(field, load, clock):
    """[box-1] L1, L3: forward, back, and back beyond; the session lives on, for intervals are of a clock that does not
    step."""
    lost = len(load.edges["edge-1"].lost)
    with load.running():
        for days in (1, 0, -1, 0):
            clock.step(days=days)
            load.await_progress()
    assert len(load.edges["edge-1"].lost) == lost


@pytest.mark.parametrize("days", [1, -1])
def test_clock_of_an_idle_box_steps(load, clock, days):
    """[box-2] L3; link-3.2: heartbeats go on though nothing but their timers wakes anybody."""
    lost, began = len(load.edges["edge-1"].lost), time.monotonic()
    clock.step(days=days)
    wait.until("five heartbeats to pass", lambda: time.monotonic() - began > 5 * _HEARTBEAT,
               10 * _HEARTBEAT)
    assert len(load.edges["edge-1"].lost) == lost


def test_clock_is_set_back_while_the_box_waits_to_dial(field, load, clock):
    """[box-3] L1; link-6.1: the waits are of a clock that does not step. Half an hour in all: certificates stay valid."""

    def dials():
        return field.nodes["edge-1"].edgehub.metric("skerry_edgehub_dials_total")

    field.cloud.hub.kill()
    wait.until("the box to notice", lambda: not load.edges["edge-1"].connected)
    for minutes in range(3, 31, 3):
        before = dials()
        wait.until("it to dial again", lambda n=before: dials() > n, 10, 0.02)
        clock.step(minutes=-minutes)
    field.cloud.hub.start()
    load.await_connected(timeout=15)


def test_reports_of_a_box_whose_clock_was_ahead(field, load, clock):
    """[box-4] L1, A3; edgehub-2.2, meta-4.2: what it reports after its clock was set right counts, though the journal
    holds values of tomorrow."""
    net = field.nodes["edge-1"].host
    with load.running():
        net.drop()
        clock.step(days=1)
        load.await_acknowledged("edge-1")
        clock.step()
        load.await_acknowledged("edge-1")
        net.heal()
        load.await_connected()
        load.await_progress()


def test_disk_is_full_and_has_room_again(field, load):
    """[box-5] L1, A5; meta-2.1, edgehub-2.1: what can't be stored is refused with a clear error and counted, what was
    acknowledged stays and goes to the cloud, and no one has to do more than make room."""
    node, edge = field.nodes["edge-1"], load.edges["edge-1"]
    pids = [service.pid for service in node.services]
    failed = node.meta.metric("skerry_edgemeta_commits_total", result="failed")
    full = node.edgehub.metric("skerry_edgehub_store_errors_total", reason="full")
    edge.refused.clear()
    with load.running(excused=[command_checks.unknown]):  # How a command ended has no room, either.
        with filled(node.state_dir):
            wait.until("objects to be refused",
                       lambda: node.meta.metric("skerry_edgemeta_commits_total", result="failed") > failed)
            # What the cloud takes leaves room for what comes; without it the stores fill up.
            field.cloud.hub.pause()
            try:
                wait.until("reports or events to be refused", lambda: edge.refused, 60)
            finally:
                field.cloud.hub.resume()
            load.await_connected()
        load.await_progress(timeout=60)
    print(f"refused: {edge.refused[-1]}")
    assert "no room" in edge.refused[-1]
    assert node.edgehub.metric("skerry_edgehub_store_errors_total", reason="full") > full
    assert pids == [service.pid for service in node.services], "a service was restarted"
