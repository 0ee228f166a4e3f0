"""What a link costs on which nothing happens."""

import statistics

import pytest
from cluster import wait

pytestmark = pytest.mark.alone

INTERVAL = 2           # The hub's, seconds.
_QUIET = INTERVAL / 4  # What belongs to one exchange is over by then, and the next has not begun.
_EXCHANGES = 9
_SEGMENTS_MAX = 7      # Of one exchange, both ways (ADR 23).
_HEADER_BYTES = 52     # Of each, by IP and TCP.
_DAY_BYTES_MAX = 3e6
_DEFAULT_INTERVAL = 16


def test_an_exchange_of_heartbeats_costs_what_the_budget_counts_on(quiet_node):
    """[idle-1] L6; link-3.5, ADR 23: no more segments than are known of, and no more bytes than 3 MB a day allow at the
    default interval, counted by the kernel. The median: a busy machine sends acks apart that ride along elsewhere."""

    def quiet():
        before = quiet_node.host.tcp_counters()
        try:
            wait.until("a segment", lambda: quiet_node.host.tcp_counters() != before, _QUIET, 0.02)
        except wait.TimedOut:
            return before
        return None

    wait.until("the link to be idle", quiet, interval=0)
    costs = []
    while len(costs) < _EXCHANGES:
        before = quiet_node.host.tcp_counters()
        wait.until("a heartbeat", lambda b=before: quiet_node.host.tcp_counters() != b, 5, 0.02)
        after = wait.until("its exchange to end", quiet, interval=0)
        costs.append([now - then for now, then in zip(after, before)])
    segments, payload = (statistics.median(column) for column in zip(*costs))
    print(f"an exchange: {segments:g} segments, {payload:g} bytes of TCP; all: {costs}")
    assert segments <= _SEGMENTS_MAX
    assert (payload + segments * _HEADER_BYTES) * 24 * 3600 / _DEFAULT_INTERVAL <= _DAY_BYTES_MAX
