"""Grafana's provisioning files fit the dashboards, Prometheus' configuration, and the page that says where they go."""

import json
import re
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parents[2]
GRAFANA = TOP / "docker/compose/grafana"
PAGE = (TOP / "docs/ops/monitoring.md").read_text()


def _load(path):
    return yaml.safe_load(path.read_text())


def test_the_data_source_is_the_prometheus_of_the_page():
    """Its kind is that which the dashboards choose from, its port is the one given to Prometheus, its interval that of the scrapes."""
    (source,) = _load(GRAFANA / "datasource.yaml")["datasources"]
    kinds = {variable["query"] for path in (TOP / "charts/skerry-cloud/dashboards").glob("*.json")
             for variable in json.loads(path.read_text())["templating"]["list"] if variable["type"] == "datasource"}
    assert kinds == {source["type"]}
    assert source["url"] == f"http://{re.search('--web.listen-address=([0-9.:]+)', PAGE)[1]}"
    assert source["jsonData"]["timeInterval"] == _load(TOP / "docker/compose/prometheus/prometheus.yml")["global"]["scrape_interval"]


def test_the_dashboards_are_where_the_provider_looks():
    """The page copies them there, and both files to Grafana's folders."""
    (provider,) = _load(GRAFANA / "dashboards.yaml")["providers"]
    assert provider["type"] == "file"
    assert f"install -m 0644 charts/skerry-cloud/dashboards/*.json {provider['options']['path']}/\n" in PAGE
    for file, folder in (("datasource", "datasources"), ("dashboards", "dashboards")):
        assert f"install -D -m 0644 docker/compose/grafana/{file}.yaml /etc/grafana/provisioning/{folder}/skerry.yaml\n" in PAGE
