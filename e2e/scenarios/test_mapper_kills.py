"""Every service between a Modbus device and the cloud dies at any instant, its mapper too, while the device counts."""

import os
import random
import threading
import time

from cluster import wait

from harness import devices
from harness.modbus import ModbusServer

KILLS = int(os.environ.get("SKERRY_E2E_KILLS", "50"))  # Of each service.


class Counter(threading.Thread):
    """Somebody at the device sets its register to 1, 2, 3…"""

    PERIOD = 0.2

    def __init__(self, server):
        super().__init__(daemon=True)
        self._server = server
        self._over = threading.Event()
        self.number = 0
        self.error = None

    def run(self):
        try:
            while not self._over.wait(self.PERIOD):
                self._server.turn(2, self.number + 1)
                self.number += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def finish(self):
        """The last number; the device has it."""
        self._over.set()
        self.join(60)
        assert self.error is None and not self.is_alive(), self.error
        return self.number


def _device(port):
    counter = devices.device("counter-1", "counter", "edge-1", "modbus", count=None)
    counter["spec"]["protocol"]["configData"] = {"ip": "127.0.0.1", "port": port, "slaveID": 1}
    counter["spec"]["properties"][0].update(collectCycle=50, reportCycle=100, reportToCloud=True, visitors={
        "protocolName": "modbus", "configData": {"register": "HoldingRegister", "offset": 2, "type": "int16"}})
    return counter


def test_services_killed_at_random_while_a_mapper_reads(fresh_system):
    """[devices-13] D1, D2. What a mapper has not reported it need not keep but for the newest: what is stored comes once
    and in order, and the last value stands. The seed is printed: SKERRY_E2E_SEED repeats the order of kills."""
    system = fresh_system
    seed = int(os.environ.get("SKERRY_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: SKERRY_E2E_SEED={seed}")
    rng = random.Random(seed)
    system.cloud.start()
    node = system.make_node("edge-1", runtime=False)
    node.make_mapper("modbus")
    system.add_node("edge-1", runtime=False)
    wait.until("the mapper to be registered", node.mappers["modbus"].ready, 30)
    server = ModbusServer(node.folder).start()
    try:
        server.turn(2, 0)
        system.kubectl.apply(devices.model("counter", ("count", "INT", "ReadOnly")), _device(server.port))
        wait.until("a first reading", lambda: "count" in devices.reported(system.kubectl, "counter-1"), 60)
        counter = Counter(server)
        counter.start()
        victims = [service for service in (*system.cloud.services, *node.services) for _ in range(KILLS)]
        rng.shuffle(victims)
        for service in victims:
            time.sleep(rng.random() * 0.1)  # Not to wait for something: the instant of death is to be any.
            service.kill()
            service.start()
        last = counter.finish()
        wait.until(f"the cloud to have {last}",
                   lambda: devices.reported(system.kubectl, "counter-1") == {"count": str(last)}, 120, 0.3)
        api = devices.DeviceApi(system.cloud)
        try:
            wait.until("the last reading", lambda: [
                value for _, value in api.readings("counter-1", "count")][-1:] == [str(last)], 60, 0.3)
            readings = [(when, int(value)) for when, value in api.readings("counter-1", "count")]
        finally:
            api.close()
    finally:
        server.close()
    times, values = [when for when, _ in readings], [value for _, value in readings]
    assert times == sorted(set(times)), "each once"
    assert values == sorted(values) and values[-1] == last, "in order"
    for _, service in system.services():
        service.kill()
    results = system.check_databases()
    assert set(results.values()) == {"ok"}, results
    print(f"{len(victims)} kills, {len(readings)} readings of {len(set(values))} of {last + 1} numbers")
