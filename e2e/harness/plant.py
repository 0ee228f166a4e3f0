"""A plant: a box that speaks with the cloud by the rules of examples/rules.yaml, and what is at their ends."""

import contextlib
import dataclasses
import threading

from cluster import wait
from cluster.binaries import TOP
from harness.devices import MqttClient
from harness.rules import DeadLetters, Peer, post_on_box, yes

ORDERS = "http://shop.example/orders"
PROBE = '"probe"'


class Talker(threading.Thread):
    """Says 1, 2, 3…, by `say`, until it is told to stop."""

    def __init__(self, say):
        super().__init__(daemon=True)
        self._say = say
        self._over = threading.Event()
        self.said = 0
        self.error = None

    def run(self):
        try:
            while not self._over.is_set():
                self._say(self.said + 1)
                self.said += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def finish(self):
        """What was said."""
        self._over.set()
        self.join(90)
        assert self.error is None and not self.is_alive(), self.error
        return [str(number) for number in range(1, self.said + 1)]


@dataclasses.dataclass
class Plant:
    """A box with a broker, a service of its own and a program that posts; and the URLs of the cloud."""

    system: object
    node: object
    service: Peer
    target: Peer
    mqtt: MqttClient
    letters: DeadLetters

    def rest(self, path, *flags, node="edge-1"):
        """A request of the cloud; while the box's session is on its way, again."""
        def answered():
            status, body = self.system.cloud.rest(node, path, *flags)
            return None if status == 503 and "NODE_NOT_CONNECTED" in body else (status, body)
        return wait.until(f"the box to be asked for {path}", answered, 30)

    def alarm(self, number):
        """A client of the box's broker has something to say."""
        self.mqtt.publish("default/alarms", number)

    def order(self, payload):
        """A program of the box has."""
        return post_on_box(self.node, ORDERS, payload)

    def posted(self, path):
        """What the cloud got of the box, without what was said to see whether it comes."""
        return [body for body in self.target.bodies(path) if body != PROBE]

    def await_posted(self, path, bodies, timeout=60):
        """Until the cloud has these, in this order, and no others."""
        wait.until(f"{len(bodies)} messages at {path}", lambda: len(self.posted(path)) >= len(bodies), timeout)
        assert self.posted(path) == bodies

    def count(self, rule, what="successMessages"):
        """Of a rule's status."""
        return self.system.kubectl.get("rule", rule).get("status", {}).get(what, 0)

    def await_taken(self):
        """Until what the box's clients publish is posted: it may not have heard of the rule."""
        def taken():
            self.mqtt.publish("default/alarms", PROBE)
            return self.target.asked("/alarms")
        wait.until("the box to send alarms", taken, 30)

    def await_allowed(self, url):
        """Until the box's programs may post for a URL: it may not have heard of the rule."""
        wait.until(f"posts for {url} to be taken", lambda: post_on_box(self.node, url, PROBE)["code"] == 200, 30)

    def reset(self):
        """All of it runs, the peers say yes and have heard nothing yet, and there are no dead letters."""
        self.system.cloud.start()
        self.node.start()
        for peer in (self.service, self.target):
            peer.start()
            peer.answer = yes
            peer.requests.clear()
        for letter in self.letters.list():
            self.letters.drop(letter.name)

    @contextlib.contextmanager
    def speaking(self):
        """The box speaks all the while; then all of it arrives, in order, and none dies. Gives what was said, by path,
        which is complete when the block has ended."""
        def order(number):
            assert self.order(str(number))["code"] == 200

        said = {}
        talkers = {"/alarms": Talker(self.alarm), "/orders": Talker(order)}
        for talker in talkers.values():
            talker.start()
        try:
            yield said
        finally:
            for path, talker in talkers.items():
                said[path] = talker.finish()
        for path, bodies in said.items():
            self.await_posted(path, bodies, 120)
        assert self.letters.list() == []
        self.system.cloud.router.kill()
        assert {path: self.posted(path) for path in said} == said, "nothing comes later"
        results = self.system.check_databases()
        assert set(results.values()) == {"ok"}, results

    @property
    def again(self):
        """How many posts were repetitions."""
        return len(self.target.requests) - len({request.key for request in self.target.requests})


@contextlib.contextmanager
def built(system):
    """A plant of a system that does not run yet; the rules are the example's, as they are but for the ports."""
    service, target = Peer(), Peer()
    system.cloud.router.settings.update({"status.interval": "200ms", "delivery.backoff_min": "50ms",
                                         "delivery.backoff_max": "300ms"})
    system.cloud.start()
    node = system.make_node("edge-1", runtime=False)
    node.broker.configure()
    node.servicebus.env["SKERRY_SERVICEBUS_CALLS_ALLOWED"] = f"GET|POST {service.url}/api"
    system.add_node("edge-1", runtime=False)
    text = (TOP / "examples/rules.yaml").read_text()
    system.kubectl("apply", "-f", "-", stdin=text.replace('"8080"', f'"{service.port}"').replace(
        "http://127.0.0.1:8000", target.url))
    mqtt = MqttClient(node.broker)
    plant = Plant(system, node, service, target, mqtt, DeadLetters(system.cloud))
    try:
        wait.until("router-svc to know the rules",
                   lambda: system.cloud.router.metric("skerry_router_rules", state="valid") == 4, 30)
        wait.until("eventbus-svc to be ready", node.eventbus.ready, 30)
        plant.await_taken()
        plant.await_allowed(ORDERS)
        yield plant
    finally:
        mqtt.close()
        service.kill()
        target.kill()
