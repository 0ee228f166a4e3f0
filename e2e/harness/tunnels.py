"""Tunnels in a history: one of each box at a time, opened anew when it ends, with numbered records both ways.

The cloud's end begins: it sends once it is told that the tunnel is open, and the box's end once it has heard something,
so what either has sent was on its way in a tunnel of both. Every few hundred records they half-close; then nothing may be
missing.
"""

import queue
import threading
import time

from . import stubs
from .history import DOWN_TUNNELS as DOWN, UP_TUNNELS as UP, Kind
from .stubs import grpc

TYPE = "probes"
_LENGTH = 200       # Records down before the half close.
_WAITING_MAX = 64   # Records that gRPC has not taken.
_HEAD = 8


def _record(number):
    """Mostly small; some are more than goes in one frame beside others."""
    return number.to_bytes(_HEAD, "big") + bytes([number % 251]) * (20 << 10 if number % 50 == 0 else number * 97 % 251)


class _End:
    """One end of one tunnel after the other."""

    def __init__(self, history, node, sends, receives):
        self._history = history
        self._node = node
        self._sends = sends
        self._receives = receives
        self._lock = threading.Lock()
        self._outgoing = None  # None: nothing may be sent.
        self._message = None   # Of what is sent.
        self._key = ""
        self._number = 0       # Last sent.
        self._taken = 0        # Messages that gRPC has taken.
        self._call = None
        self._closed = False
        self.failures = []

    def close(self):
        """Ends the tunnel, and begins no other."""
        with self._lock:
            self._closed = True
            if self._call is not None:
                self._call.cancel()

    def put(self):
        """The next record, if there is a tunnel and it has room."""
        with self._lock:
            if self._outgoing is None or self._number - self._taken >= _WAITING_MAX:
                return
            self._number += 1
            self._history.add(Kind.SENT, self._sends, self._node, self._key, self._number)
            self._outgoing.put(self._message(data=_record(self._number)))
            if self._sends == DOWN and self._number == _LENGTH:
                self._half_close()

    def _half_close(self):
        self._outgoing.put(self._message(half_close={}))
        self._outgoing = None

    def _messages(self, outgoing):
        for message in iter(outgoing.get, None):
            yield message
            self._taken += 1

    def _talk(self, method, message, first, key, epoch=0):
        """One tunnel, to its end; False if it was not opened."""
        self._message, self._key, self._number, self._taken = message, key, 0, 0
        outgoing, incoming, opened, outcome = queue.SimpleQueue(), bytearray(), False, "OK"
        outgoing.put(message(**first))
        with self._lock:
            if self._closed:
                return False
            call = self._call = method(self._messages(outgoing))
        try:
            for answer in call:
                if not opened:
                    opened = True
                    self._history.add(Kind.OPENED, self._receives, self._node, key, epoch=epoch)
                    with self._lock:
                        self._outgoing = outgoing
                        if epoch:
                            outgoing.put(message(data=epoch.to_bytes(_HEAD, "big")))  # For the cloud, which can't tell.
                if answer.HasField("half_close"):
                    with self._lock:
                        if self._outgoing is not None:
                            self._half_close()
                incoming += answer.data
                if not epoch and len(incoming) >= _HEAD:
                    epoch = int.from_bytes(incoming[:_HEAD], "big")
                    del incoming[:_HEAD]
                self._apply(incoming, key, epoch)
        except grpc.RpcError as error:
            outcome = stubs.reason_of(error)
        finally:
            with self._lock:
                self._outgoing = None
            outgoing.put(None)
        if opened or self._receives == DOWN:
            self._history.add(Kind.ENDED, self._receives, self._node, key, outcome=outcome)
        return opened

    def _apply(self, incoming, key, epoch):
        while len(incoming) >= _HEAD:
            number = int.from_bytes(incoming[:_HEAD], "big")
            record = _record(number % (1 << 32))
            if not record.startswith(incoming[:len(record)]):
                self.failures.append(f"L1: {self._receives} of {self._node}, tunnel {key}: {bytes(incoming[:64])} "
                                     "is no record")
                incoming.clear()
            if len(incoming) < len(record):
                return
            del incoming[:len(record)]
            self._history.add(Kind.APPLIED, self._receives, self._node, key, number, epoch)

    def take_failures(self):
        """What came that nobody sends."""
        failures, self.failures = self.failures, []
        return failures


class User(_End):
    """The cloud's end of a box's tunnels, at whichever hub has the box."""

    def __init__(self, history, node, channels):
        super().__init__(history, node, DOWN, UP)
        self._channels = channels
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        stub, count = [stubs.cloud_tunnel.TunnelServiceStub(channel) for channel in self._channels], 0
        while not self._closed:
            count += 1
            opened = self._talk(stub[count % len(stub)].OpenTunnel, stubs.cloud_tunnel.OpenTunnelRequest,
                                {"open": {"node": self._node, "type": TYPE, "target": str(count).encode()}}, str(count))
            if not opened:
                time.sleep(0.05)  # The box is away, or the service that is to take it.

    def close(self):
        super().close()
        self._thread.join(10)
        for channel in self._channels:
            channel.close()


class Taker(_End):
    """The box's end. A tunnel is joined when the former has ended."""

    def __init__(self, history, node, channel):
        super().__init__(history, node, UP, DOWN)
        self._stub = stubs.edge_tunnel.TunnelServiceStub(channel)
        self._offers = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def offer(self, request):
        """TunnelRequest."""
        self._offers.put(request)

    def _run(self):
        for request in iter(self._offers.get, None):
            self._talk(self._stub.JoinTunnel, stubs.edge_tunnel.JoinTunnelRequest,
                       {"join": {"epoch": request.epoch, "tunnel_id": request.tunnel_id}}, request.target.decode(),
                       request.epoch)

    def close(self):
        super().close()
        self._offers.put(None)
        self._thread.join(10)
