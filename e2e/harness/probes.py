"""Both ends of the link as their neighbours see them: a controller of the cloud and a service of each box, in Python.

They own what is called "probes" and speak SpokeService, so that what the hubs do shows without the services beside
them. Each kind of frame has its method in `_on`: a class of traffic that the link gains gets methods here and a stream
in the history.
"""

import base64
import collections
import json
import os
import queue
import threading
import time

from . import stubs, tunnels
from .history import Kind
from .stubs import grpc

TYPE = "probes"
_EVENTS_MAX = 500  # Of a box, that wait for edgehub-svc.
DOWN, UP, EVENTS, COMMANDS = "down/probes", "up/probes", "up/events", "down/commands"


def _noise(size):
    """Text that is so many bytes on the line, compressed (6 bits of each character); a third more before."""
    return base64.b64encode(os.urandom(size)).decode()


class _Spoke:
    """A stream to a hub that is opened again whenever it ends."""

    def __init__(self, history, channel, spoke_frame, stub):
        self._history = history
        self._channel = channel
        self._frame = spoke_frame
        self._stub = stub(channel)
        self._outgoing = None  # None: not attached.
        self._lock = threading.RLock()
        self._call = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failures = []  # What this end itself found to be broken.

    def start(self):
        """Attaches."""
        self._thread.start()
        return self

    def idle(self):
        """All that is to be sent is on its way."""
        outgoing = self._outgoing
        return outgoing is None or outgoing.empty()

    def detach(self):
        """Ends the stream; the next one follows at once."""
        if self._call is not None:
            self._call.cancel()

    def close(self):
        """Detaches for good."""
        self._closed = True
        self.detach()
        self._thread.join(10)
        self._channel.close()

    def take_failures(self):
        """What this end found to be broken since it was last asked."""
        failures, self.failures = self.failures, []
        return failures

    def _run(self):
        while not self._closed:
            outgoing = queue.SimpleQueue()
            outgoing.put(self._frame(register={"spoke": "e2e-probe", "resource_types": [TYPE], "report_types": [TYPE],
                                               "event_streams": self._event_streams, **self._takes}))
            with self._lock:
                self._outgoing = outgoing
            try:
                self._call = self._stub.Attach(iter(outgoing.get, None))
                for frame in self._call:
                    with self._lock:
                        kind = frame.WhichOneof("body")
                        self._take(kind, getattr(frame, kind))
            except grpc.RpcError:
                time.sleep(0.02)  # The service is being killed, or is not there yet.
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))
            finally:
                with self._lock:
                    self._outgoing = None
                    self._detached()
                outgoing.put(None)

    def send(self, **body):
        """A frame, if there is a stream."""
        outgoing = self._outgoing
        if outgoing is not None:
            outgoing.put(self._frame(**body))

    def _take(self, kind, body):
        """What the hub says."""
        self._on[kind](self, body)

    def _detached(self):
        """The stream is over."""

    _on = {}  # Methods by the name of the frame's body.
    _event_streams = ()
    _takes = {}  # Further fields of Register.


class _HubStream(_Spoke):
    """The controller's stream to one hub."""

    _event_streams = (TYPE, )

    def __init__(self, controller, history, channel):
        super().__init__(history, channel, stubs.cloudhub.SpokeFrame, stubs.cloudhub.SpokeServiceStub)
        self._controller = controller

    def _take(self, kind, body):
        self._controller.take(self, kind, body)

    def _detached(self):
        self._controller.drop(self)


class CloudProbe:
    """The controller, of one hub or several: of a node's sessions it hears that of the greatest epoch (link-2.7)."""

    def __init__(self, history, channels):
        self._history = history
        self._lock = threading.RLock()
        self._streams = [_HubStream(self, history, channel) for channel in channels]
        self._at = {}         # Node: the stream of its last session.
        self._epochs = {}     # Node: the epoch of its last session.
        self.failures = []
        self.silent = False   # Reports are applied and not answered.
        self.sessions = {}    # Node: epoch.
        self.ended = collections.defaultdict(list)  # Node: (when, reason) of the sessions that it lost.
        self._wanted = collections.defaultdict(dict)  # Node: key: number.
        self._subscriptions = {}  # Node: id.
        self._holdings = {}       # (node, id): key: version, of holdings that still come in.
        self._applied = {}        # (node, key): time of the value that stands.
        self._event_stores = {}   # Node: id of its store of events.
        self._events = {}         # (node, id): sequence of the last event that took effect.
        self._sizes = {}          # (node, key): bytes.
        self._number = 0

    def start(self):
        """Attaches."""
        for stream in self._streams:
            stream.start()
        return self

    def idle(self):
        """All that is to be sent is on its way."""
        return all(stream.idle() for stream in self._streams)

    def detach(self):
        """Ends the streams; the next ones follow at once."""
        for stream in self._streams:
            stream.detach()

    def close(self):
        """Detaches for good."""
        for stream in self._streams:
            stream.close()

    def take_failures(self):
        """What this end found to be broken since it was last asked."""
        failures, self.failures = self.failures, []
        return failures + [failure for stream in self._streams for failure in stream.take_failures()]

    def take(self, stream, kind, frame):
        """What a hub says; nothing of a session that was left behind there."""
        with self._lock:
            session = getattr(frame, "session", None)
            if session is not None and self._at.get(session.node) is not stream:
                if kind != "node_connected" or session.epoch < self._epochs.get(session.node, 0):
                    return
                self._at[session.node] = stream
                self._subscriptions.pop(session.node, None)
            self._on[kind](self, frame)

    def drop(self, stream):
        """A stream is over, and with it what was known by it."""
        with self._lock:
            for node in [node for node in self.sessions if self._at[node] is stream]:
                del self.sessions[node]
                self._subscriptions.pop(node, None)
            for name in [name for name in self._holdings if self._at.get(name[0]) is stream]:
                del self._holdings[name]

    def put(self, node, key, size=64):
        """The key's next value for a node, of at least that many bytes on the line."""
        with self._lock:
            self._number += 1
            self._wanted[node][key] = self._number
            self._sizes[node, key] = size
            self._history.add(Kind.SENT, DOWN, node, key, self._number)
            if node in self._subscriptions:
                self._push(node, key)

    def _push(self, node, key=None):
        number = self._wanted[node].get(key)
        change = {"synced": {}} if key is None else {"upsert": {"key": key, "version": str(number), "object": json.dumps(
            {"epoch": self.sessions[node], "pad": _noise(self._sizes[node, key])}).encode()}}
        self._at[node].send(push={"session": {"node": node, "epoch": self.sessions[node]}, "type": TYPE,
                                  "subscription_id": self._subscriptions[node], **change})

    def _connected(self, frame):
        self._epochs[frame.session.node] = frame.session.epoch
        self.sessions[frame.session.node] = frame.session.epoch
        self._event_stores[frame.session.node] = frame.event_store_id
        self._history.add(Kind.SESSION, UP, frame.session.node, epoch=frame.session.epoch)

    def _disconnected(self, frame):
        self.ended[frame.session.node].append((time.monotonic(), frame.reason))
        self._subscriptions.pop(frame.session.node, None)
        self.sessions.pop(frame.session.node, None)

    def _subscribed(self, frame):
        node, name = frame.session.node, (frame.session.node, frame.subscription_id)
        self._holdings.setdefault(name, {}).update((h.key, h.version) for h in frame.holdings)
        if frame.more:
            return
        holdings = self._holdings.pop(name)
        self._subscriptions[node] = frame.subscription_id
        for key, number in self._wanted[node].items():
            if holdings.get(key) != str(number):
                self._push(node, key)
        self._push(node)

    def _unsubscribed(self, frame):
        if self._subscriptions.get(frame.session.node) == frame.subscription_id:
            del self._subscriptions[frame.session.node]

    def _push_done(self, frame):
        for item in frame.items:
            if item.status.code != 0:
                self.failures.append(f"{frame.session.node} refused {item.key}: {item.status.message}")
            elif item.version:
                self._history.add(Kind.ACKED, DOWN, frame.session.node, item.key, int(item.version))

    def _report(self, frame):
        node, epoch, report = frame.session.node, frame.session.epoch, frame.report
        number, stamp = int(report.value.split()[0]), (report.time.wall_micros, report.time.logical)
        self._history.add(Kind.DELIVERED, UP, node, report.key, number, epoch, stamp)
        if stamp > self._applied.get((node, report.key), (0, 0)):
            self._applied[node, report.key] = stamp
            self._history.add(Kind.APPLIED, UP, node, report.key, number, epoch, stamp)
        if not self.silent:
            self._at[node].send(report_done={"session": frame.session, "sequence": report.sequence})

    def _events_came(self, frame):
        node = frame.session.node
        store = node, self._event_stores[node]
        for event in frame.events:
            if event.sequence <= self._events.get(store, 0):
                continue
            self._events[store] = event.sequence
            self._history.add(Kind.APPLIED, EVENTS, node, TYPE, int(event.value), frame.session.epoch,
                              event.time.ToMicroseconds())
        if not self.silent:
            self._at[node].send(events_done={"session": frame.session, "stream": TYPE,
                                             "sequence": frame.events[-1].sequence})

    def _registered(self, frame):
        del frame
        self._history.add(Kind.ATTACHED)

    def _nothing(self, frame):
        pass

    _on = {"registered": _registered, "nodes_synced": _nothing, "node_connected": _connected,
           "node_disconnected": _disconnected, "subscribed": _subscribed, "unsubscribed": _unsubscribed,
           "push_done": _push_done, "report": _report, "events": _events_came}


class EdgeProbe(_Spoke):
    """The service of one box. What it holds outlives its stream, as a store would."""

    _takes = {"command_types": [TYPE], "tunnel_types": [tunnels.TYPE]}

    def __init__(self, history, node, priority="PRIORITY_TELEMETRY"):
        super().__init__(history, stubs.unix_channel(node.run_dir / "edgehub.sock"), stubs.edgehub.SpokeFrame,
                         stubs.edgehub.SpokeServiceStub)
        self._node = node.name
        self.tunnels = tunnels.Taker(history, node.name, self._channel)
        self._event_streams = ({"name": TYPE, "priority": priority}, )
        self.connected = False
        self.lost = []       # When the link went down.
        self.refused = []    # What edgehub-svc said to what it did not take.
        self._subscription = None
        self._held = {}      # Key: version.
        self._waiting = {}   # Number: key, of reports without an answer.
        self._number = 0
        self._last_time = 0
        self._event = 0
        self._events = collections.deque()  # (number, time in microseconds) of those that are not answered.
        self._put_outstanding = False

    def put_event(self):
        """The next event. Events are put until they are stored, in order, one request at a time."""
        with self._lock:
            if len(self._events) == _EVENTS_MAX:
                return
            self._event += 1
            self._events.append((self._event, time.time_ns() // 1000))
            self._history.add(Kind.SENT, EVENTS, self._node, TYPE, self._event, stamp=self._events[-1][1])
            self._put_events()

    def _put_events(self):
        if self._outgoing is None or self._put_outstanding or not self._events:
            return
        self._put_outstanding = True
        self.send(put_events={"request_id": self._event, "stream": TYPE, "producer": "e2e-probe", "events": [
            {"producer_sequence": number, "value": str(number).encode(),
             "time": {"seconds": micros // 10**6, "nanos": micros % 10**6 * 1000}} for number, micros in self._events]})

    def put(self, key, size=0):
        """The key's next value for the cloud, of at least that many bytes on the line; it is sent if there is a stream."""
        with self._lock:
            if self._outgoing is None:
                return
            self._number += 1
            self._last_time = max(self._last_time + 1, time.time_ns() // 1000)
            self._waiting[self._number] = key
            self._history.add(Kind.SENT, UP, self._node, key, self._number, stamp=(self._last_time, 0))
            self.send(put_report={"request_id": self._number, "report": {
                "type": TYPE, "key": key, "value": f"{self._number} {_noise(size)}".encode(),
                "time": {"wall_micros": self._last_time}}})

    def _detached(self):
        self._subscription = None
        self._waiting.clear()
        self._put_outstanding = False
        if self.connected:
            self.connected = False
            self.lost.append(time.monotonic())

    def _link_state(self, frame):
        if self.connected and not frame.connected:
            self.lost.append(time.monotonic())
        self.connected = frame.connected

    def _subscribe_request(self, frame):
        self._subscription = frame.subscription_id
        self.send(subscribe={"type": TYPE, "subscription_id": frame.subscription_id, "holdings": [
            {"key": key, "version": version} for key, version in self._held.items()]})

    def _resource(self, frame):
        if frame.subscription_id != self._subscription:
            return
        kind = frame.WhichOneof("change")
        if kind == "upsert":
            self._held[frame.upsert.key] = frame.upsert.version
            self._history.add(Kind.APPLIED, DOWN, self._node, frame.upsert.key, int(frame.upsert.version),
                              json.loads(frame.upsert.object)["epoch"])
        elif kind == "delete":
            self._held.pop(frame.delete.key, None)
            self._history.add(Kind.REMOVED, DOWN, self._node, frame.delete.key)
        self.send(resource_done={"type": TYPE, "subscription_id": frame.subscription_id, "sequence": frame.sequence})

    def _report_stored(self, frame):
        key = self._waiting.pop(frame.request_id, None)
        if key is None:
            self.failures.append(f"an answer to report {frame.request_id}, which does not wait for one")
        elif frame.status.code == 0:
            self._history.add(Kind.ACKED, UP, self._node, key, frame.request_id)
        else:
            self.refused.append(frame.status.message)

    def _registered(self, frame):
        del frame
        self._history.add(Kind.ATTACHED, node=self._node)
        self._put_events()

    def _events_stored(self, frame):
        self._put_outstanding = False
        for _ in range(frame.stored):
            self._history.add(Kind.ACKED, EVENTS, self._node, TYPE, self._events.popleft()[0])
        if frame.status.code == 0:
            self._put_events()
        else:
            self.refused.append(frame.status.message)  # The next event takes them along.

    def _command_request(self, frame):
        self._history.add(Kind.APPLIED, COMMANDS, self._node, TYPE, int(frame.payload))
        self.send(command_done={"key": frame.key, "response": b"did " + frame.payload})

    def _tunnel_request(self, frame):
        self.tunnels.offer(frame)

    def close(self):
        self.tunnels.close()
        super().close()

    def take_failures(self):
        return super().take_failures() + self.tunnels.take_failures()

    _on = {"registered": _registered, "link_state": _link_state, "subscribe_request": _subscribe_request,
           "resource": _resource, "report_stored": _report_stored, "events_stored": _events_stored,
           "command_request": _command_request, "tunnel_request": _tunnel_request}
