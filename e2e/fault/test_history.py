"""The checks of a history find what is planted, and nothing else."""

import pytest
from harness import command_checks, history, tunnel_checks
from harness.history import History, Kind, Record


def record(kind, number, at=0.0, key="k", epoch=0, **more):
    """A record of one stream of one node."""
    return Record(kind, "up/pods", more.pop("node", "n"), key, number, at, epoch, **more)


def sound():
    """A node that loses its session while values are under way."""
    return [
        record(Kind.SESSION, 0, epoch=1),
        record(Kind.SENT, 1, 0.0, stamp=100), record(Kind.ACKED, 1, 0.1),
        record(Kind.DELIVERED, 1, 0.2, epoch=1), record(Kind.APPLIED, 1, 0.2, epoch=1, stamp=100),
        record(Kind.SENT, 2, 0.3), record(Kind.SENT, 3, 0.4), record(Kind.ACKED, 3, 0.5),
        record(Kind.DELIVERED, 3, 0.6, epoch=1), record(Kind.APPLIED, 3, 0.6, epoch=1),
        record(Kind.SESSION, 0, epoch=2),
        record(Kind.DELIVERED, 3, 0.8, epoch=2),  # Again, and not applied again.
        record(Kind.DELETED, 0), record(Kind.REMOVED, 0),
    ]


def test_sound_history_has_no_violations():
    """Coalesced, repeated and unacknowledged values are as they should be."""
    assert history.violations(sound()) == []


@pytest.mark.parametrize("planted, promise", [
    (record(Kind.APPLIED, 2, epoch=2), "L1"),                          # Goes back.
    (record(Kind.APPLIED, 3, epoch=2), "L1"),                          # Twice.
    (record(Kind.DELIVERED, 1, epoch=2), "L1"),                        # Handed over after a newer one.
    (record(Kind.ACKED, 4), "L1"),                                     # Lost.
    (record(Kind.ACKED, 1, key="other"), "L1"),                        # Lost, the key's only value.
    (record(Kind.APPLIED, 9, key="other", epoch=2), "L1"),             # Never sent.
    (record(Kind.DELIVERED, 3, epoch=1), "L2"),                        # Of the older session.
    (record(Kind.SESSION, 0, epoch=1), "L2"),                          # An epoch that goes back.
    (record(Kind.REMOVED, 0), "A2"),                                   # Nobody deleted it again.
    (record(Kind.DELIVERED, 1, key="k", epoch=2, stamp=101), "A3"),    # Another time than its own.
])
def test_planted_violation_is_found(planted, promise):
    """Each check, and its promise is named."""
    found = history.violations([*sound(), planted])
    assert any(line.startswith(promise) for line in found), found


def test_gap_in_a_log_is_found():
    """[L1] Of a log every value counts."""
    log = [Record(Kind.APPLIED, "up/events", "n", "s", number) for number in (7, 8, 10)]
    assert history.missing(log[:2]) == []
    assert len(history.missing(log)) == 1
    assert history.missing([record(Kind.APPLIED, 1), record(Kind.APPLIED, 3)]) == [], "a stream of state has gaps"


def test_sessions_of_other_nodes_do_not_matter():
    """Epochs are compared within a node."""
    assert history.outlived([record(Kind.SESSION, 0, epoch=5), record(Kind.SESSION, 0, epoch=4, node="other")]) == []


def test_late_detection_is_found():
    """[L3] Late, and never."""
    assert history.undetected(10.0, 12.2, heartbeat=1, margin=0.5) == []
    assert history.undetected(10.0, 12.6, heartbeat=1, margin=0.5)
    assert history.undetected(10.0, None, heartbeat=1, margin=0.5)


def test_delayed_neighbour_is_found():
    """[L4] Of delays only what is beyond the bound, and a measurement without values is none."""
    quiet = [0.1] * 20
    assert history.hampered(quiet, [0.1] * 19 + [9.0], factor=3, slack=0.1) == [], "one in twenty may be slow"
    assert history.hampered(quiet, [0.5] * 20, factor=3, slack=0.1)
    assert history.hampered(quiet, [], factor=3, slack=0.1)


def test_delays_are_those_of_applied_values():
    """From being sent, of the stream and the node that are asked for."""
    assert history.delays(sound(), "up/pods", "n") == pytest.approx([0.2, 0.2])
    assert history.delays(sound(), "up/pods", "other") == []


def test_behind_is_what_was_acknowledged_and_is_still_under_way():
    """What a scenario waits for before it asks what was lost."""
    assert History(sound()).behind() == []
    assert History([*sound(), record(Kind.ACKED, 4)]).behind() == [("up/pods", "n", "k")]


def test_history_that_starts_anew_remembers_what_must_not_be_undone():
    """The last of each kind stays, in order."""
    kept = History([*sound(), record(Kind.SENT, 4)])
    kept.start_anew()
    assert history.violations(kept.records) == []
    assert kept.last(Kind.APPLIED, ("up/pods", "n", "k")) == 3
    kept.add(Kind.APPLIED, "up/pods", "n", "k", 2, epoch=1)
    found = kept.records
    assert history.backward(found) and history.outlived(found) and len(found) < len(sound())


def command(kind, number, outcome="", node="n"):
    """A record of a command."""
    return Record(kind, "down/commands", node, "t", number, outcome=outcome)


TAKER_CAME = Record(Kind.ATTACHED, node="n")


def sound_commands():
    """Three under way together; the taker of the fourth dies at it."""
    return [
        TAKER_CAME,
        command(Kind.SENT, 1), command(Kind.ACKED, 1), command(Kind.SENT, 2), command(Kind.ACKED, 2),
        command(Kind.APPLIED, 1), command(Kind.SENT, 3), command(Kind.ACKED, 3), command(Kind.APPLIED, 2),
        command(Kind.ENDED, 2, "OK"), command(Kind.ENDED, 1, "OK"), command(Kind.APPLIED, 3),
        command(Kind.ENDED, 1, "OK"),  # Its sender asks again.
        command(Kind.ENDED, 3, "OK"),
        command(Kind.SENT, 4), command(Kind.ACKED, 4), command(Kind.APPLIED, 4),
        command(Kind.ENDED, 4, command_checks.UNKNOWN), TAKER_CAME,
    ]


def found_in(records):
    """Violations, by the name of the check."""
    found = {check.__name__: check(records) for check in (*history.CHECKS, *command_checks.CHECKS, *tunnel_checks.CHECKS)}
    return {name for name, violations in found.items() if violations}


def test_sound_commands_have_no_violations():
    """Each is executed once at most, and each sender hears of one end."""
    assert found_in(sound_commands()) == set()


@pytest.mark.parametrize("planted, check", [
    ([command(Kind.APPLIED, 2)], "repeated"),
    ([command(Kind.SENT, 5)], "unended"),
    ([command(Kind.SENT, 5), command(Kind.ACKED, 5), command(Kind.APPLIED, 5)], "unended"),
    ([command(Kind.ENDED, 4, "OK")], "unended"),                                                # Another end.
    ([command(Kind.SENT, 5), command(Kind.ENDED, 5, "OK")], "misreported"),                     # Not executed.
    ([command(Kind.SENT, 5), command(Kind.ENDED, 5, "OK"), command(Kind.APPLIED, 5)], "misreported"),  # Nor then.
    ([command(Kind.SENT, 5), command(Kind.ENDED, 5, "EXPIRED")], "misreported"),                # There was time.
    ([command(Kind.SENT, 5), command(Kind.ENDED, 5, command_checks.UNKNOWN)], "unknown"),       # Nobody died.
    ([command(Kind.APPLIED, 9)], "invented"),
])
def test_planted_violation_by_a_command_is_found(planted, check):
    """[L1] Each check of commands."""
    assert check in found_in([*sound_commands(), *planted])


def test_commands_out_of_order_are_found():
    """[L1] They are, where the taker was there from their acceptance on; where it came since, or it is another node's,
    one that was sent again may be late."""
    asked = [command(Kind.SENT, 5), command(Kind.SENT, 6), command(Kind.APPLIED, 6)]
    late = [command(Kind.APPLIED, 5), command(Kind.ENDED, 5, "OK"), command(Kind.ENDED, 6, "OK")]
    assert found_in([*sound_commands(), *asked, *late]) == {"disordered"}
    assert found_in([*sound_commands(), *asked, Record(Kind.ATTACHED, node="m"), *late]) == {"disordered"}
    assert found_in([*sound_commands(), *asked, TAKER_CAME, *late]) == set()


def test_commands_are_waited_for_and_remembered():
    """Until each has ended; and a new start remembers what became of those that may still matter."""
    kept = History([*sound_commands(), command(Kind.SENT, 5)])
    assert kept.behind() == [("down/commands", "n", "t")]
    kept.add(Kind.ENDED, "down/commands", "n", "t", 5, outcome="CANCELLED")
    assert kept.behind() == []
    for record in (command(Kind.SENT, 6), command(Kind.APPLIED, 6), command(Kind.ENDED, 6, "OK")):
        kept.add(record.kind, record.stream, record.node, record.key, record.number, outcome=record.outcome)
    kept.start_anew()
    assert found_in(kept.records) == set() and len(kept.records) < len(sound_commands())
    kept.add(Kind.APPLIED, "down/commands", "n", "t", 6)
    assert found_in(kept.records) == {"repeated"}


def tunnel(kind, key, number=0, up=False, epoch=0, outcome=""):
    """A record of one way of a tunnel; of its end, at the end to which that way leads."""
    return Record(kind, "up/tunnels" if up else "down/tunnels", "n", key, number, epoch=epoch, outcome=outcome)


def sound_tunnels():
    """The first is cut with something under way, the second half-closed, the third open."""
    return [
        tunnel(Kind.OPENED, "1", up=True), tunnel(Kind.SENT, "1", 1), tunnel(Kind.OPENED, "1", epoch=1),
        tunnel(Kind.APPLIED, "1", 1, epoch=1), tunnel(Kind.SENT, "1", 1, up=True), tunnel(Kind.SENT, "1", 2),
        tunnel(Kind.ENDED, "1", outcome="TUNNEL_LINK_LOST"), tunnel(Kind.ENDED, "1", up=True, outcome="TUNNEL_LINK_LOST"),
        tunnel(Kind.OPENED, "2", up=True), tunnel(Kind.SENT, "2", 1), tunnel(Kind.OPENED, "2", epoch=2),
        tunnel(Kind.APPLIED, "2", 1, epoch=2), tunnel(Kind.SENT, "2", 1, up=True),
        tunnel(Kind.APPLIED, "2", 1, up=True, epoch=2),
        tunnel(Kind.ENDED, "2", outcome="OK"), tunnel(Kind.ENDED, "2", up=True, outcome="OK"),
        tunnel(Kind.OPENED, "3", up=True), tunnel(Kind.SENT, "3", 1), tunnel(Kind.OPENED, "3", epoch=2),
        tunnel(Kind.APPLIED, "3", 1, epoch=2),
    ]


def ended(key, outcome, other=None):
    """Both users are told, of the same or not."""
    return [tunnel(Kind.ENDED, key, outcome=outcome),
            tunnel(Kind.ENDED, key, up=True, outcome=outcome if other is None else other)]


def test_sound_tunnels_have_no_violations():
    """What is under way when a tunnel is cut does not arrive, and nobody has to wait for it."""
    assert found_in(sound_tunnels()) == set()
    assert History(sound_tunnels()).behind() == []


@pytest.mark.parametrize("planted, check", [
    ([tunnel(Kind.SENT, "3", 2), tunnel(Kind.SENT, "3", 3), tunnel(Kind.APPLIED, "3", 3, epoch=2)], "missing"),
    ([tunnel(Kind.OPENED, "4"), tunnel(Kind.SENT, "4", 1), tunnel(Kind.SENT, "4", 2), tunnel(Kind.APPLIED, "4", 2)],
     "missing"),                                                                         # The first is not there.
    ([tunnel(Kind.APPLIED, "3", 1, epoch=2)], "backward"),                               # Twice.
    ([tunnel(Kind.APPLIED, "3", 2, epoch=2)], "invented"),
    ([tunnel(Kind.APPLIED, "1", 2, epoch=1)], "outlived"),                               # Of the older session.
    ([tunnel(Kind.ENDED, "3", outcome="TUNNEL_LINK_LOST")], "untold"),
    ([tunnel(Kind.ENDED, "3", up=True, outcome="TUNNEL_LINK_LOST")], "untold"),
    (ended("3", "NO_TUNNEL_TAKER"), "unexplained"),
    (ended("3", ""), "unexplained"),                                                     # No reason, and nobody died.
    ([*ended("3", "", ""), TAKER_CAME], "unexplained"),                                  # The box's end; not the cloud's.
    ([tunnel(Kind.SENT, "3", 2), *ended("3", "OK")], "truncated"),
    ([tunnel(Kind.SENT, "3", 1, up=True), *ended("3", "OK")], "truncated"),
])
def test_planted_violation_by_a_tunnel_is_found(planted, check):
    """[L1, L2] Each check of tunnels."""
    assert check in found_in([*sound_tunnels(), *planted])


def test_who_dies_with_a_tunnel_need_not_say_why():
    """A hub or edgehub-svc that is killed: the call of its user breaks."""
    assert found_in([*sound_tunnels(), *ended("3", "", "TUNNEL_LINK_LOST"), TAKER_CAME]) == set()
    assert found_in([*sound_tunnels(), *ended("3", "TUNNEL_LINK_LOST", ""), Record(Kind.ATTACHED)]) == set()


def test_tunnels_are_waited_for():
    """Until what was sent has arrived, or both ends know that it will not."""
    behind = History([*sound_tunnels(), tunnel(Kind.SENT, "3", 2)])
    assert behind.behind() == [("down/tunnels", "n", "3")]
    behind.add(Kind.ENDED, "down/tunnels", "n", "3", outcome="TUNNEL_LINK_LOST")
    assert behind.behind() == [("up/tunnels", "n", "3")]
    behind.add(Kind.ENDED, "up/tunnels", "n", "3", outcome="TUNNEL_LINK_LOST")
    assert behind.behind() == []


def test_open_tunnel_is_remembered():
    """From its beginning on: what comes later has no gap, and what came before comes no more. One that has ended is not."""
    kept = History([*sound_tunnels(), tunnel(Kind.SENT, "3", 2), tunnel(Kind.APPLIED, "3", 2, epoch=2)])
    kept.start_anew()
    assert found_in(kept.records) == set() and {r.key for r in kept.records} == {"3"}
    assert found_in([*kept.records, tunnel(Kind.SENT, "3", 3), tunnel(Kind.APPLIED, "3", 3, epoch=2)]) == set()
    assert found_in([*kept.records, tunnel(Kind.APPLIED, "3", 1, epoch=2)]) == {"backward"}
