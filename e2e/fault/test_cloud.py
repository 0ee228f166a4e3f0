"""What happens to the cloud half itself: its clock steps, the hub's disk fills up."""

import datetime
import time

import pytest
from cluster import wait
from harness import commands, probes
from harness.clock import SteppingClock
from harness.disk import filled
from harness.field import Field
from harness.stubs import grpc

_DISK_BYTES = 32 << 20
_DAY = 24 * 3600
_LARGE = b"x" * (200 << 10)
_LARGE_MAX = 40  # More than a store has allocated ahead: its log has 4 MiB.


@pytest.fixture(scope="module", name="field")
def fixture_field(request):
    """A cloud with a clock of its own, whose hub has a small disk, and one box."""
    field = Field(request.module.__name__)
    try:
        field.clock = SteppingClock(field.folder / "clock")
        for service in field.cloud.services:
            service.env = field.clock.env
        # Other scenarios run beside this one, and no session may be lost to them.
        field.cloud.hub.settings["link.heartbeat_interval"] = "2s"
        field.cloud.hub.settings["commands.retention"] = "72h"  # What has ended is not forgotten at a step.
        field.cloud.hub.settings["commands.node_bytes_max"] = "16MiB"
        field.disk = field.give_disk(field.cloud.hub, _DISK_BYTES)
        field.start("edge-1")
        yield field
    finally:
        field.close()


@pytest.fixture(name="sender")
def fixture_sender(field, load):
    """Who sends commands; connected to the hub, which refuses certificates that its clock does not hold for valid."""
    del load
    sender = commands.Sender(field, field.cloud.hub)
    try:
        sender.accept("first", expire_in=1)
        yield sender
    finally:
        sender.close()


@pytest.fixture(name="step")
def fixture_step(field, sender):
    """Sets the cloud's clock to the true time and this, and returns when the hub goes by it: a process that runs on reads
    the kernel's clock every two seconds. Afterwards it is right again."""

    def step(**offset):
        seconds = datetime.timedelta(**offset).total_seconds()
        field.clock.step(**offset)
        wait.until("the hub to go by the new time", lambda: abs(sender.accept(
            f"clock-{time.monotonic_ns()}", expire_in=1).create_time.seconds - time.time() - seconds) < 600)

    yield step
    field.clock.step()


def test_clock_steps_by_a_day(load, step):
    """[cloud-1] L1, L3: forward, back, and back beyond; sessions live on, for intervals are of a clock that does not
    step."""
    lost = len(load.edges["edge-1"].lost)
    with load.running():
        for days in (1, 0, -1, 0):
            step(days=days)
            load.await_progress()
    assert len(load.edges["edge-1"].lost) == lost


def test_commands_expire_by_the_clock_that_holds(field, load, step, sender):
    """[cloud-2] L1; link-10.9, link-10.10, cloudhub-2.6: of those that nobody takes, queued ones expire by the new time,
    neither sooner nor later, and what is only in memory by a clock that does not step. Expired ones are never executed."""

    def queued():
        return {key for key, in field.rows(field.disk / "commands.db", "SELECT key FROM command WHERE stage < 4")}

    lost = len(load.edges["edge-1"].lost)
    waiting = {"expire_in": 300, "delivery": "DELIVERY_WAIT"}
    sender.accept("soon")
    sender.accept("late", expire_in=3 * _DAY)
    sender.accept("in-memory", **waiting)
    step(days=-1)
    sender.accept("of-yesterday")
    assert queued() >= {"soon", "late", "of-yesterday"}
    step()
    wait.until("what was to expire yesterday to expire", lambda: "of-yesterday" not in queued())
    assert queued() >= {"soon", "late"}
    step(days=1)
    wait.until("what was to expire today to expire", lambda: "soon" not in queued())
    taker = commands.Taker(field.nodes["edge-1"])
    try:
        ends = {key: wait.until(f"command {key} to end", lambda k=key, t=terms: sender.end(k, **t))
                for key, terms in (("soon", {}), ("of-yesterday", {}), ("late", {}), ("in-memory", waiting))}
    finally:
        taker.close()
    assert {key: commands.stage(end) for key, end in ends.items()} == {
        "soon": "EXPIRED", "of-yesterday": "EXPIRED", "late": "DONE", "in-memory": "DONE"}
    assert {key: count for key, count in taker.executed.items() if key in ends} == {"late": 1, "in-memory": 1}
    assert len(load.edges["edge-1"].lost) == lost


@pytest.mark.parametrize("dies", ["edgehub", "hub"])
def test_epochs_go_up_whatever_the_clock_says(field, load, step, dies):
    """[cloud-3] L1, L2; link-2.1, link-2.4, cloudhub-1.3: sessions that begin after each step, at the same hub and at one
    that was started again. Half an hour back: certificates of a box are valid an hour before they were made."""
    victim = field.cloud.hub if dies == "hub" else field.nodes["edge-1"].edgehub
    epoch = load.cloud.sessions["edge-1"]
    with load.running():
        for offset in ({"days": 1}, {}, {"minutes": -30}, {}):
            step(**offset)
            victim.kill()
            victim.start()
            wait.until("a new session", lambda e=epoch: load.cloud.sessions.get("edge-1", 0) > e)
            epoch = load.cloud.sessions["edge-1"]
            load.await_connected()
            load.await_progress()


def refused_for_want_of_room(sender):
    """The key of the first command that the hub's store has no room for, and the error."""
    for n in range(_LARGE_MAX):
        try:
            next(sender.send(f"large-{n}", payload=_LARGE))
        except grpc.RpcError as error:
            return f"large-{n}", error
    raise AssertionError(f"{_LARGE_MAX} commands of {len(_LARGE)} bytes have room on a full disk")


def test_disk_of_the_hub_is_full_and_has_room_again(field, load, sender):
    """[cloud-4] L1; cloudhub-1.10, cloudhub-2.7: the session goes on; what can't be stored is refused with a clear error,
    be it a command or a new session, also by a hub that was started meanwhile; no one has to do more than make room."""
    hub, edgehub, edge = field.cloud.hub, field.nodes["edge-1"].edgehub, load.edges["edge-1"]
    taker = commands.Taker(field.nodes["edge-1"])
    lost = len(edge.lost)
    try:
        with load.running():
            with filled(field.disk):
                large, refused = refused_for_want_of_room(sender)
                print(f"{large} refused: {refused.code()}: {refused.details()}")
                assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
                assert "make room on the disk" in refused.details()
                now = {"payload": _LARGE, "delivery": "DELIVERY_NOW", "expire_in": 10}
                assert commands.stage(sender.end("now", **now)) == "DONE"
                load.await_progress(without=[probes.COMMANDS])
                assert len(edge.lost) == lost
                for service in (edgehub, hub):
                    service.kill()
                    service.start()
                    wait.until("the box to be connected, or to be told why not", lambda: load.connected("edge-1") or
                               edgehub.metric("skerry_edgehub_session_ends_total", reason="OVERLOADED") > 0)
            pid = hub.pid
            load.await_connected()
            load.await_progress()
            end = wait.until("the command to end", lambda: sender.end(large, payload=_LARGE))
    finally:
        taker.close()
    assert commands.stage(end) == "DONE" and taker.executed[large] == 1
    assert hub.pid == pid
