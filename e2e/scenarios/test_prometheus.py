"""A real Prometheus scrapes a whole system: every panel and alert has series, and the page of metrics is complete.

SKERRY_E2E_WRITE=1 writes docs/ops/metrics.md anew.
"""

import os
import sys

import pytest
import yaml
from cluster import wait
from cluster.binaries import TOP
from cluster.kube import condition
from cluster.prometheus import RULES, Prometheus, targets

from harness import devices
from harness.postgres import Postgres

sys.path.append(str(TOP / "tools/dashboards"))

# pylint: disable=wrong-import-position
import boards  # noqa: E402
import metric_docs  # noqa: E402
import promql  # noqa: E402

PAGE = TOP / "docs/ops/metrics.md"
RATE = "20s"  # What rates are taken over here; scrapes are a second apart.


def _start_with_database(system, postgres):
    """The cloud half on PostgreSQL, with controllers that elect a leader: every metric there is."""
    cloud = system.cloud
    url = system.folder / "database-url"
    url.write_text(Postgres.url(postgres.folder))
    for service in (cloud.api, cloud.hub, cloud.devices, cloud.router):
        service.settings.update({"store.kind": "postgres", "store.postgres_url_file": str(url)})
    for service in (cloud.controller, cloud.devices):
        service.settings["leader_election.enabled"] = True
    cloud.devices.settings |= {"auth.bearer.enabled": True, "auth.bearer.groups": ["ops=skerry:operators"]}
    cloud.start()


def _use(system):
    """Something of everything: a pod, devices of a mapper, a call of a method."""
    kubectl = system.kubectl
    kubectl("apply", "-f", str(TOP / "examples/hello-edge.yaml"), "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    kubectl.wait_for("pod", "hello-edge", "Ready", lambda pod: condition(pod, "Ready") == "True", 120)
    for name in ("room-3", "lamp-3"):
        wait.until(f"{name} to report", lambda name=name: devices.reported(kubectl, name), 60)
    system.cloud.skerryctl("device", "call", "lamp-3", "toggle", *system.cloud.device_flags)


@pytest.fixture(scope="module", name="prometheus")
def fixture_prometheus(system):
    """Prometheus beside a system in which something happens."""
    postgres = Postgres()
    prometheus = None
    try:
        _start_with_database(system, postgres)
        node = system.make_node("edge-1")
        node.broker.configure()
        node.make_mapper("virtual")
        node.make_mapper("modbus")
        system.add_node("edge-1")
        prometheus = Prometheus.beside(system, interval="1s").start()
        wait.until("every target to be scraped", lambda: len(prometheus.query("up == 1")) == len(targets(system)), 60)
        _use(system)
        wait.until("two scrapes of what that has made", lambda: prometheus.query(
            f'rate(skerry_rpc_server_handling_seconds_count{{job="device-controller-svc"}}[{RATE}])'), 30)
        yield prometheus
    finally:
        if prometheus is not None:
            prometheus.stop()
        for node in system.nodes.values():
            node.stop()
        system.cloud.stop()
        postgres.close()


def _missing(prometheus, query, ignoring=()):
    """Selectors of a query that no series has; matchers of the labels `ignoring` are left out."""
    return [selector for _, selector in promql.selectors(query)
            if not prometheus.query(f"count({promql.without(selector, ignoring)})")]


def _expositions(system):
    return [service.ops("/metrics") for _, service in system.services()]


def test_every_service_is_a_target_with_its_job_and_node(system, prometheus):
    """[observe-1] The configuration that is shipped finds and names every process."""
    found = {(labels["job"], labels.get("node")) for labels, value in prometheus.query("up") if value == 1}
    assert found == {(service.name, None if half == "cloud" else half) for half, service in system.services()}


def test_the_page_of_metrics_is_complete(system, prometheus):
    """[observe-2] docs/ops/metrics.md lists what is exposed, as it is exposed, and nothing else."""
    assert prometheus.running
    exposed = metric_docs.merge(_expositions(system))
    if os.environ.get("SKERRY_E2E_WRITE"):
        PAGE.write_text(metric_docs.render(exposed))
    written = metric_docs.read(PAGE.read_text())
    differences = [f"{name}: exposed as {exposed.get(name)}, written as {written.get(name)}"
                   for name in sorted({*exposed, *written}) if exposed.get(name) != written.get(name)]
    assert not differences, "\n".join([*differences, "SKERRY_E2E_WRITE=1 writes the page anew"])


@pytest.mark.parametrize("dashboard", boards.ALL, ids=lambda dashboard: dashboard.name)
def test_every_panel_has_a_result(prometheus, dashboard):
    """[observe-3] Every query of every panel, as Grafana sends it: a result, and series behind each of its selectors."""
    faults = []
    for title, query in dashboard.queries():
        query = promql.fill(query, RATE)
        missing = _missing(prometheus, query)
        if missing or not prometheus.query(query):
            faults.append(f"{title}: {query}: " + (f"no series {', '.join(missing)}" if missing else "no result"))
    assert not faults, "\n".join(faults)


def test_the_numbers_are_those_of_the_system(system, prometheus):
    """[observe-4] What the first panels show is what there is."""
    wanted = {
        "sum(skerry_cloudhub_sessions)": 1,
        'sum(skerry_edged_pods{node="edge-1",phase="Running"})': 1,
        "sum(skerry_twin_devices)": 2,
        "sum(skerry_twin_mappers)": 2,
        "min(skerry_eventbus_mqtt_connected)": 1,
        "max(skerry_edgemeta_sync_behind_seconds)": 0,
        "min(skerry_edgehub_journal_bytes_max)": 64 << 20,
        'count(skerry_certificate_expire_timestamp_seconds{certificate="client"} > time() + 86400)': 3,
        "count(skerry_build_info)": len(system.services()),
    }
    for query, value in wanted.items():
        wait.until(f"{query} = {value}",
                   lambda query=query, value=value: [number for _, number in prometheus.query(query)] == [value], 20)


def test_every_alert_watches_something_and_none_fires(prometheus):
    """[observe-5] Every alert's expression is evaluated, on series that exist; a healthy system is quiet."""
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    faults = [f"{rule['alert']}: no series {', '.join(missing)}"
              for rule in rules if (missing := _missing(prometheus, rule["expr"], metric_docs.OPEN))]
    assert not faults, "\n".join(faults)
    loaded = {rule["name"]: rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]}
    assert set(loaded) == {rule["alert"] for rule in rules}
    wait.until("every rule to be evaluated", lambda: all(
        rule["health"] == "ok" for group in prometheus.api("rules")["groups"] for rule in group["rules"]), 20)
    assert [alert for alert in prometheus.api("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_what_breaks_is_seen(system, prometheus):
    """[observe-6] A broker and a service that are gone raise their alerts, which end when they are back."""
    node = system.nodes["edge-1"]

    def pending():
        return {(alert["labels"]["alertname"], alert["labels"].get("job"))
                for alert in prometheus.api("alerts")["alerts"]}

    broken = {("SkerryBrokerAway", "eventbus-svc"), ("SkerryServiceDown", "router-svc")}
    node.broker.stop()
    system.cloud.router.stop()
    wait.until("the alerts", lambda: broken <= pending(), 30)
    alert = next(alert for alert in prometheus.api("alerts")["alerts"] if alert["labels"]["alertname"] == "SkerryServiceDown")
    assert "router-svc" in alert["annotations"]["summary"] and alert["state"] == "pending", alert
    assert (TOP / alert["annotations"]["runbook_url"]).exists()
    node.broker.start()
    system.cloud.router.start()
    prometheus.watch(system)  # Its ops port is another one.
    wait.until("the alerts to end", lambda: not broken & pending(), 60)
