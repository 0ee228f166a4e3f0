"""Every service between a device and the cloud dies at any instant while the device reports: nothing is lost, nothing
comes twice, and the last value stands."""

import itertools
import json
import os
import random
import threading
import time

from cluster import wait

from harness import devices

KILLS = int(os.environ.get("SKERRY_E2E_KILLS", "50"))  # Of each service.
TOPIC = "$hw/events/device/default/counter-1/twin/update"
PATIENCE = 1.0  # Of the device, until it sends an update again.


class Reporter(threading.Thread):
    """A device that reports 1, 2, 3… and sends each again, with the same event id, until it is answered with success."""

    def __init__(self, mqtt):
        super().__init__(daemon=True)
        self._mqtt = mqtt
        self._answers = mqtt.subscribe(f"{TOPIC}/result")
        self._over = threading.Event()
        self.acknowledged = 0
        self.sent_again = 0
        self.error = None

    def run(self):
        try:
            for number in itertools.count(1):
                if self._over.is_set():
                    return
                self._report(number)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _report(self, number):
        event = f"c{number}"
        update = {"event_id": event, "timestamp": 1, "twin": {"count": {"actual": {"value": str(number)}}}}
        for attempt in itertools.count():
            self._mqtt.publish(TOPIC, update)
            self.sent_again += attempt > 0
            try:
                wait.until("an answer", lambda: any(
                    answer["event_id"] == event and "code" not in answer for _, answer in self._answers), PATIENCE, 0.01)
            except wait.TimedOut:
                continue
            self._answers.clear()
            self.acknowledged = number
            return

    def finish(self):
        """Ends with the update that is under way."""
        self._over.set()
        self.join(60)
        assert self.error is None and not self.is_alive(), self.error
        return self.acknowledged


class Meter(threading.Thread):
    """A device that reports 1, 2, 3… and looks for no answer: what the broker has taken is none of its business."""

    PERIOD = 0.02

    def __init__(self, mqtt):
        super().__init__(daemon=True)
        self._client = mqtt.stream("$hw/events/device/default/meter-1/twin/update")
        self._over = threading.Event()
        self.reported = 0

    def run(self):
        while not self._over.wait(self.PERIOD):
            self.reported += 1
            update = {"twin": {"count": {"actual": {"value": str(self.reported)}}}}
            self._client.stdin.write(json.dumps(update) + "\n")
            self._client.stdin.flush()

    def finish(self):
        """How many it has reported; the broker has them all."""
        self._over.set()
        self.join(20)
        self._client.stdin.close()
        assert self._client.wait(60) == 0
        return self.reported


def test_services_killed_at_random_while_devices_report(fresh_system):
    """[devices-8] L1, D1, D2. One repeats itself until it is answered, one says everything once. The seed is printed: SKERRY_E2E_SEED repeats the order of kills."""
    system = fresh_system
    seed = int(os.environ.get("SKERRY_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: SKERRY_E2E_SEED={seed}")
    rng = random.Random(seed)
    system.cloud.start()
    node = system.make_node("edge-1", runtime=False)
    node.broker.configure()
    system.add_node("edge-1", runtime=False)
    system.kubectl.apply(devices.model("counter", ("count", "INT", "ReadOnly")),
                         devices.device("counter-1", "counter", "edge-1", count=None),
                         devices.device("meter-1", "counter", "edge-1", count=None))
    wait.until("the box to have the devices", lambda: node.twin.metric("skerry_twin_devices") == 2, 60)
    mqtt = devices.MqttClient(node.broker)
    reporter, meter = Reporter(mqtt), Meter(mqtt)
    reporter.start()
    meter.start()
    try:
        wait.until("the first update", lambda: reporter.acknowledged > 0, 60)
        victims = [service for service in (*system.cloud.services, *node.services) for _ in range(KILLS)]
        rng.shuffle(victims)
        for service in victims:
            time.sleep(rng.random() * 0.1)  # Not to wait for something: the instant of death is to be any.
            service.kill()
            service.start()
        last = {"counter-1": reporter.finish(), "meter-1": meter.finish()}
    finally:
        mqtt.close()
    for name, number in last.items():
        wait.until(f"the cloud to have {name}'s {number}",
                   lambda name=name, number=number: devices.reported(system.kubectl, name) == {"count": str(number)}, 120, 0.3)
    api = devices.DeviceApi(system.cloud)
    try:
        for name, number in last.items():
            wait.until(f"all readings of {name}",
                       lambda name=name, number=number: len(api.readings(name, "count")) >= number, 60, 0.3)
            values = [int(value) for _, value in api.readings(name, "count")]
            assert values == list(range(1, number + 1)), f"{name}: each once, in order"
    finally:
        api.close()
    for _, service in system.services():
        service.kill()
    results = system.check_databases()
    assert set(results.values()) == {"ok"}, results
    print(f"{len(victims)} kills, updates {last}, {reporter.sent_again} sent again, {len(results)} stores sound")
