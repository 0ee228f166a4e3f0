"""Devices that speak Modbus, over TCP and on a serial line, behind the whole system: declared by kubectl, seen in the
cloud."""

import struct

import pytest
import yaml
from cluster import wait
from cluster.binaries import TOP

from harness import devices
from harness.modbus import ModbusServer

EXAMPLE = TOP / "examples/devices/modbus-pump.yaml"


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """A box with the Modbus mapper and no broker, without containers."""
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.make_mapper("modbus")
    system.add_node("edge-1", runtime=False)
    wait.until("the mapper to be registered", box.mappers["modbus"].ready, 30)
    return box


@pytest.fixture(scope="module", name="tcp")
def fixture_tcp(system, node):
    """The pump of the example at a Modbus server, and quicker than in the example."""
    server = ModbusServer(node.folder).start()
    model, pump = yaml.safe_load_all(EXAMPLE.read_text())
    pump["spec"]["protocol"]["configData"]["port"] = server.port
    for entry in pump["spec"]["properties"]:
        entry.update(collectCycle=100, reportCycle=200)
    system.kubectl.apply(model, pump)
    yield server
    server.close()


def reports(system, name, **values):
    """Until a device's DeviceStatus has these reported values."""
    return wait.until(f"{name} to report {values}", lambda: {
        key: devices.reported(system.kubectl, name).get(key) for key in values} == values, 40, 0.2)


def floats(value):
    """As float32 is on the wire."""
    return struct.unpack(">HH", struct.pack(">f", value))


def test_what_is_desired_reaches_the_registers(system, tcp):
    """[modbus-1] D2: by kubectl, as KubeEdge's users have it; and what the device holds comes back."""
    reports(system, "pump-7", speed="30.5", pressure="21.5", energy="9007199254740993", running="true",
            overheated="true", serial="pump-7")
    assert "1 6 0 305" in tcp.writes() or "1 16 0 305" in tcp.writes(), tcp.writes()
    devices.desire(system.kubectl, "pump-7", "speed", "45.5")
    reports(system, "pump-7", speed="45.5")
    devices.desire(system.kubectl, "pump-7", "running", "false")
    reports(system, "pump-7", running="false")


def test_what_happens_at_the_device_is_seen_in_the_cloud(system, tcp):
    """[modbus-1] In its status and as readings in the store, with the time when it was read."""
    tcp.turn(2, *floats(3.25))
    reports(system, "pump-7", pressure="3.25")
    api = devices.DeviceApi(system.cloud)
    try:
        readings = wait.until("the readings", lambda: [value for _, value in api.readings("pump-7", "pressure")
                                                       if value == "3.25"] and api.readings("pump-7", "pressure"), 30)
    finally:
        api.close()
    values = [value for _, value in readings]
    assert set(values) == {"21.5", "3.25"}
    assert values.index("3.25") >= values.count("21.5"), "in order"
    times = [time for time, _ in readings]
    assert times == sorted(times)


def test_a_device_that_loses_its_power_is_told_again_what_is_desired(system, tcp):
    """[modbus-2] Offline while it is away; its registers have their defaults when it comes back."""
    devices.desire(system.kubectl, "pump-7", "speed", "12.5")
    reports(system, "pump-7", speed="12.5")
    tcp.stop()
    system.kubectl.wait_for("devicestatus", "pump-7", "offline", lambda s: s["status"].get("state") == "offline", 40)
    before = len(tcp.writes())
    tcp.start()
    system.kubectl.wait_for("devicestatus", "pump-7", "online", lambda s: s["status"].get("state") == "online", 60)
    reports(system, "pump-7", speed="12.5")
    assert "1 6 0 125" in tcp.writes()[before:], tcp.writes()


def test_a_serial_line(system, node):
    """[modbus-3] Two slaves of one line (RTU), which share it."""
    line = ModbusServer(node.folder, serial=True).start()
    try:
        model = devices.model("valve", ("level", "INT", "ReadWrite"), ("which", "INT", "ReadOnly"))
        valves = []
        for slave in (1, 2):
            valve = devices.device(f"valve-{slave}", "valve", "edge-1", "modbus", level=str(70 + slave), which=None)
            valve["spec"]["protocol"]["configData"] = {
                "serialPort": line.line, "baudRate": 19200, "slaveID": slave, "timeout": 500}
            for entry, offset in zip(valve["spec"]["properties"], (1, 50)):
                entry.update(collectCycle=200, reportCycle=500, reportToCloud=True, visitors={
                    "protocolName": "modbus",
                    "configData": {"register": "HoldingRegister", "offset": offset, "type": "int16"}})
            valves.append(valve)
        system.kubectl.apply(model, *valves)
        for slave in (1, 2):
            reports(system, f"valve-{slave}", level=str(70 + slave), which=str(slave))
    finally:
        line.close()


def test_settings_that_cannot_be_meant_are_told(system, node, tcp):
    """[modbus-4] Field, value and fix, where the one who has to mend it looks; the other devices go on."""
    broken = devices.device("broken-1", "modbus-pump", "edge-1", "modbus", pressure=None)
    broken["spec"]["protocol"]["configData"] = {"ip": "127.0.0.1", "port": tcp.port, "slaveID": 300}
    system.kubectl.apply(broken)
    wait.until("the refusal in twin-svc's log", lambda: "slaveID" in node.twin.log.read_text(), 40)
    broken["spec"]["protocol"]["configData"]["slaveID"] = 1
    broken["spec"]["properties"][0].update(collectCycle=200, reportCycle=500, reportToCloud=True, visitors={
        "protocolName": "modbus",
        "configData": {"register": "HoldingRegister", "offset": 2, "type": "float32"}})
    system.kubectl.apply(broken)
    wait.until("the mended one to report", lambda: "pressure" in devices.reported(system.kubectl, "broken-1"), 40)
