"""The page of all metrics (docs/ops/metrics.md), from what a running system exposes, and what the page says."""

import dataclasses
import re

# Who has the metrics of a component, by the beginning of their names: the longest that fits.
OWNERS = {
    "process": "Every service: the process itself",
    "skerry_auth": "Services with `auth.bearer.enabled`: `cloudhub-svc`, `device-controller-svc`, `router-svc`",
    "skerry_build": "Every service: which build it is",
    "skerry_certificate": "Certificates: those that `cloudhub-svc` and `standalone-api-svc` issue and renew, the hubs' CA (`ca`), and "
                          "those that controllers, `router-svc` and `eventbus-svc` show as they are on their disk",
    "skerry_cloudhub": "`cloudhub-svc`",
    "skerry_device_api": "`device-controller-svc`: the API for applications and operators",
    "skerry_devicecontroller": "`device-controller-svc`",
    "skerry_edgecontroller": "`edge-controller-svc`",
    "skerry_edged": "`edged-svc`",
    "skerry_edgehub": "`edgehub-svc`",
    "skerry_edgemeta": "`edge-meta-svc`",
    "skerry_eventbus": "`eventbus-svc`",
    "skerry_http": "Services with an HTTP port: `standalone-api-svc`, `edge-controller-svc`, `router-svc`, "
                   "`cloudhub-svc` (join), `servicebus-svc`, `edged-svc` (streams of Docker's containers)",
    "skerry_hubclient": "Services of the box, towards `edgehub-svc`: `twin-svc`, `eventbus-svc`, `servicebus-svc`",
    "skerry_kubeapi": "`standalone-api-svc`: the Kubernetes API",
    "skerry_kubeclient": "Controllers, towards the Kubernetes API",
    "skerry_leader_election": "Controllers with `leader_election.enabled`",
    "skerry_mapper": "Mappers: `virtual-mapper`, `modbus-mapper`, and what is built with the library",
    "skerry_object_store": "`standalone-api-svc`: its store",
    "skerry_postgres": "Services with `store.kind: postgres`: `standalone-api-svc`, `cloudhub-svc`, "
                       "`device-controller-svc`, `router-svc`",
    "skerry_reconcile": "Controllers: work on one object at a time",
    "skerry_router": "`router-svc`",
    "skerry_rpc_listener": "`cloudhub-svc`: the ports of the link and of controllers",
    "skerry_rpc_server": "Services with a gRPC port",
    "skerry_scheduler": "`standalone-api-svc`: the scheduler of pods",
    "skerry_servicebus": "`servicebus-svc`",
    "skerry_sqlite": "SQLite files: `edged-svc`, with `store.kind: sqlite` `cloudhub-svc`, `router-svc` and "
                     "`device-controller-svc` (others count in their own metrics)",
    "skerry_twin": "`twin-svc`",
}

_HEAD = """# Metrics

Every service answers `/metrics` on its ops port (`ops.listen`) in Prometheus' text format. This page is made from what
a running system exposes, and a test compares the two;
`SKERRY_E2E_WRITE=1 /usr/bin/python3 -m pytest e2e/scenarios/test_prometheus.py` writes it anew.

A series whose label values are known beforehand exists from the start, at 0; the column "labels" has these values.
Node, device, topic or error text are never labels: a box's metrics get their `node` from the target
(`docker/compose/prometheus/prometheus.yml`). A histogram has the series `_bucket`, `_sum` and `_count`.

Rate, errors and duration: of unary gRPC calls `skerry_rpc_server_handling_seconds` has all three (`code`), of HTTP requests
`skerry_http_responses_total` and `skerry_http_request_seconds`. A gRPC stream (link, spoke, watch, tunnel) lasts as long as both ends
like, so that its life says nothing of how fast anything is: it has no time. `skerry_rpc_server_streams` are those that are open,
`skerry_rpc_server_stream_ends_total` says by status how they ended, `skerry_rpc_server_stream_messages_total` what came and went. There are
metrics of what streams carry besides: link bytes by class, reports, events, commands and tunnels by how they ended, watches and those that
were ended for slow readers.

Dashboards for Grafana are in `charts/skerry-cloud/dashboards` (fleet, link, node, devices, database), made by
`tools/dashboards`; alerts in `charts/skerry-cloud/alerts`, with a [page](runbooks) each. A box behind NAT can't be
scraped from outside: a Prometheus of its own can send on what it has (`remote_write`); of the alerts the group
`skerry-box` is for it. Without that, *fleet*, *database* and the hubs' part of *link* show what the cloud knows. `tools/dev/prometheus` runs a Prometheus beside the
quickstart.
"""
_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| (.*) \|$")
# Labels whose values depend on what the system does, so that the page does not list them.
OPEN = {"certificate", "code", "commit", "file", "hub", "lease", "method", "operation", "resource", "service", "verb",
        "version"}


@dataclasses.dataclass(frozen=True)
class Metric:
    """One family."""
    kind: str
    labels: tuple  # (name, values) each; without values for those of OPEN.
    help: str


def parse(text):
    """{name: Metric} of an exposition."""
    helps, kinds, labels = {}, {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, helps[name] = line.split(" ", 3)
        elif line.startswith("# TYPE "):
            _, _, name, kinds[name] = line.split(" ", 3)
        elif line and not line.startswith("#"):
            series = re.match(r"\w+", line)[0]
            name = series if series in kinds else re.sub(r"_(bucket|sum|count)$", "", series)
            for label, value in re.findall(r'(\w+)="([^"]*)"', line):
                if (kinds[name], label) != ("histogram", "le"):
                    labels.setdefault(name, {}).setdefault(label, set()).add(value)
    return {name: Metric(kind, _labels(labels.get(name, {})), helps[name].rstrip(".").replace("|", "\\|"))
            for name, kind in kinds.items()}


def _labels(values):
    return tuple((name, () if name in OPEN else tuple(sorted(values[name]))) for name in sorted(values))


def merge(expositions):
    """{name: Metric} of several services; ValueError where two of them disagree."""
    merged = {}
    for text in expositions:
        for name, metric in parse(text).items():
            other = merged.setdefault(name, metric)
            if (other.kind, other.help) != (metric.kind, metric.help):
                raise ValueError(f"{name} is {other} in one service and {metric} in another")
            values = {}
            for label, known in (*other.labels, *metric.labels):
                values.setdefault(label, set()).update(known)
            merged[name] = dataclasses.replace(metric, labels=_labels(values))
    return merged


def owner(name):
    """The key in OWNERS; KeyError if a component is new."""
    fitting = [prefix for prefix in OWNERS if name.startswith(f"{prefix}_")]
    if not fitting:
        raise KeyError(f"{name} is of a component that OWNERS in tools/dashboards/metric_docs.py does not have")
    return max(fitting, key=len)


def render(metrics):
    """The page."""
    parts = [_HEAD]
    for prefix, who in OWNERS.items():
        rows = [(name, metric) for name, metric in sorted(metrics.items()) if owner(name) == prefix]
        if rows:
            parts.append(f"\n## {who}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
            for name, metric in rows:
                labels = "; ".join(label + (": " + ", ".join(values) if values else "")
                                   for label, values in metric.labels)
                parts.append(f"| `{name}` | {metric.kind} | {labels} | {metric.help} |\n")
    return "".join(parts)


def read(page):
    """{name: Metric} that a page has."""
    found = {}
    for line in page.splitlines():
        row = _ROW.match(line)
        if row:
            labels = [label.partition(": ") for label in row[3].split("; ") if label]
            found[row[1]] = Metric(row[2], tuple((name, tuple(values.split(", ")) if values else ())
                                                 for name, _, values in labels), row[4])
    return found
