"""A box whose link is paid by the byte."""

import time

import pytest
from cluster import wait
from harness import probes
from harness.field import Field
from harness.history import Kind

pytestmark = pytest.mark.alone

RATE, BURST = 2048, 4096
LARGE = 48 << 10
CHUNK = 16 << 10


@pytest.fixture(scope="module", name="field")
def fixture_field(request):
    """One box with a budget each way, whose probe's events are alarms."""
    field = Field(request.module.__name__)
    try:
        field.cloud.start()
        field.add_box("edge-1", env={"SKERRY_EDGEHUB_LINK_METERED_BYTES_PER_SECOND": str(RATE),
                                     "SKERRY_EDGEHUB_LINK_METERED_BURST_BYTES": str(BURST)})
        field.start_load(priority="PRIORITY_ALARM", progress=False)
        yield field
    finally:
        field.close()


def applied(load, place):
    """The last that was sent has taken effect."""
    return load.history.last(Kind.APPLIED, place) == load.history.last(Kind.SENT, place)


def test_a_budget_is_kept_and_alarms_pass_it(field, load):
    """[metered-1] L3; link-14.2, link-14.3, link-14.4: a large object comes down and a large report goes up within the
    budget, counted by the kernel, in one session; an alarm takes two seconds at most."""
    node, edge = field.nodes["edge-1"], load.edges["edge-1"]
    down, up = (probes.DOWN, "edge-1", "large"), (probes.UP, "edge-1", "large")
    alarms = (probes.EVENTS, "edge-1", probes.TYPE)
    sessions, deferrals = len(edge.lost), node.edgehub.metric("skerry_edgehub_link_deferrals_total")
    began, before = time.monotonic(), node.host.traffic()
    load.cloud.put("edge-1", "large", size=LARGE)
    edge.put("large", size=LARGE)
    wait.until("the report to wait for the budget",
               lambda: node.edgehub.metric("skerry_edgehub_link_deferrals_total") > deferrals, 30)
    for _ in range(5):
        edge.put_event()
        wait.until("the alarm to be in the cloud", lambda: applied(load, alarms), timeout=2, interval=0.02)
    assert not applied(load, up) and not applied(load, down), "nothing waited"
    for place in (down, up):
        wait.until(f"{place} to arrive", lambda p=place: applied(load, p), timeout=120)
    lasted = time.monotonic() - began
    for way, bytes_before, bytes_after in zip(("up", "down"), before, node.host.traffic()):
        # What the frames alone may have, and a third for what carries them: TLS, TCP, IP and acks of TCP.
        assert bytes_after - bytes_before < (RATE * lasted + BURST + 2 * CHUNK) * 4 / 3, way
    assert len(edge.lost) == sessions, "the session was given up"


def test_the_box_and_the_hub_count_by_class(field, load):
    """[metered-2] What went over the link shows by direction and class at both ends."""
    del load
    for service, prefix in ((field.nodes["edge-1"].edgehub, "skerry_edgehub"), (field.cloud.hub, "skerry_cloudhub")):
        for direction, frame_class, least in (("down", "resource_sync", LARGE), ("up", "report", LARGE),
                                              ("up", "event", 5), ("up", "session", 1)):
            counted = service.metric(f"{prefix}_link_bytes_total", **{"direction": direction, "class": frame_class})
            assert counted >= least, (prefix, direction, frame_class)


def test_what_is_compressed_is_counted(field, load):
    """[metered-3] edgehub-1.14, cloudhub-1.12; link-13.1: both ends compress, and count what they send and what comes."""
    del load
    for service, prefix in ((field.nodes["edge-1"].edgehub, "skerry_edgehub"), (field.cloud.hub, "skerry_cloudhub")):
        for direction in ("up", "down"):
            plain, compressed = (service.metric(f"{prefix}_link_compressed_bytes_total", direction=direction, form=form)
                                 for form in ("plain", "compressed"))
            assert plain > LARGE, (prefix, direction)
            assert compressed < plain * 0.9, (prefix, direction)
