"""A link on which nothing happens: what it costs, and a line that forgets it."""

import statistics

import pytest
from cluster import wait
from harness.field import Field

pytestmark = pytest.mark.alone

_EXCHANGES = 9
_SHORT = 2           # Seconds; the hub's interval where exchanges are counted.
_QUIET = _SHORT / 4  # What belongs to one exchange is over by then, and the next has not begun.
_SEGMENTS_MAX = 7    # Of one exchange, both ways (ADR 23).
_HEADER_BYTES = 52   # Of each, by IP and TCP.
_DAY_BYTES_MAX = 3e6
_DEFAULT_INTERVAL = 16
_INTERVAL = 8        # The hub's where the line forgets.
_MEMORY = 6.5        # What the line remembers an idle connection for.
_ASKED = 5           # The shortest interval that a node asks for (link-3.7).


@pytest.fixture(scope="module", name="field")
def fixture_field(request):
    """A cloud and one box; nothing goes between them but what the link itself needs."""
    field = Field(request.module.__name__)
    try:
        field.cloud.hub.settings["link.heartbeat_interval"] = f"{_SHORT}s"
        field.cloud.start()
        field.add_box("edge-1")
        yield field
    finally:
        field.close()


@pytest.fixture(name="node")
def fixture_node(field):
    """The box, in sync."""
    node = field.nodes["edge-1"]
    wait.until("the box to be in sync", node.meta.ready)
    return node


def test_an_exchange_of_heartbeats_costs_what_the_budget_counts_on(node):
    """[idle-1] L6; link-3.5, ADR 23: no more segments than are known of, and no more bytes than 3 MB a day allow at the
    default interval, counted by the kernel. The median: a busy machine sends acks apart that ride along elsewhere."""

    def quiet():
        before = node.host.tcp_counters()
        try:
            wait.until("a segment", lambda: node.host.tcp_counters() != before, _QUIET, 0.02)
        except wait.TimedOut:
            return before
        return None

    wait.until("the link to be idle", quiet, interval=0)
    costs = []
    while len(costs) < _EXCHANGES:
        before = node.host.tcp_counters()
        wait.until("a heartbeat", lambda b=before: node.host.tcp_counters() != b, 5, 0.02)
        after = wait.until("its exchange to end", quiet, interval=0)
        costs.append([now - then for now, then in zip(after, before)])
    segments, payload = (statistics.median(column) for column in zip(*costs))
    print(f"an exchange: {segments:g} segments, {payload:g} bytes of TCP; all: {costs}")
    assert segments <= _SEGMENTS_MAX
    assert (payload + segments * _HEADER_BYTES) * 24 * 3600 / _DEFAULT_INTERVAL <= _DAY_BYTES_MAX


def test_a_line_forgets_idle_connections_and_the_box_finds_out(field, node):
    """[idle-2] link-3.7, ADR 23: the first session is lost at its first idle interval, and the next one stays, at an
    interval that the line outlives."""
    hub, edgehub = field.cloud.hub, node.edgehub

    def metric(name, **labels):
        return edgehub.metric(f"skerry_edgehub_{name}", **labels)

    def heard():
        return metric("link_bytes_total", **{"direction": "down", "class": "session"})

    hub.stop()
    hub.settings["link.heartbeat_interval"] = f"{_INTERVAL}s"
    hub.start()
    proxy = field.proxy(node)
    try:
        proxy.forget(_MEMORY)
        field.dial_by(node, proxy)
        wait.until("the box to be connected", lambda: metric("link_connected") == 1)
        assert metric("heartbeat_interval_seconds") == _INTERVAL
        wait.until("the session to be lost", lambda: metric("session_ends_total", reason="HEARTBEAT_LOST") == 1,
                   4 * _INTERVAL)
        wait.until("the box to be back", lambda: metric("link_connected") == 1)
        for _ in range(3):
            before = heard()
            wait.until("the answer to a heartbeat", lambda b=before: heard() > b, 2 * _ASKED)
        assert metric("heartbeat_interval_seconds") == _ASKED
        assert metric("heartbeat_adaptations_total", direction="shorter") == 1
        assert metric("sessions_total") == 2 and metric("link_connected") == 1, "the next session was lost, too"
    finally:
        field.dial_by(node)
        proxy.close()
