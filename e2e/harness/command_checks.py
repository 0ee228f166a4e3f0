"""What the history of commands must keep: L1 as docs/spec/link.md section 10 has it.

A command is SENT once, before its sender first asks for it; ACKED when a hub has accepted it, before which the sender asks
for no later one; APPLIED when the service of the box executes it; ENDED when a sender has heard how it ended, again if it
asks again. By which session it came to the box nobody there can tell: it may have come in one and begin in a later one.
"""

import collections

from .history import COMMANDS, Kind

UNKNOWN = "COMMAND_OUTCOME_UNKNOWN"


def _commands(records):
    return [record for record in records if record.stream in COMMANDS]


def _attached(records):
    """Node: indices of the records at which its taker came."""
    found = collections.defaultdict(list)
    for index, record in enumerate(records):
        if record.kind is Kind.ATTACHED:
            found[record.node].append(index)
    return found


def _name(record):
    return record.place, record.number


def repeated(records):
    """[L1] A command is executed twice (link-10.1)."""
    found, executed = [], set()
    for record in _commands(records):
        if record.kind is Kind.APPLIED:
            if _name(record) in executed:
                found.append(f"L1: {record}, again")
            executed.add(_name(record))
    return found


def disordered(records):
    """[L1] A command is executed after one that was accepted later (link-10.3), though its taker was there all the
    while. Where the taker had gone, the command may have come back to the cloud and been sent again behind others."""
    found, sent, latest, attached = [], {}, {}, _attached(records)
    for index, record in enumerate(records):
        if record.stream not in COMMANDS:
            continue
        if record.kind is Kind.SENT:
            sent[_name(record)] = index
        elif record.kind is Kind.APPLIED:
            former = latest.get(record.place, -1)
            began = sent.get(_name(record), index)
            if record.number < former and not any(began < came < index for came in attached[record.node]):
                found.append(f"L1: {record}, after {former}")
            latest[record.place] = max(record.number, former)
    return found


def unended(records):
    """[L1] A sender did not hear how its command ended, or heard of two ends (link-10.9)."""
    found, sent, ends = [], {}, {}
    for record in _commands(records):
        if record.kind is Kind.SENT:
            sent[_name(record)] = record
        elif record.kind is Kind.ENDED:
            first = ends.setdefault(_name(record), record.outcome)
            if record.outcome != first:
                found.append(f"L1: {record} with {record.outcome}, before that with {first}")
    return found + [f"L1: {record}, and never ended" for name, record in sent.items() if name not in ends]


def misreported(records):
    """[L1] A sender heard that its command was executed, which it was not; or that it ended in another way than by
    its execution or with an outcome that nobody knows, though its taker answers and there is time."""
    found, executed, sent = [], set(), set()
    for record in _commands(records):
        if record.kind is Kind.SENT:
            sent.add(_name(record))
        elif record.kind is Kind.APPLIED:
            executed.add(_name(record))
        elif record.kind is Kind.ENDED and _name(record) in sent:
            if record.outcome not in ("OK", UNKNOWN):
                found.append(f"L1: {record} with {record.outcome}")
            elif record.outcome == "OK" and _name(record) not in executed:
                found.append(f"L1: {record} with OK, and was not executed")
    return found


def unknown(records):
    """[L1] Nobody knows how a command ended, though its taker was there all the while (link-10.8)."""
    found, sent, attached = [], {}, _attached(records)
    for index, record in enumerate(records):
        if record.stream not in COMMANDS:
            continue
        if record.kind is Kind.SENT:
            sent[_name(record)] = index
        elif record.outcome == UNKNOWN and _name(record) in sent:
            # The end may be heard before the taker is back.
            if not any(came > sent[_name(record)] for came in attached[record.node]):
                found.append(f"L1: {record} with {UNKNOWN}, and its taker was there")
    return found


CHECKS = (repeated, disordered, unended, misreported, unknown)
