"""A load on a whole system that notes what it does, so that a scenario can ask afterwards what the system made of it."""

import collections
import contextlib
import itertools
import threading
import time

from cluster import wait

from . import command_checks, history, objects, probes, stubs, tunnel_checks, tunnels
from .commands import CommandFlow
from .history import History, Kind
from .proxy import Proxy

_KEYS = [f"probe-{n}" for n in range(4)]
_PERIOD = 0.025  # Of each writer: a change down and a report up, of each kind and box.
_SETTLE_TIMEOUT = 45
_KEPT = (objects.DOWN, objects.UP, probes.UP, probes.EVENTS)  # Until the other end has them.
_STREAMS = (*_KEPT, probes.DOWN, probes.COMMANDS, tunnels.DOWN, tunnels.UP)


class Load:
    """Objects and probes of every box. `with load.running():` is a scenario: it ends when everything has arrived, and
    fails if the history breaks a promise."""

    def __init__(self, system, priority="PRIORITY_TELEMETRY"):
        self.history = History()
        self._system = system
        self._nodes = list(system.nodes.values())
        self._relays = [Proxy(system.cloud.host, f"unix:{system.folder}/relay-{n}.sock", hub.addresses["api"])
                        for n, hub in enumerate(system.cloud.hubs)]
        self.cloud = probes.CloudProbe(self.history, self._hub_channels())
        self.edges = {node.name: probes.EdgeProbe(self.history, node, priority) for node in self._nodes}
        self.objects = {node.name: objects.BoxObjects(self.history, system, node) for node in self._nodes}
        self.commands = {name: CommandFlow(self.history, name, self._hub_channels()) for name in self.edges}
        self.tunnels = {name: tunnels.User(self.history, name, self._hub_channels()) for name in self.edges}
        self._writing = threading.Event()
        self._closed = False
        self._failures = []
        steps = [self._write_cloud, *(self._writer(node.name) for node in self._nodes),
                 *(flow.send for flow in self.commands.values())]
        self._busy = [threading.Lock() for _ in steps]
        self._threads = [threading.Thread(target=self._write, args=pair, daemon=True)
                         for pair in zip(steps, self._busy)]

    def _hub_channels(self):
        """One to each hub."""
        clients = self._system.cloud.clients
        return [stubs.tls_channel(relay.address.removeprefix("unix:"), clients / "ca.crt", clients / "edge-controller.crt",
                                  clients / "edge-controller.key", "localhost") for relay in self._relays]

    def start(self, progress=True):
        """Attaches the probes, makes the objects, and waits until values arrive."""
        self.cloud.start()
        for name, edge in self.edges.items():
            edge.start()
            self.objects[name].start()
        wait.until("the probes to be connected", lambda: all(self.connected(name) for name in self.edges))
        for thread in self._threads:
            thread.start()
        if progress:
            with self.running():
                self.await_progress()
        return self

    def close(self):
        """Ends everything."""
        self._closed = True
        self._writing.set()
        for end in self._ends():
            end.close()
        for relay in self._relays:
            relay.close()

    def _ends(self):
        return *self.objects.values(), *self.commands.values(), *self.tunnels.values(), *self.edges.values(), self.cloud

    # ---- writing

    def _write(self, step, busy):
        for count in itertools.count():
            self._writing.wait()
            if self._closed:
                return
            try:
                with busy:
                    if self._writing.is_set():
                        step(count)
            except Exception as error:  # pylint: disable=broad-except
                self._failures.append(repr(error))
            time.sleep(_PERIOD)

    def _write_cloud(self, count):
        for name, box in self.objects.items():
            self.cloud.put(name, _KEYS[count % len(_KEYS)])
            box.change(box.keys[count % len(box.keys)])
            self.tunnels[name].put()

    def _writer(self, name):
        def step(count):
            box = self.objects[name]
            self.edges[name].put(_KEYS[count % len(_KEYS)])
            self.edges[name].put_event()
            self.edges[name].tunnels.put()
            box.report(box.keys[count % len(box.keys)])
        return step

    # ---- what is to be seen

    def connected(self, name):
        """Both ends of a box's link say so."""
        return self.edges[name].connected and name in self.cloud.sessions

    def await_connected(self, *names, timeout=30):
        """Until both ends of these boxes' links, or of all, say so."""
        for name in names or self.edges:
            wait.until(f"{name} to be connected", lambda n=name: self.connected(n), timeout, 0.02)

    def await_progress(self, *names, timeout=30, without=()):
        """Until, from now on, a value of each kind has been sent and applied for these boxes, or for all; but of streams
        that have to wait."""
        began = time.monotonic()
        names = set(names or self.edges)
        streams = set(_STREAMS) - set(without)

        def arrived():
            seen, sent = set(), set()
            for record in self.history.since(began):
                if record.node not in names:
                    continue
                if record.kind is Kind.SENT:
                    sent.add((record.place, record.number))
                elif record.kind is Kind.APPLIED and (record.place, record.number) in sent:
                    seen.add((record.stream, record.node))
            return len([stream for stream, _ in seen if stream in streams]) == len(streams) * len(names)

        wait.until("new values of every kind to arrive", arrived, timeout, 0.05)

    def await_acknowledged(self, name, count=20, timeout=30):
        """Until, from now on, so many values of each kind have been acknowledged that a box cut off has to hand over
        or is to get: reports by the box, objects by the API. (Commands stop sooner: a hub takes 64 of a box.)"""
        began = time.monotonic()

        def acknowledged():
            seen = collections.Counter(r.stream for r in self.history.since(began)
                                       if r.node == name and r.kind is Kind.ACKED)
            return min(seen[stream] for stream in _KEPT) >= count

        wait.until(f"{count} values to be acknowledged", acknowledged, timeout, 0.05)

    def measure(self, name, count, timeout=30):
        """{stream: how long each value took} of so many values of each kind of a box, from now on."""
        began = time.monotonic()
        result = {}

        def measured():
            records = self.history.since(began)
            for stream in _STREAMS:
                result[stream] = history.delays(records, stream, name)
            return min(map(len, result.values())) >= count

        wait.until(f"{count} values of every kind of {name}", measured, timeout, 0.1)
        return result

    @contextlib.contextmanager
    def running(self, excused=()):
        """Writes all the while; then waits until everything acknowledged has been applied, and checks, but for what is
        excused."""
        self.history.start_anew()
        self._writing.set()
        try:
            yield self.history
        finally:
            self._writing.clear()
            for busy in self._busy:  # Nothing is sent any more once each has been free.
                with busy:
                    pass
        with contextlib.suppress(wait.TimedOut):  # What is lost is told below, and more besides.
            wait.until("everything to arrive", lambda: not self.history.behind(), _SETTLE_TIMEOUT, 0.05)
        records = self.history.records
        checks = [check for check in (*history.CHECKS, *command_checks.CHECKS, *tunnel_checks.CHECKS)
                  if check not in excused]
        found = history.violations(records, checks)
        for end in (self, *self._ends()):
            found += end.take_failures()
        assert not found, "\n".join([f"{len(found)} violations in {len(records)} records:", *found[:20]])

    def take_failures(self):
        """What writers could not do though they should."""
        failures, self._failures = self._failures, []
        return failures
