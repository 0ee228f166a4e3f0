"""A whole system on one machine: one cloud half, any number of edge boxes."""

import shutil
from pathlib import Path

from . import wait
from .binaries import Binaries
from .cloud import CloudHalf
from .host import HOST
from .kube import condition
from .node import EdgeNode


class Cluster:
    """Everything is under `folder`: cloud/, nodes/<name>/, logs/, kubectl-cache/. Another Cluster of the same folder,
    in another process, finds what runs there."""

    def __init__(self, folder, binaries=None, fixed_ports=False, cloud_host=HOST):
        self.folder = Path(folder).resolve()
        self.binaries = binaries or Binaries()
        self.logs = self.folder / "logs"
        self.cloud = CloudHalf(self.folder / "cloud", self.logs / "cloud", self.binaries, fixed_ports, cloud_host)
        self.nodes = {}
        for path in sorted((self.folder / "nodes").glob("*")):
            self.make_node(path.name, (path / "containerd").exists())

    def make_node(self, name, runtime=True, host=HOST, one_process=False):
        """A box that has not joined and does not run yet."""
        self.nodes[name] = EdgeNode(name, self.folder / "nodes" / name, self.logs / name, self.binaries, runtime, host,
                                    one_process)
        return self.nodes[name]

    @property
    def kubectl(self):
        """kubectl as administrator."""
        return self.cloud.kubectl(self.folder / "kubectl-cache")

    def add_node(self, name, runtime=True):
        """Joins a box (with a token of its own) if it has not joined, starts it, and waits until it is Ready."""
        node = self.nodes.get(name) or self.make_node(name, runtime)
        if not node.joined:
            node.join(self.cloud, self.cloud.create_token())
        node.start()
        if runtime:
            self.wait_ready(name)
        return node

    def wait_ready(self, name, ready="True", timeout=60):
        """Until the Node object's Ready condition has this status."""
        return self.kubectl.wait_for("node", name, f"Ready={ready}",
                                     lambda node: condition(node, "Ready") == ready, timeout)

    def services(self):
        """(half, service) of all, in order of start."""
        found = [("cloud", service) for service in self.cloud.services]
        for name, node in self.nodes.items():
            found += [(name, service) for service in node.services]
        return found

    def remove(self, keep=()):
        """Stops everything, boxes first, and removes the folder, but for what `keep` names in it."""
        for node in self.nodes.values():
            node.remove()
        self.cloud.stop()
        wait.until("the folder to go", lambda: _cleared(self.folder, keep), 20)


def _cleared(folder, keep):
    """Removes what it can; whether nothing is left but what `keep` names."""
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    left = {path.name for path in folder.iterdir()}
    if not left:
        folder.rmdir()
    return left <= set(keep)
