"""A line that forgets idle connections, and the box that finds out."""

from cluster import wait

INTERVAL = 8   # The hub's, seconds.
_MEMORY = 6.5  # What the line remembers an idle connection for.
_ASKED = 5     # The shortest interval that a node asks for (link-3.7).


def test_a_line_forgets_idle_connections_and_the_box_finds_out(quiet_field, quiet_node):
    """[forgetful-1] link-3.7, ADR 23: the first session is lost at its first idle interval, and the next one stays, at an
    interval that the line outlives."""
    edgehub = quiet_node.edgehub

    def metric(name, **labels):
        return edgehub.metric(f"skerry_edgehub_{name}", **labels)

    def heard():
        return metric("link_bytes_total", **{"direction": "down", "class": "session"})

    proxy = quiet_field.proxy(quiet_node)
    try:
        proxy.forget(_MEMORY)
        quiet_field.dial_by(quiet_node, proxy)
        wait.until("the box to be connected", lambda: metric("link_connected") == 1)
        assert metric("heartbeat_interval_seconds") == INTERVAL
        wait.until("the session to be lost", lambda: metric("session_ends_total", reason="HEARTBEAT_LOST") == 1,
                   4 * INTERVAL)
        wait.until("the box to be back", lambda: metric("link_connected") == 1)
        for _ in range(3):
            before = heard()
            wait.until("the answer to a heartbeat", lambda b=before: heard() > b, 2 * _ASKED)
        assert metric("heartbeat_interval_seconds") == _ASKED
        assert metric("heartbeat_adaptations_total", direction="shorter") == 1
        assert metric("sessions_total") == 2 and metric("link_connected") == 1, "the next session was lost, too"
    finally:
        quiet_field.dial_by(quiet_node)
        proxy.close()
