"""What was sent, acknowledged and applied, and whether it keeps the promises of ARCHITECTURE.md.

Every value of a load is a number that goes up, under a key of a stream ("down/configmaps", "up/pods"). Those who send,
receive and apply it note that in a History, in the order in which they come to know it. The checks are functions of the
records and name what they find.

Most streams are of state: a newer value stands for all before it. Of a log every value counts, and the numbers of a key
have no gaps. Others have checks of their own: a command is executed and ends (harness/command_checks.py), a tunnel is opened
and ends (harness/tunnel_checks.py).
"""

import bisect
import collections
import dataclasses
import enum
import math
import threading
import time


DOWN_TUNNELS, UP_TUNNELS = "down/tunnels", "up/tunnels"
TUNNELS = frozenset({DOWN_TUNNELS, UP_TUNNELS})
LOGS = frozenset({"up/events"}) | TUNNELS
COMMANDS = frozenset({"down/commands"})


class Kind(enum.Enum):
    """What happened to a value."""

    SENT = "sent"            # Noted before the attempt: it may be applied from here on.
    ACKED = "acked"          # The system said that it is durable.
    DELIVERED = "delivered"  # Handed to the receiving end, which may have it already.
    APPLIED = "applied"      # Took effect at the receiving end.
    DELETED = "deleted"      # Its key was deleted by its owner.
    REMOVED = "removed"      # Its key is gone at the receiving end.
    SESSION = "session"      # The node's session of this epoch began.
    ATTACHED = "attached"    # The node's probe has a stream to edgehub-svc (again); without a node, the controller to a hub.
    OPENED = "opened"        # The receiving end of a tunnel was told that it is open.
    ENDED = "ended"          # The sender of a command heard how it ended; the receiving end of a tunnel did.


@dataclasses.dataclass(frozen=True)
class Record:
    """One thing that happened."""

    kind: Kind
    stream: str = ""
    node: str = ""
    key: str = ""
    number: int = 0
    at: float = 0.0       # Of this machine's monotonic clock.
    epoch: int = 0        # Of the session by which it came; 0 where the receiving end can't tell.
    stamp: object = None  # The time that the value itself bears.
    outcome: str = ""     # How it ended: "OK", or the reason of the error.

    @property
    def place(self):
        """What the number counts in."""
        return self.stream, self.node, self.key

    def __str__(self):
        return f"{'/'.join(self.place)} {self.kind.value} {self.number} epoch {self.epoch} at {self.at:.3f}"


class History:
    """Records in order. Any thread may add."""

    def __init__(self, records=()):
        self._lock = threading.Lock()
        self._records = list(records)
        self._last = {}
        self._open = set()  # (place, number) of commands that have not ended.
        for record in self._records:
            self._note(record)

    def _note(self, record):
        self._last[record.kind, record.place] = record
        if record.stream in COMMANDS and record.kind is Kind.SENT:
            self._open.add((record.place, record.number))
        elif record.kind is Kind.ENDED:
            self._open.discard((record.place, record.number))

    def add(self, kind, stream="", node="", key="", number=0, epoch=0, stamp=None, outcome=""):
        """Notes what happened just now."""
        with self._lock:
            record = Record(kind, stream, node, key, number, time.monotonic(), epoch, stamp, outcome)
            self._records.append(record)
            self._note(record)

    @property
    def records(self):
        """A copy."""
        with self._lock:
            return list(self._records)

    def since(self, began):
        """A copy of what was noted from then on."""
        with self._lock:
            return self._records[bisect.bisect_left(self._records, began, key=lambda r: r.at):]

    def start_anew(self):
        """Forgets all but what the next records must not fall behind: the last of each place, the last sessions, and
        what has been sent and is applied last or may still be, with what became of it if it is a command; and all of
        tunnels that have not ended."""
        with self._lock:
            self._records = [r for r in self._records if self._matters(r)]

    def _matters(self, record):
        if record.stream in TUNNELS:
            return not self._ended(record.place)
        if self._last[record.kind, record.place] is record:
            return True
        return (record.kind is Kind.SENT or record.stream in COMMANDS) and \
            record.number >= self._number(Kind.APPLIED, record.place)

    def last(self, kind, place):
        """The number of a place's last record of a kind; -1 if it has none."""
        with self._lock:
            return self._number(kind, place)

    def _number(self, kind, place):
        record = self._last.get((kind, place))
        return -1 if record is None else record.number

    def behind(self):
        """Places where the last value acknowledged, or the last sent in a tunnel that is open, is not applied (yet); of
        commands and tunnels that have not ended for all who are to hear of it."""
        with self._lock:
            values = [place for (kind, place), r in self._last.items() if self._counts(r) and
                      r.number > self._number(Kind.APPLIED, place)]
            ends = [place for kind, place in self._last if kind is Kind.OPENED and not self._ended(place) and
                    any(self._ended((stream, *place[1:])) for stream in TUNNELS)]
            return values + ends + sorted({place for place, _ in self._open})

    def _counts(self, record):
        if record.stream in TUNNELS:
            return record.kind is Kind.SENT and not self._ended(record.place)
        return record.kind is Kind.ACKED and record.stream not in COMMANDS

    def _ended(self, place):
        return (Kind.ENDED, place) in self._last


# ---- L1

def backward(records):
    """[L1] A value goes back, or takes effect twice."""
    found, applied, delivered = [], {}, {}
    for record in records:
        if record.stream in COMMANDS:
            continue
        if record.kind is Kind.APPLIED:
            if record.number <= applied.get(record.place, -1):
                found.append(f"L1: {record}, after {applied[record.place]}")
            applied[record.place] = max(record.number, applied.get(record.place, -1))
        elif record.kind is Kind.DELIVERED:
            if record.number < delivered.get(record.place, -1):
                found.append(f"L1: {record}, after {delivered[record.place]}")
            delivered[record.place] = max(record.number, delivered.get(record.place, -1))
    return found


def missing(records):
    """[L1] A log has a gap."""
    found, applied = [], {}
    for record in records:
        if record.kind is Kind.OPENED:
            applied[record.place] = 0
        elif record.kind is Kind.APPLIED and record.stream in LOGS:
            if record.number > applied.get(record.place, record.number) + 1:
                found.append(f"L1: {record}, after {applied[record.place]}")
            applied[record.place] = max(record.number, applied.get(record.place, -1))
    return found


def lost(records):
    """[L1] In the end something acknowledged has neither taken effect nor been replaced by something newer."""
    acked, applied = {}, {}
    for record in records:
        if record.stream in COMMANDS:
            continue
        if record.kind is Kind.ACKED:
            acked[record.place] = max(record.number, acked.get(record.place, -1))
        elif record.kind is Kind.APPLIED:
            applied[record.place] = max(record.number, applied.get(record.place, -1))
    return [f"L1: {'/'.join(place)}: {number} was acknowledged, the last applied is {applied.get(place)}"
            for place, number in acked.items() if applied.get(place, -1) < number]


def invented(records):
    """[L1] Something took effect that nobody had sent."""
    found, sent = [], set()
    for record in records:
        if record.kind is Kind.SENT:
            sent.add((record.place, record.number))
        elif record.kind in (Kind.APPLIED, Kind.DELIVERED) and (record.place, record.number) not in sent:
            found.append(f"L1: {record}, which was not sent")
    return found


# ---- L2

def outlived(records):
    """[L2] After the first sign of a newer session a receiving end takes something of an older one."""
    found, newest = [], {}
    for record in records:
        if record.epoch == 0:
            continue
        end = record.stream, record.node
        if record.epoch < newest.get(end, 0):
            found.append(f"L2: {record}, after epoch {newest[end]}")
        newest[end] = max(record.epoch, newest.get(end, 0))
    return found


# ---- L3

def undetected(fault_at, noticed_at, heartbeat, margin):
    """[L3] A dead peer was not noticed within two heartbeats. The margin is for this machine, which is busy."""
    if noticed_at is None:
        return ["L3: the dead peer was not noticed"]
    took = noticed_at - fault_at
    return [f"L3: noticed after {took:.2f} s, two heartbeats are {2 * heartbeat:g} s"] \
        if took > 2 * heartbeat + margin else []


# ---- L4

def delays(records, stream, node):
    """How long each value of a node took from being sent to being applied."""
    sent, result = {}, []
    for record in records:
        if (record.stream, record.node) != (stream, node):
            continue
        if record.kind is Kind.SENT:
            sent[record.key, record.number] = record.at
        elif record.kind is Kind.APPLIED and (record.key, record.number) in sent:
            result.append(record.at - sent[record.key, record.number])
    return result


def quantile(values, part):
    """The value that this part of the values does not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(part * len(ordered)) - 1]


def hampered(quiet, disturbed, factor, slack):
    """[L4] A node waits longer because of another: 95 of 100 delays, against those of the undisturbed run."""
    if not quiet or not disturbed:
        return ["L4: nothing was measured"]
    bound = factor * quantile(quiet, 0.95) + slack
    seen = quantile(disturbed, 0.95)
    return [f"L4: {seen:.3f} s beside the disturbed node, at most {bound:.3f} s were allowed"] if seen > bound else []


# ---- A2, A3

def vanished(records):
    """[A2] The box lost an object that the cloud has."""
    found, deleted = [], collections.Counter()
    for record in records:
        if record.kind is Kind.DELETED:
            deleted[record.place] += 1
        elif record.kind is Kind.REMOVED:
            deleted[record.place] -= 1
            if deleted[record.place] < 0:
                found.append(f"A2: {record}, which nobody deleted")
    return found


def restamped(records):
    """[A3] A value arrived with another time than its own."""
    found, stamps = [], {}
    for record in records:
        if record.stamp is None:
            continue
        if record.kind is Kind.SENT:
            stamps[record.place, record.number] = record.stamp
        elif stamps.get((record.place, record.number), record.stamp) != record.stamp:
            found.append(f"A3: {record} of {record.stamp}, was sent as of {stamps[record.place, record.number]}")
    return found


CHECKS = (backward, missing, lost, invented, outlived, vanished, restamped)


def violations(records, checks=CHECKS):
    """All that a history alone can show."""
    return [found for check in checks for found in check(records)]
