"""What a device hears on KubeEdge's topics, message by message, and KubeEdge's documents without what differs in each."""

import re
import time

from cluster import wait

_ANSWERS = ("/result", "/document", "/delta", "/updated")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Answers:
    """Whatever is published on the box from now on and is no request; taken topic by topic, in order."""

    def __init__(self, mqtt):
        self._heard = mqtt.subscribe("$hw/#", "SYS/#", "default/#")

    def next(self, topic, timeout=20):
        """The oldest payload on a topic that was not taken yet."""
        def take():
            for index, (heard, payload) in enumerate(self._heard):
                if heard == topic:
                    del self._heard[index]
                    return (payload, )
            return None
        return wait.until(f"a message on {topic}", take, timeout, 0.02)[0]

    def left(self):
        """Topics of the answers that nobody took."""
        return [topic for topic, _ in self._heard if topic.endswith(_ANSWERS)]


def plain(document, since_ms):
    """The document with "T" for each timestamp, which is checked to be an integer of milliseconds between `since_ms` and
    now, and "<uuid>" for an event id that a service made up."""
    now = time.time() * 1000

    def visit(value, key=None):
        if isinstance(value, dict):
            return {name: visit(member, name) for name, member in value.items()}
        if isinstance(value, list):
            return [visit(member) for member in value]
        if key == "timestamp":
            assert isinstance(value, int) and since_ms - 1 <= value <= now + 1, f"timestamp {value} in {document}"
            return "T"
        if key == "event_id" and _UUID.fullmatch(value):
            return "<uuid>"
        return value

    return visit(document)
