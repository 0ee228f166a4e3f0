"""Commands: a service of the box that executes them, and a sender at a hub."""

import queue
import random
import threading
import time

from cluster import wait
from harness import stubs
from harness.proxy import Proxy
from harness.stubs import grpc

TYPE = "devicemethod"


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

    def send(self, key, timeout=10, expire_in=300):
        """The call, which streams what becomes of the command."""
        return self._stub.SendCommand(
            stubs.command.SendCommandRequest(node="edge-1", key=key, type=TYPE, payload=b"open", delivery="DELIVERY_QUEUE",
                                             deadline={"seconds": 10}, expire_in={"seconds": expire_in}),
            timeout=timeout)

    def accept(self, key):
        """The hub has it in its store. Asked again until it says so."""
        def accepted():
            try:
                call = self.send(key, timeout=5)
                next(call)
                call.cancel()
                return True
            except (grpc.RpcError, StopIteration):
                return False
        wait.until(f"command {key} to be accepted", accepted, 30, 0.05)

    def end(self, key):
        """The command as it ended; None while its hub does not say."""
        try:
            last = list(self.send(key))[-1]
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
