"""The system as docs/ops/box.md brings it up: the trial's compose file on one machine, the box's on another, which has a network of its own."""

import contextlib
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import binaries, wait
from cluster.binaries import TOP, Binaries
from cluster.kube import Kubectl, condition

from . import followed, images, stubs
from .devices import DeviceApi
from .machine import Machine, run
from .network import Network
from .system import Leftover, System

TRIAL = TOP / "docker/compose/trial/docker-compose.yml"
EDGE = TOP / "docker/compose/edge/docker-compose.yml"
ONE_PROCESS = TOP / "docker/compose/edge/one-process.yml"
DOCKER_RUNTIME = TOP / "docker/compose/edge/docker-runtime.yml"
VERSION = "0.1.0"
PAGE = "docs/ops/box.md"
CLOUD_IMAGES = ("cloudhub-svc", "standalone-api-svc", "edge-controller-svc", "device-controller-svc", "router-svc", "skerryctl")
EDGE_IMAGES = ("edgehub-svc", "edge-meta-svc", "edged-svc", "twin-svc", "eventbus-svc", "servicebus-svc", "virtual-mapper", "skerryctl",
               "pause", "skerry-edge")
NODE = "edge-1"


def _of_box(over):
    return over if ONE_PROCESS in over else (EDGE, *over)


class ComposedSystem:
    """Two machines with docker, and all images on them; nothing of the system runs yet. The cloud's is Debian 12's docker, the box's Debian
    13's. `by` is docker-compose's major version."""

    def __init__(self, name):
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="skerry-e2e-", dir="/tmp"))
        self.network = Network()
        unique = self.folder.name.removeprefix("skerry-e2e-")
        self.cloud = Machine(self.folder / f"skerry-cloud-{unique}", self.network.cloud, self.folder / "cloud.log")
        self.box = Machine(self.folder / f"skerry-box-{unique}", self.network.add_box(NODE), self.folder / "box.log", debian=13)
        self._relay = None
        System.alive.append(self)  # For the report of a failure.

    def start(self):
        """The machines, each with its images, made by itself; then all of the cloud half, and the box's container runtime."""
        for machine in (self.cloud, self.box):
            machine.start()
        built = Binaries()

        def cloud():
            images.postgres(self.cloud)
            images.skerry(self.cloud, built, self.folder / "dist-cloud", *CLOUD_IMAGES)
            self.cloud_up(by=1)

        def box():
            images.mosquitto(self.box)
            images.skerry(self.box, built, self.folder / "dist-box", *EDGE_IMAGES)
            self.box.start_containerd()

        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(cloud), pool.submit(box)]:
                done.result()
        return self

    # ---- the cloud

    def cloud_up(self, by):
        """The trial's compose file, until all its services are healthy."""
        self.cloud.compose(by, [TRIAL], "up", "-d", SKERRY_HOST=self.cloud.address, SKERRY_POSTGRES_IMAGE=images.POSTGRES)
        self.wait_healthy(self.cloud, 6)
        self._fetch("standalone-api-svc", "standalone-api/kubeconfig/admin.kubeconfig")
        for file in ("ca.crt", "operator.crt", "operator.key"):
            self._fetch("cloudhub-svc", f"cloudhub/clients/{file}")

    def cloud_down(self, by):
        """Its containers and networks go; its volumes stay."""
        self.cloud.compose(by, [TRIAL], "down", SKERRY_HOST=self.cloud.address, SKERRY_POSTGRES_IMAGE=images.POSTGRES)

    def _fetch(self, service, path):
        # One name has dashes, the other underscores.
        container = self.cloud.docker("ps", "--quiet", f"--filter=label=com.docker.compose.service={service}").strip()
        self.cloud.docker("cp", f"{container}:/var/lib/skerry/{path}", self.folder / Path(path).name)

    @property
    def kubectl(self):
        """As administrator, on the cloud's machine, where the port of the API is published."""
        kubeconfig = self.folder / "admin.kubeconfig"
        text = kubeconfig.read_text().replace("https://standalone-api-svc:6443", "https://127.0.0.1:6443")
        kubeconfig.write_text(text)
        return Kubectl(kubeconfig, self.folder / "kubectl-cache", self.cloud.network)

    @contextlib.contextmanager
    def forwarded(self, *what, namespace="default"):
        """kubectl port-forward of an object's port (`what` is as there), while the context lasts: the port on the cloud's loopback."""
        command = self.cloud.network.command(binaries.kubectl(), f"--kubeconfig={self.folder / 'admin.kubeconfig'}", "-n", namespace,
                                             "port-forward", *what)
        with open(self.folder / "port-forward.log", "w+", encoding="utf-8") as log, \
                subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as forward:
            def listens():
                said = Path(log.name).read_text()
                match = re.search(r"127\.0\.0\.1:(\d+)", said)
                if match is None and forward.poll() is not None:
                    raise RuntimeError(said)
                return match
            try:
                yield int(wait.until("the port that is forwarded", listens, 20)[1])
            finally:
                forward.terminate()

    def fetch_through(self, pod, port, path):
        """The body of a file of an HTTP server on the pod's localhost, by kubectl port-forward."""
        with self.forwarded(f"pod/{pod}", f":{port}") as local:
            return self.cloud.run("curl", "-sS", "--max-time", "20", f"http://127.0.0.1:{local}/{path}")

    def create_token(self):
        """As box.md says."""
        return self.cloud.docker(
            "run", "--rm", "--network", "trial_default", "-v", "trial_clients:/clients:ro", f"skerry/skerryctl:{VERSION}",
            "token", "create", "--single-use", "--node", NODE, "--hub", "cloudhub-svc:10005", "--ca", "/clients/ca.crt",
            "--cert", "/clients/operator.crt", "--key", "/clients/operator.key").strip()

    def device_api(self):
        """device-controller-svc's API, whose port is published on the cloud's loopback."""
        path = self.folder / "devices.sock"
        path.unlink(missing_ok=True)
        if self._relay is not None:
            self._relay.close()
        self._relay = Relay(self.cloud.network, path, "127.0.0.1:10006")
        return DeviceApi(channel=stubs.tls_channel(path, self.folder / "ca.crt", self.folder / "operator.crt",
                                                   self.folder / "operator.key", "cloudhub-svc"))

    # ---- the box

    @property
    def join_url(self):
        """What the box is told to join."""
        return f"https://{self.cloud.address}:10002"

    def join(self):
        """The folders, and skerryctl join, as box.md says."""
        for line in followed.commands(PAGE, "skerry.conf"):
            self.box.run("sh", "-ec", f"cd {TOP}; {line}")
        self.box.docker(
            "run", "--rm", "--network", "host", "-v", "/etc/skerry:/etc/skerry", "-v", "/run/skerry:/run/skerry",
            "-v", "/var/lib/skerry:/var/lib/skerry", "-e", f"SKERRY_JOIN_TOKEN={self.create_token()}", f"skerry/skerryctl:{VERSION}",
            "join", "--cloud", self.join_url, "--node-name", NODE)

    def box_up(self, *over, by, options=(), **variables):
        """The box's compose file, and those laid over it, or ONE_PROCESS; returns when its containers have started. As box.md has the
        command."""
        files = [word for file in _of_box(over) for word in ("-f", file.relative_to(TOP))]
        followed.check(PAGE, "docker-compose", *files, "up", "-d", *options)
        self._compose_box(by, over, "up", "-d", *options, **variables)

    def box_down(self, *over, by):
        """Its containers go."""
        self._compose_box(by, over, "down")

    def skerryctl(self, *argv, over=(), by=2, options=()):
        """skerryctl on the box; its standard output. `over` is as for box_up, `options` docker-compose's."""
        return self._compose_box(by, over, "run", "--rm", "-T", *options, "skerryctl", *argv)

    def to_six(self):
        """What box.md says of a box that was one process, between its `down` and the `up` of the six."""
        for line in followed.commands(PAGE, "chown"):
            self.box.run("sh", "-ec", line)

    def _compose_box(self, by, over, *command, **variables):
        return self.box.compose(by, _of_box(over), *command, SKERRY_MOSQUITTO_IMAGE=images.MOSQUITTO,
                                SKERRY_CONTAINERD_DIR=str(self.box.containerd_dir / "run"),
                                SKERRY_CONTAINERD_ROOT=str(self.box.containerd_dir / "root"),
                                SKERRY_RESTRICT_OOM_SCORE_ADJ="true",  # Where the tests run nobody may lower it.
                                **variables)

    def load_pod_image(self):
        """pods.IMAGE, for pods by docker."""
        run(TOP / "tools/dev/test_images", self.folder / "images")
        self.box.docker("load", "--input", self.folder / "images/busybox.tar")

    def start_mapper(self):
        """The virtual mapper, as box.md says."""
        self.box.run("tee", "/etc/skerry/virtual-mapper.yaml", stdin="name: virtual\nprotocol: virtual\n")
        self.box.docker("run", "--detach", "--name", "virtual-mapper", "--restart", "unless-stopped", "--network", "host", "--read-only",
                        "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true", "--memory", "64m", "--log-opt", "max-size=5m",
                        "--log-opt", "max-file=3", "-v", "/etc/skerry/virtual-mapper.yaml:/etc/skerry/virtual-mapper.yaml:ro",
                        "-v", "/run/skerry:/run/skerry", f"skerry/virtual-mapper:{VERSION}")

    def publish(self, topic, *lines):
        """Messages of a device of the box, with QoS 1; returns when the broker has them."""
        self.box.run("mosquitto_pub", "-h", "127.0.0.1", "-q", "1", "-t", topic, "-l", stdin="".join(f"{line}\n" for line in lines),
                     timeout=30)

    # ---- both

    def wait_healthy(self, machine, count):
        """Until `count` containers run, and all that have a health check are healthy."""
        def healthy():
            states = {name: container["State"] for name, container in machine.containers().items()}
            bad = {name: state.get("Health", {}).get("Status", state["Status"]) for name, state in states.items()
                   if state["Status"] != "running" or state.get("Health", {}).get("Status", "healthy") != "healthy"}
            if bad or len(states) != count:
                raise RuntimeError(f"{len(states)} containers, of which not healthy: {bad}")
            return True

        wait.until(f"{count} containers to be healthy", healthy, 90, 0.5)

    def wait_ready(self, ready="True"):
        """Until the Node object's Ready condition has this status."""
        self.kubectl.wait_for("node", NODE, f"Ready={ready}", lambda node: condition(node, "Ready") == ready, 90)

    def describe(self):
        """State and ends of the logs, for the report of a failure."""
        return "\n".join([self.cloud.describe(), self.box.describe()])

    def close(self):
        """Ends everything and proves that nothing is left."""
        System.alive.remove(self)
        try:
            if self._relay is not None:
                self._relay.close()
        finally:
            try:
                for machine in (self.box, self.cloud):
                    machine.close()
            finally:
                self.network.close()
        shutil.rmtree(self.folder)
        left = run("pgrep", "-f", "-a", self.folder, check=False)
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            left += "".join(line for line in mounts if str(self.folder) in line)
        if left:
            raise Leftover(f"{self.name} left behind: {left}")


class Relay:
    """socat: what dials a Unix socket gets a connection to a port in a namespace. gRPC's threads are of no namespace but ours."""

    def __init__(self, network, path, address):
        self._child = subprocess.Popen(network.command("socat", f"UNIX-LISTEN:{path},fork", f"TCP:{address}"), stderr=subprocess.DEVNULL)
        wait.until("the relay to listen", path.exists, 10, 0.02)

    def close(self):
        """Ends it with its connections."""
        self._child.terminate()
        self._child.wait(10)
