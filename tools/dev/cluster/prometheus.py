"""Debian's Prometheus beside a running system, with the configuration and the alerts that are shipped."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from . import wait
from .binaries import TOP
from .ports import Ports
from .process import start_time

CONFIG = TOP / "docker/compose/prometheus/prometheus.yml"
RULES = TOP / "charts/skerry-cloud/alerts/skerry.rules.yaml"


def targets(cluster):
    """What there is to scrape, as file_sd_configs reads it: a service is its job, a box its node."""
    found = []
    for half, service in cluster.services():
        if service.pid is not None:
            labels = {"job": service.name, **({} if half == "cloud" else {"node": half})}
            found.append({"targets": [service.addresses["ops"]], "labels": labels})
    return found


class QueryFailed(RuntimeError):
    """Prometheus refused a query; the message is its own."""


class Prometheus:
    """A process in a folder of its own, on a port of loopback. `interval`: between scrapes and between evaluations of
    the alerts; None for the shipped one."""

    def __init__(self, folder, log, ports, interval=None):
        self.folder = Path(folder)
        self.log = Path(log)
        self._port = ports.take("127.0.0.1")
        self._interval = interval
        self._child = None

    @property
    def url(self):
        """Of its pages and its API."""
        return f"http://127.0.0.1:{self._port}"

    @classmethod
    def beside(cls, cluster, interval=None):
        """One that watches what runs of a system now, with its files in the system's folder; it does not run yet."""
        folder = cluster.folder / "prometheus"
        shutil.rmtree(folder, ignore_errors=True)
        prometheus = cls(folder, cluster.logs / "prometheus.log", Ports(), interval)
        prometheus.watch(cluster)
        return prometheus

    def watch(self, cluster):
        """Writes the services that run now; a running Prometheus reads them within seconds."""
        folder = self.folder / "targets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "skerry.new").write_text(json.dumps(targets(cluster), indent=1))
        (folder / "skerry.new").rename(folder / "skerry.json")

    def start(self):
        """Returns when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        config = yaml.safe_load(CONFIG.read_text())
        if self._interval is not None:
            config["global"] = {"scrape_interval": self._interval, "scrape_timeout": self._interval,
                                "evaluation_interval": self._interval}
        (self.folder / CONFIG.name).write_text(yaml.safe_dump(config, sort_keys=False))
        shutil.copy(RULES, self.folder)
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                ["/usr/bin/prometheus", f"--config.file={self.folder / CONFIG.name}",
                 f"--storage.tsdb.path={self.folder / 'data'}", f"--web.listen-address=127.0.0.1:{self._port}",
                 "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "GOMAXPROCS": "1"})
        wait.until("Prometheus", self._ready, 60)
        return self

    def _ready(self):
        if self._child.poll() is not None:
            raise AssertionError(f"prometheus exited with {self._child.returncode}; see {self.log}")
        with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as response:
            return response.status == 200

    @property
    def running(self):
        """Whether the process that start() made is there."""
        return self._child is not None and start_time(self._child.pid) is not None and self._child.poll() is None

    def wait(self):
        """Until it ends."""
        self._child.wait()

    def stop(self):
        """SIGTERM, and returns when it is gone, with its data; the log stays."""
        if self.running:
            self._child.terminate()
            self._child.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def api(self, path, **parameters):
        """The data of an answer of the HTTP API."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise QueryFailed(f"{parameters}: {error.read().decode(errors='replace')}") from None

    def query(self, expression):
        """[(labels, value)] of an instant query."""
        return [(series["metric"], float(series["value"][1]))
                for series in self.api("query", query=expression)["result"]]
