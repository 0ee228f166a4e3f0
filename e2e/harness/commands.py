"""Commands: a service of the box that executes them, a sender at a hub, and a flow of them under a load."""

import itertools
import queue
import random
import threading
import time

from cluster import wait
from harness import probes, stubs
from harness.history import Kind
from harness.proxy import Proxy
from harness.stubs import grpc

TYPE = "devicemethod"
_UNDER_WAY_MAX = 48  # Of a flow; a hub takes 64.
_EXPIRE_SECONDS = 3 * 24 * 3600  # Beyond any step of a clock.


class Taker:
    """A service of the box that executes commands, each within a few milliseconds, and attaches again and again."""

    def __init__(self, node):
        self.executed = {}  # Key: how often.
        self._closed = False
        self._channel = stubs.unix_channel(node.run_dir / "edgehub.sock")
        self._stub = stubs.edgehub.SpokeServiceStub(self._channel)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        frame = stubs.edgehub.SpokeFrame
        while not self._closed:
            outgoing = queue.SimpleQueue()
            outgoing.put(frame(register={"spoke": "e2e-mapper", "command_types": [TYPE]}))
            try:
                for message in self._stub.Attach(iter(outgoing.get, None)):
                    if message.WhichOneof("body") != "command_request":
                        continue
                    key = message.command_request.key
                    self.executed[key] = self.executed.get(key, 0) + 1
                    time.sleep(random.random() * 0.01)  # Its work.
                    outgoing.put(frame(command_done={"key": key, "response": f"did {key}".encode()}))
            except grpc.RpcError:
                time.sleep(0.02)  # edgehub-svc is being killed, or is not there yet.
            finally:
                outgoing.put(None)

    def close(self):
        """Leaves for good."""
        self._closed = True
        self._channel.close()
        self._thread.join(10)


def stage(command):
    """Where a command is: "ACCEPTED"."""
    return stubs.command.Command.Stage.Name(command.stage).removeprefix("STAGE_")


class Sender:
    """Queues commands of edge-1 at one hub. Their keys make it safe to ask again."""

    def __init__(self, system, hub):
        clients = system.cloud.clients
        address = hub.addresses["api"]
        path = system.folder / f"api-{address.rpartition(':')[2]}.sock"
        self._relay = Proxy(system.cloud.host, f"unix:{path}", address)
        self._channel = stubs.tls_channel(path, clients / "ca.crt", clients / "edge-controller.crt",
                                          clients / "edge-controller.key", "localhost")
        self._stub = stubs.command.CommandServiceStub(self._channel)

    def send(self, key, timeout=10, expire_in=300, payload=b"open", delivery="DELIVERY_QUEUE"):
        """The call, which streams what becomes of the command."""
        return self._stub.SendCommand(
            stubs.command.SendCommandRequest(node="edge-1", key=key, type=TYPE, payload=payload, delivery=delivery,
                                             deadline={"seconds": 10}, expire_in={"seconds": expire_in}),
            timeout=timeout)

    def accept(self, key, **terms):
        """The hub has it (in its store, if it is to be queued); returns what it says first. Asked again until it does."""
        def accepted():
            try:
                call = self.send(key, timeout=5, **terms)
                first = next(call)
                call.cancel()
                return first
            except (grpc.RpcError, StopIteration):
                return None
        return wait.until(f"command {key} to be accepted", accepted, 30, 0.05)

    def end(self, key, **terms):
        """The command as it ended; None while its hub does not say."""
        try:
            last = list(self.send(key, **terms))[-1]
            return last if stage(last) in ("DONE", "EXPIRED", "CANCELLED") else None
        except (grpc.RpcError, IndexError):
            return None

    def cancel(self, key):
        """The command, which was not sent yet."""
        return self._stub.CancelCommand(stubs.command.CancelCommandRequest(name=f"nodes/edge-1/commands/{key}"), timeout=10)

    def close(self):
        """Leaves."""
        self._channel.close()
        self._relay.close()


class CommandFlow:
    """Commands of one box in a history: numbers, which its probe executes. One is sent when the former is accepted."""

    def __init__(self, history, node, channels):
        self._history = history
        self._node = node
        self._channels = channels
        self._stubs = [stubs.command.CommandServiceStub(channel) for channel in channels]
        self._next = itertools.cycle(self._stubs)  # Whichever hub is asked, it is the same command.
        self._number = 0
        self._heard = 0  # Of the numbers before and with it the end is known.
        self._calls = queue.SimpleQueue()  # (number, call) of those that are accepted.
        self._closed = False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        self.failures = []

    def send(self, count):
        """The next command, asked for until it is accepted; none while as many wait as may."""
        del count
        if self._number - self._heard >= _UNDER_WAY_MAX:
            return
        self._number += 1
        self._history.add(Kind.SENT, probes.COMMANDS, self._node, probes.TYPE, self._number)
        call = wait.until(f"command {self._number} of {self._node} to be accepted",
                          lambda: self._ask(self._number), 60, 0.02)
        self._history.add(Kind.ACKED, probes.COMMANDS, self._node, probes.TYPE, self._number)
        self._calls.put((self._number, call))

    def _ask(self, number):
        """A call whose first word has been heard, and so the command accepted."""
        call = next(self._next).SendCommand(stubs.command.SendCommandRequest(
            node=self._node, key=f"{probes.TYPE}-{number}", type=probes.TYPE, payload=str(number).encode(),
            delivery="DELIVERY_QUEUE", deadline={"seconds": 60}, expire_in={"seconds": _EXPIRE_SECONDS}), timeout=120)
        try:
            return itertools.chain([next(call)], call)
        except grpc.RpcError:
            return None  # The hub is away, or full.

    def _follow(self):
        """Hears how each ends, asked again where a call breaks; and once more, of the key that has ended."""
        for number, call in iter(self._calls.get, None):
            for words in (call, None):
                while not self._closed and not self._hear(number, words):
                    words = None
            self._heard = number

    def _hear(self, number, words):
        words = words or self._ask(number)
        if words is None:
            time.sleep(0.02)
            return False
        started = False
        try:
            for command in words:
                if started and stage(command) in ("ACCEPTED", "SENT", "DELIVERED"):
                    self.failures.append(f"L1: command {number} of {self._node} was started, and is {stage(command)} again")
                started = started or stage(command) == "STARTED"
        except grpc.RpcError:
            return False
        outcome = stubs.reason(command.status) if stage(command) == "DONE" else stage(command)
        if outcome == "OK" and command.response != f"did {number}".encode():
            self.failures.append(f"L1: command {number} of {self._node} ended with {command.response}")
        self._history.add(Kind.ENDED, probes.COMMANDS, self._node, probes.TYPE, number, outcome=outcome)
        return True

    def take_failures(self):
        """What senders heard that they should not have."""
        failures, self.failures = self.failures, []
        return failures

    def close(self):
        """What is under way stays so."""
        self._closed = True
        self._calls.put(None)
        for channel in self._channels:
            channel.close()
        self._thread.join(10)
