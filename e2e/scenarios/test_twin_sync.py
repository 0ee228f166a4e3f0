"""Twins end to end with PostgreSQL: desired values go down to an MQTT device, reported ones up to the DeviceStatus, the
tables and the API, whatever is away in between."""

import time

import pytest
from cluster import wait

from harness import devices
from harness.postgres import Postgres

TOPIC = "$hw/events/device/default/boiler-1/twin/update"


@pytest.fixture(scope="module", name="postgres")
def fixture_postgres():
    """The database of device-controller-svc."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="module", name="mqtt")
def fixture_mqtt(system, postgres):
    """A client of the box's broker; the box has a device, of which nothing is known yet."""
    url = system.folder / "postgres-url"
    url.write_text(postgres.url(postgres.folder))
    system.cloud.devices.settings.update({"store.kind": "postgres", "store.postgres_url_file": str(url)})
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.broker.configure()
    system.add_node("edge-1", runtime=False)
    client = devices.MqttClient(box.broker)
    system.kubectl.apply(devices.model("boiler", ("target", "INT", "ReadWrite"), ("heat", "FLOAT", "ReadOnly")),
                         devices.device("boiler-1", "boiler", "edge-1", target=None, heat=None))
    wait.until("the box to have the device", lambda: box.twin.metric("skerry_twin_devices") == 1, 60)
    yield client
    client.close()


@pytest.fixture(name="api")
def fixture_api(system, mqtt):
    """device-controller-svc's API."""
    api = devices.DeviceApi(system.cloud)
    yield api
    api.close()


def report(mqtt, **values):
    """The device says what it is at."""
    mqtt.publish(TOPIC, {"twin": {name: {"actual": {"value": str(value)}} for name, value in values.items()}})


def await_reported(system, **values):
    """Until the DeviceStatus says so."""
    wait.until(f"the status to say {values}", lambda: {
        name: devices.reported(system.kubectl, "boiler-1").get(name) for name in values} == values, 60, 0.2)


def test_down_and_up(system, mqtt, api, postgres):
    """[twins-1] D2: kubectl desires, the device hears the delta, reports, and everybody in the cloud sees it."""
    heard = mqtt.subscribe(f"{TOPIC}/delta")
    for value in ("40", "50"):
        devices.desire(system.kubectl, "boiler-1", "target", value)
        wait.until(f"the delta to {value}", lambda value=value: heard and heard[-1][1]["delta"] == {"target": value}, 30)
        report(mqtt, target=value)
        await_reported(system, target=value)
    twin = api.twin("boiler-1")
    assert twin.properties["target"].desired.value == twin.properties["target"].reported.value == "50"
    assert not twin.properties["target"].delta
    assert postgres.query("SELECT convert_from(value, 'UTF8') FROM device_readings_all JOIN device_series ON device_series.id = series "
                          "WHERE property = 'target' ORDER BY time").split() == ["40", "50"]
    assert api.history("boiler-1", "target") == ["40", "50"]
    assert api.history("boiler-1", "target", desired=True) == ["40", "50"]


def test_the_state_at_a_time_and_aggregates(system, mqtt, api):
    """[twins-2] History and telemetry over gRPC, page by page."""
    begin = time.time()
    report(mqtt, heat=1)
    await_reported(system, heat="1")
    between = time.time()
    for value in range(2, 21):
        report(mqtt, heat=value)
    await_reported(system, heat="20")
    wait.until("all readings", lambda: len(api.readings("boiler-1", "heat")) == 20, 30)
    assert api.twin("boiler-1", at=between).properties["heat"].reported.value == "1"
    assert "heat" not in api.twin("boiler-1", at=begin - 0.001).properties or \
        not api.twin("boiler-1", at=begin - 0.001).properties["heat"].reported.value
    history = api.history("boiler-1", "heat")
    assert history == sorted(history, key=float) and history[0] == "1" and history[-1] == "20"
    (bucket,) = api.buckets("boiler-1", "heat", begin - 1, time.time() + 60, 3600)
    assert (bucket.count, bucket.min, bucket.max, bucket.first, bucket.last) == (20, 1, 20, 1, 20)
    assert bucket.mean == sum(range(1, 21)) / 20


def test_what_is_away_in_between_loses_nothing(system, mqtt, api, postgres):
    """[twins-3] L1, D2: the database crashes, the controller is killed; the box keeps what they did not take."""
    before = len(api.readings("boiler-1", "heat"))
    postgres.crash()
    for value in range(100, 120):
        report(mqtt, heat=value)
    system.cloud.devices.kill()
    for value in range(120, 140):
        report(mqtt, heat=value)
    postgres.start()
    devices.desire(system.kubectl, "boiler-1", "target", "60")
    system.cloud.devices.start()
    await_reported(system, heat="139")
    again = devices.DeviceApi(system.cloud)
    try:
        wait.until("all readings", lambda: len(again.readings("boiler-1", "heat")) == before + 40, 60, 0.3)
        assert [value for _, value in again.readings("boiler-1", "heat")][before:] == [
            str(value) for value in range(100, 140)], "each once, in order"
        heard = mqtt.subscribe(f"{TOPIC}/delta", "$hw/events/device/default/boiler-1/twin/get/result")
        mqtt.publish("$hw/events/device/default/boiler-1/twin/get", {"event_id": "g"})
        wait.until("the twin", lambda: heard, 20)
        assert heard[-1][1]["twin"]["target"]["expected"]["value"] == "60"
    finally:
        again.close()
