"""A system whose boxes reach the cloud over networks that can be broken."""

import time
from pathlib import Path

from cluster import wait

from . import history
from .disk import mount_disk, unmount_disk
from .load import Load
from .network import Network
from .proxy import Proxy
from .system import System

HEARTBEAT = 1.0  # Seconds; the shortest that cloudhub-svc takes.
MARGIN = 1.0     # What L3 is given beyond two heartbeats: two cores run everything here.


class Field(System):
    """A cloud and boxes in namespaces of their own, without container runtimes, short of patience to keep scenarios
    short."""

    def __init__(self, name):
        self._network = Network()
        super().__init__(name, self._network.cloud)
        self.cloud.hub.settings["link.heartbeat_interval"] = f"{HEARTBEAT:g}s"
        self.load = None
        self._cloud_disks = []

    def give_disk(self, service, disk_bytes):
        """The state of a service of the cloud, which has not run yet, is on a disk of that size; returns its folder."""
        folder = Path(service.settings["state_dir"])
        mount_disk(folder, disk_bytes)
        self._cloud_disks.append(folder)
        return folder

    def add_box(self, name, env=None, disk_bytes=0):
        """Joins and starts a box. `env` is for its services; with `disk_bytes` its state is on a disk of that size."""
        node = self.make_node(name, runtime=False, host=self._network.add_box(name))
        node.edgehub.env = {"SKERRY_EDGEHUB_CLOUD_BACKOFF_MIN": "50ms", "SKERRY_EDGEHUB_CLOUD_BACKOFF_MAX": "1s",
                            **(env or {})}
        node.meta.env = {"SKERRY_EDGE_META_EDGEHUB_RECONNECT_MAX": "200ms", **(env or {})}
        if disk_bytes:
            mount_disk(node.state_dir, disk_bytes)
        node.join(self.cloud, self.cloud.create_token())
        node.start()
        return node

    def start(self, *boxes):
        """The cloud, boxes of these names, and a load on all of them, which waits for `load.running()`."""
        self.cloud.start()
        for name in boxes:
            self.add_box(name)
        return self.start_load()

    def start_load(self, priority="PRIORITY_TELEMETRY", progress=True):
        """A load on the boxes that there are; `priority` is that of their events. Without `progress` it does not wait for
        values to arrive."""
        self.load = Load(self, priority)
        return self.load.start(progress)

    # ---- faults

    def proxy(self, node):
        """A proxy on a box to the hub's link, not used by anything yet."""
        return Proxy(node.host, "127.0.0.1:0", self.cloud.hub.addresses["link"])

    def dial_by(self, node, proxy=None):
        """edgehub-svc dies, and lives again with its way to the cloud through the proxy, or straight."""
        node.edgehub.kill()
        way = {} if proxy is None else {"SKERRY_EDGEHUB_CLOUD_ADDRESS": proxy.address,
                                        "SKERRY_EDGEHUB_CLOUD_SERVER_NAME": self.cloud.host.address}
        node.edgehub.env = {name: value for name, value in node.edgehub.env.items()
                            if not name.startswith("SKERRY_EDGEHUB_CLOUD_") or "BACKOFF" in name} | way
        node.edgehub.start()

    def expect_detection(self, fault, *names, edge=True, cloud=True):
        """[L3] Does `fault`; the ends named of these boxes' links notice within two heartbeats."""
        began = time.monotonic()
        fault()

        def noticed(times):
            return next((when for when in times if when >= began), None)

        for name in names:
            ends = [lambda n=name: noticed(self.load.edges[n].lost)] if edge else []
            ends += [lambda n=name: noticed(when for when, _ in self.load.cloud.ended[n])] if cloud else []
            for end in ends:
                noticed_at = wait.until(f"the loss of {name} to be noticed", end, 30, 0.02)
                found = history.undetected(began, noticed_at, HEARTBEAT, MARGIN)
                assert not found, found

    def close(self):
        try:
            if self.load is not None:
                self.load.close()
        finally:
            for folder in self._cloud_disks:
                unmount_disk(folder)
            try:
                super().close()
            finally:
                self._network.close()
