"""What a box does whose root is hostile: with its own certificate, through its own services or instead of them."""

import queue
import sqlite3
import threading

from . import stubs
from .proxy import Proxy


def pod_report(uid, status_json, gone=False):
    """skerry.edged.v1.PodReport."""
    return stubs.report.PodReport(uid=uid, status_json=status_json.encode(), gone=gone).SerializeToString()


def node_report(status_json, **labels):
    """skerry.edged.v1.NodeReport."""
    return stubs.report.NodeReport(status_json=status_json.encode(), labels=labels).SerializeToString()


def put_reports(node, reports):
    """Puts (type, key, value) among the reports that edge-meta-svc of a box is about to send. It must be stopped."""
    connection = sqlite3.connect(node.state_dir / "edge-meta.db")
    with connection:
        for kind, key, value in reports:
            connection.execute("INSERT INTO reports(type, key, generation, wall_micros, logical, value) "
                               "VALUES(?, ?, 1, 4102444800000000, 0, ?)", (kind, key, value))
    connection.close()


def event(**fields):
    """skerry.edged.v1.KubernetesEvent, good but for what is given."""
    good = {"id": "forged", "kind": "Pod", "namespace": "default", "type": "TYPE_WARNING", "reason": "Forged",
            "message": b"by a hostile box", "first_time": {"seconds": 1}, "last_time": {"seconds": 1}, "count": 1}
    return stubs.event.KubernetesEvent(**{**good, **fields}).SerializeToString()


def put_events(node, values):
    """Puts values into a box's stream "events"; returns when edgehub-svc has stored them."""
    frame, frames = stubs.edgehub.SpokeFrame, queue.SimpleQueue()
    frames.put(frame(register={"spoke": "hostile", "event_streams": [{"name": "events", "priority": "PRIORITY_BULK"}]}))
    frames.put(frame(put_events={"request_id": 1, "stream": "events", "events": [{"value": v} for v in values]}))
    channel = stubs.unix_channel(node.run_dir / "edgehub.sock")
    try:
        for answer in stubs.edgehub.SpokeServiceStub(channel).Attach(iter(frames.get, None), timeout=20):
            if answer.HasField("events_stored"):
                assert answer.events_stored.stored == len(values), answer
                return
    finally:
        frames.put(None)
        channel.close()


class NeverReadingBox:
    """Instead of edgehub-svc, which must be stopped: subscribes to everything, sends its heartbeats, reads nothing."""

    def __init__(self, field, node, types, heartbeat):
        socket = node.run_dir / "link.sock"
        self._relay = Proxy(node.host, f"unix:{socket}", field.cloud.hub.addresses["link"])
        config = node.config_dir
        self._channel = stubs.tls_channel(socket, config / "ca.crt", config / "node.pem", config / "node.pem", "localhost")
        self._frames = queue.SimpleQueue()
        self._heartbeat = heartbeat
        self._closed = threading.Event()
        self._types = types
        self._call = None

    def __enter__(self):
        frame = stubs.link.EdgeFrame
        self._call = stubs.link.LinkServiceStub(self._channel).Connect(iter(self._frames.get, None), timeout=120)
        self._frames.put(frame(hello={"protocol_version": 1, "boot_id": "hostile", "journal_id": "hostile"}))
        assert next(self._call).HasField("welcome")
        for kind in self._types:
            self._frames.put(frame(subscribe={"type": kind, "subscription_id": 1}))
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def _beat(self):
        while not self._closed.wait(self._heartbeat / 2):
            self._frames.put(stubs.link.EdgeFrame(heartbeat={}))

    def __exit__(self, *unused):
        self._closed.set()
        self._frames.put(None)
        self._call.cancel()
        self._channel.close()
        self._relay.close()
