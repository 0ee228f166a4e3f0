"""What the history of tunnels must keep (docs/spec/link.md section 8), beside what every log must: no gap, nothing twice.

A tunnel's key is the number that its user gave it. What goes to an end is in the end's stream, and so is when the end was
told that the tunnel is OPENED, and that it has ENDED.
"""

from .history import DOWN_TUNNELS, TUNNELS, UP_TUNNELS, Kind

LOST = "TUNNEL_LINK_LOST"
_NO_REASON = ""  # As when the process that has the call dies.


def _of(records, kind):
    return {r.place: r for r in records if r.stream in TUNNELS and r.kind is kind}


def _other(place):
    stream, *rest = place
    return UP_TUNNELS if stream == DOWN_TUNNELS else DOWN_TUNNELS, *rest


def untold(records):
    """One user of a tunnel was told that it is over, and the other not (link-8.7)."""
    opened, ended = _of(records, Kind.OPENED), _of(records, Kind.ENDED)
    return [f"L3: {record}, and the other end was not told" for place, record in ended.items()
            if place in opened and _other(place) in opened and _other(place) not in ended]


def unexplained(records):
    """A user was told another reason than that the link was lost (link-8.7): it half-closed when it was done, and nobody
    hung up. The process that has its call may die, so that it hears none; then its other streams end, too."""
    found, opened, last_attached = [], {}, {}
    for index, record in enumerate(records):
        if record.kind is Kind.ATTACHED:
            last_attached[record.node] = index
        elif record.stream in TUNNELS and record.kind is Kind.OPENED:
            opened[record.place] = index
    for record in records:
        if record.stream not in TUNNELS or record.kind is not Kind.ENDED or record.place not in opened:
            continue
        peer = "" if record.stream == UP_TUNNELS else record.node
        died = last_attached.get(peer, -1) > opened[record.place]
        if record.outcome not in ("OK", LOST) and not (record.outcome == _NO_REASON and died):
            found.append(f"L1: {record} with {record.outcome!r}")
    return found


def truncated(records):
    """A tunnel ended well before all had arrived (link-8.5)."""
    sent, applied = _of(records, Kind.SENT), _of(records, Kind.APPLIED)
    return [f"L1: {record} with OK, before {sent[place]}" for place, record in _of(records, Kind.ENDED).items()
            if record.outcome == "OK" and place in sent and
            (place not in applied or applied[place].number < sent[place].number)]


CHECKS = (untold, unexplained, truncated)
