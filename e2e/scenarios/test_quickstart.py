"""What tools/quickstart starts, and the Prometheus that tools/dev/prometheus starts beside it: the same code, another folder."""

import contextlib
import json
import signal
import subprocess
import urllib.request

import pytest
from cluster import quickstart, wait
from cluster.binaries import TOP
from cluster.prometheus import Prometheus

BOX = quickstart.NODE


@pytest.fixture(scope="module", name="running")
def fixture_running(system):
    """The quickstart's system with its pod."""
    quickstart.start(system)
    quickstart.run_pod(system)
    return system


@contextlib.contextmanager
def script(*arguments, **options):
    """tools/dev/prometheus as people start it; it is gone afterwards."""
    child = subprocess.Popen([TOP / "tools/dev/prometheus", *arguments], text=True, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        yield child
    finally:
        child.terminate()  # Which it passes on; what is killed can't.
        child.communicate(timeout=30)


def test_the_script_runs_prometheus_until_it_is_told_to_end(running):
    """[quickstart-5] Its line says where; every service is scraped; Ctrl-C ends it, and its data go."""
    with script(running.folder) as child:
        said = child.stdout.readline()
        assert said.startswith("Prometheus: http://127.0.0.1:"), said + child.stderr.read()
        url = said.split()[1]

        def scraped():
            with urllib.request.urlopen(f"{url}/api/v1/targets?state=active", timeout=5) as answer:
                return {target["labels"]["job"] for target in json.load(answer)["data"]["activeTargets"]}
        expected = {service.name for _, service in running.services()}
        wait.until("every target to be known", lambda: scraped() == expected, 30)
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 0, child.stderr.read()
        assert not (running.folder / "prometheus").exists()
        with pytest.raises(OSError):
            scraped()


def test_the_script_says_what_it_lacks(tmp_path):
    """[quickstart-6] A system that runs, and Debian's Prometheus: exit 1, and what to do."""
    for arguments, options, said in (
            ([tmp_path], {}, f"prometheus: nothing runs in {tmp_path}: start it with tools/quickstart\n"),
            ([tmp_path / "gone"], {}, f"prometheus: nothing runs in {tmp_path / 'gone'}: start it with tools/quickstart\n"),
            ([], {"env": {"PATH": str(tmp_path)}}, "prometheus: Debian's package of that name is not installed: tools/dev/install does it\n")):
        with script(*arguments, **options) as child:
            assert child.communicate(timeout=30) == ("", said) and child.returncode == 1


@pytest.fixture(scope="module", name="prometheus")
def fixture_prometheus(running):
    """Beside it, on which everything is shown."""
    system = running
    prometheus = Prometheus.beside(system, interval="1s")
    try:
        prometheus.start()
        quickstart.show_devices(system)
        yield prometheus
    finally:
        prometheus.stop()


def up(prometheus):
    """(job, node) of what was scraped last time."""
    return {(labels["job"], labels.get("node")) for labels, value in prometheus.query("up") if value == 1}


def await_value(prometheus, query, value):
    """Until a query has this one value."""
    wait.until(f"{query} = {value}", lambda: [number for _, number in prometheus.query(query)] == [value], 30)


def test_every_service_of_the_quickstart_is_scraped(system, prometheus):
    """[quickstart-1] Eleven services and a mapper: five of the cloud, the others with their box's name."""
    expected = {(service.name, None if half == "cloud" else half) for half, service in system.services()}
    assert len(expected) == 12 and {node for _, node in expected} == {None, BOX}
    wait.until("every target to be scraped", lambda: up(prometheus) == expected, 30)


def test_the_numbers_are_those_of_what_is_shown(prometheus):
    """[quickstart-2] The pod, the thermometer, the lamp and its switch, as Prometheus answers."""
    for query, value in {
            "sum(skerry_cloudhub_sessions)": 1,
            f'sum(skerry_edged_pods{{node="{BOX}",phase="Running"}})': 1,
            "sum(skerry_twin_devices)": 2,
            "sum(skerry_twin_mappers)": 1,
            f'min(skerry_edgehub_link_connected{{node="{BOX}"}})': 1,
            "min(skerry_eventbus_mqtt_connected)": 1,
            'sum(skerry_cloudhub_command_ends_total{result="ok"})': 1,  # The lamp's.
    }.items():
        await_value(prometheus, query, value)
    wait.until("the thermometer's readings", lambda: prometheus.query("skerry_devicecontroller_readings_total > 1"), 30)
    assert [alert for alert in prometheus.api("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_a_killed_hub_is_seen_and_the_quickstart_starts_it_again(system, prometheus):
    """[quickstart-3] What the quickstart's last lines say: kill -9, and tools/quickstart again."""
    system.cloud.hub.kill()
    wait.until("the hub to be missed", lambda: ("cloudhub-svc", None) not in up(prometheus), 30)
    await_value(prometheus, f'min(skerry_edgehub_link_connected{{node="{BOX}"}})', 0)
    quickstart.start(system)
    prometheus.watch(system)  # Its ops port is another one.
    wait.until("the hub to be back", lambda: ("cloudhub-svc", None) in up(prometheus), 30)
    await_value(prometheus, f'min(skerry_edgehub_link_connected{{node="{BOX}"}})', 1)


def test_down_keeps_what_was_fetched(tmp_path, monkeypatch):
    """[quickstart-4] .skerry/ is gone but for .skerry/tools, so that kubectl is not fetched again; and goes with the rest without it."""
    root = tmp_path / ".skerry"
    monkeypatch.setattr(quickstart, "ROOT", root)
    for folder in ("tools", "logs/cloud", "kubectl-cache"):
        (root / folder).mkdir(parents=True)
    for file in ("tools/kubectl", "env", "logs/cloud/cloudhub-svc.log"):
        (root / file).touch()
    (root / "link").symlink_to(root / "tools")
    quickstart.down()
    assert [path.name for path in root.iterdir()] == ["tools"] and (root / "tools/kubectl").exists()
    (root / "tools/kubectl").unlink()
    (root / "tools").rmdir()
    quickstart.down()
    assert not root.exists()
    quickstart.down()
