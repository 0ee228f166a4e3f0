"""The checks of a history find what is planted, and nothing else."""

import pytest
from harness import history
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
