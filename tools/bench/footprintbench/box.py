"""A whole system whose box has the machine's libraries to itself."""

import subprocess
from pathlib import Path

from cluster import wait
from cluster.binaries import TOP, Binaries
from cluster.cluster import Cluster
from cluster.kube import condition
from harness import devices
from harness.postgres import Postgres
from harness.rules import Peer

CLOUD = ("standalone-api-svc", "cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc")
EDGE = ("edgehub-svc", "edge-meta-svc", "edged-svc", "twin-svc", "eventbus-svc", "servicebus-svc")
EXAMPLES = ("examples/hello-edge.yaml", "examples/devices/virtual-room.yaml")


class Programs(Binaries):
    """The built programs; those of the box's services are links to skerry-edge where `links` is a folder for them."""

    def __init__(self, skerry_edge=None, links=None):
        super().__init__()
        self._edge = skerry_edge
        self._links = links

    def __getitem__(self, name):
        if name == "skerry-edge" and self._edge is not None:
            return self._edge
        if name not in EDGE or self._links is None:
            return super().__getitem__(name)
        link = self._links / name
        if not link.exists():
            self._links.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self["skerry-edge"])
        return link


def own_libraries(binaries, folder):
    """Copies what these binaries load into `folder`: two processes with libraries of their own share no page."""
    folder.mkdir(parents=True)
    found = set()
    for binary in binaries:
        listed = subprocess.run(["ldd", binary], check=True, text=True, stdout=subprocess.PIPE).stdout
        found |= {words[2] for words in map(str.split, listed.splitlines()) if words[1:2] == ["=>"]}
    for library in found:
        (folder / Path(library).name).write_bytes(Path(library).read_bytes())
    return folder


class Box:
    """The system of tools/quickstart, and `names`: devices that report by MQTT."""

    def __init__(self, folder, layout, names, skerry_edge=None):
        self.names = names
        programs = Programs(skerry_edge, folder / "links" if layout == "links" else None)
        self.system = Cluster(folder / "system", programs)
        self.cloud = self.system.cloud
        libraries = own_libraries([programs[name] for name in CLOUD], folder / "cloud-libraries")
        self.postgres = Postgres()
        url = folder / "postgres-url"
        url.write_text(self.postgres.url(self.postgres.folder))
        self.cloud.devices.settings.update({"store.kind": "postgres", "store.postgres_url_file": str(url)})
        for service in self.cloud.services:
            service.env["LD_LIBRARY_PATH"] = str(libraries)
        self.node = self.system.make_node("edge-1", one_process=layout == "one")
        self.node.broker.configure()
        self.node.make_mapper("virtual")
        self.service = Peer()
        self.node.servicebus.env["SKERRY_SERVICEBUS_CALLS_ALLOWED"] = f"GET|POST {self.service.url}/api"
        # Nor with anything else that runs on this machine.
        libraries = own_libraries([programs[service.name] for service in self.node.services], folder / "box-libraries")
        for service in self.node.services:
            service.env["LD_LIBRARY_PATH"] = str(libraries)

    def start(self):
        """Returns when the pod runs and the box has all devices."""
        self.cloud.start()
        self.system.add_node("edge-1")
        kubectl = self.system.kubectl
        for path in EXAMPLES:
            kubectl("apply", "-f", str(TOP / path))
        kubectl.apply(devices.model("counter", ("count", "INT", "ReadOnly")),
                      *[devices.device(name, "counter", "edge-1", count=None) for name in self.names])
        kubectl.wait_for("pod", "hello-edge", "Ready", lambda pod: condition(pod, "Ready") == "True", 120)
        for name in ("room-3", "lamp-3"):
            wait.until(f"{name} to report", lambda name=name: devices.reported(kubectl, name), 60)

    def restart_box(self):
        """The services of the box anew: what they took to get all this is not theirs for ever."""
        self.node.stop()
        self.node.start()
        self.system.wait_ready("edge-1")

    def processes(self):
        """{name: pid} of the box's services and its mapper."""
        return {service.name: service.pid for service in self.node.services}

    def readings(self):
        """How many the cloud has."""
        return int(self.postgres.query("SELECT count(*) FROM device_readings"))

    def call_service(self):
        """The cloud calls a service of the box, by the rule of examples/rules.yaml for that."""
        if not self.service.requests:
            rules = (TOP / "examples/rules.yaml").read_text().replace('"8080"', f'"{self.service.port}"').split("\n---\n")
            self.system.kubectl("apply", "-f", "-", stdin="\n---\n".join(
                rule for rule in rules if any(f"{{name: {name}}}" in rule for name in ("cloud", "box", "panel"))))
        wait.until("the service to be called", lambda: self.cloud.rest("edge-1", "panel/state") == (200, ""), 60)

    def remove(self):
        """Leaves nothing."""
        self.service.kill()
        self.system.remove()
        self.postgres.close()
