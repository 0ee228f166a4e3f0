"""A whole system for scenarios, in a temporary folder, that leaves nothing behind."""

import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from cluster.cluster import Cluster
from cluster.host import HOST
from cluster.kube import KubectlFailed
from cluster.node import EdgeNode


class Leftover(AssertionError):
    """Something of a system outlived it."""


class System(Cluster):
    """A Cluster under /tmp; start what the scenario needs: `cloud.start()`, `add_node(name)`."""

    alive = []  # Those that have not been closed, for the report of a failure.

    def __init__(self, name, cloud_host=HOST):
        super().__init__(tempfile.mkdtemp(prefix="skerry-e2e-", dir="/tmp"), cloud_host=cloud_host)
        self.name = name
        self.alive.append(self)
        self.cloud.hub.settings["link.heartbeat_interval"] = "2s"  # A peer that hangs is noticed in 4 s, not 32.

    def make_namesake(self, node):
        """Another box of the same name, which has not joined and does not run yet."""
        key = f"{node.name}-2"
        self.nodes[key] = EdgeNode(node.name, self.folder / "nodes" / key, self.logs / key, self.binaries, runtime=False)
        return self.nodes[key]

    def describe(self):
        """State and ends of the logs, for the report of a failure."""
        parts = [f"folder: {self.folder} (removed after the scenario)"]
        for half, service in self.services():
            if service.log.exists():
                parts.append(f"== {half} {service.name}: pid {service.pid}\n{service.log_tail(25)}")
        if self.cloud.api.pid is not None:
            for arguments in (("get", "pods,nodes", "-A", "-o", "wide"), ("get", "events", "-A")):
                try:
                    parts.append(self.kubectl(*arguments))
                except (KubectlFailed, subprocess.TimeoutExpired) as error:
                    parts.append(str(error))
        return "\n".join(parts)

    def databases(self):
        """Every SQLite file of the system."""
        return sorted(path for path in self.folder.rglob("*.db") if "containerd" not in path.parts)

    def check_databases(self):
        """Opens a copy of every SQLite file, as it was left, and returns {path: what integrity_check said}."""
        results = {}
        for path in self.databases():
            with tempfile.TemporaryDirectory() as folder:
                for suffix in ("", "-wal"):
                    if Path(f"{path}{suffix}").exists():
                        shutil.copy(f"{path}{suffix}", folder)
                connection = sqlite3.connect(Path(folder) / path.name)
                results[str(path.relative_to(self.folder))] = connection.execute("PRAGMA integrity_check").fetchone()[0]
                connection.close()
        return results

    def rows(self, path, query):
        """Rows of a query on a running service's SQLite file."""
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def close(self):
        """Ends everything and proves that nothing is left."""
        self.alive.remove(self)
        self.remove()
        # grep would find itself in the list of processes; pgrep does not.
        left = subprocess.run(["pgrep", "-f", "-a", str(self.folder)], text=True, check=False,
                              stdout=subprocess.PIPE).stdout
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            left += "".join(line for line in mounts if str(self.folder) in line)
        if left or self.folder.exists():
            raise Leftover(f"{self.name} left behind: {left or self.folder}")
