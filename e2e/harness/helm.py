"""The system as docs/ops/cluster.md installs it: the chart in a Kubernetes cluster, and a box of compose that joins it."""

import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor

from cluster import binaries, wait
from cluster.binaries import TOP, Binaries

from . import images
from .compose import EDGE_IMAGES, NODE, VERSION, ComposedSystem
from .kubernetes import Kubernetes
from .machine import run

CHART = TOP / "charts/skerry-cloud"
NAMESPACE = "skerry"
RELEASE = "skerry"
NAME = "skerry-skerry-cloud"  # Of the release's objects.
CHART_IMAGES = ("cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc", "skerryctl")
LINK_PORT, JOIN_PORT = 30000, 30002


class HelmSystem(ComposedSystem):
    """Two machines: one is a Kubernetes cluster, the other the box."""

    def __init__(self, name):
        super().__init__(name)
        self.kubernetes = Kubernetes(self.cloud)
        self.notes = ""
        self.desk = self.folder / "desk"  # Of the operator: the keys that he fetched, and backups.

    def values(self):
        """What an operator would write for this cluster: no load balancer, images of its own, no patience with boxes."""
        return {"cloudhub": {"hosts": [self.cloud.address], "advertise": f"{self.cloud.address}:{LINK_PORT}",
                             "service": {"type": "NodePort", "nodePorts": {"link": LINK_PORT, "join": JOIN_PORT}}},
                "edgeController": {"config": {"node": {"lost_after": "10s"}}},
                "database": {"bundled": {"image": images.POSTGRES}}}

    def start(self):
        """The machines with their images; the cluster, without the chart."""
        for machine in (self.cloud, self.box):
            machine.start()
        built = Binaries()

        def cloud():
            images.postgres(self.cloud)
            images.chart_jobs(self.cloud, f"skerry/chart-jobs:{VERSION}")
            images.skerry(self.cloud, built, self.folder / "dist-cloud", *CHART_IMAGES)
            self.kubernetes.load_images(images.POSTGRES, *(f"skerry/{name}:{VERSION}" for name in (*CHART_IMAGES, "chart-jobs")))

        def box():
            images.mosquitto(self.box)
            images.skerry(self.box, built, self.folder / "dist-box", *EDGE_IMAGES)
            self.box.start_containerd()

        self.kubernetes.start()
        shutil.copy(self.kubernetes.admin, self.folder / "admin.kubeconfig")
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(cloud), pool.submit(box)]:
                done.result()
        return self

    # ---- the cloud

    @property
    def kubectl(self):
        return self.kubernetes.kubectl

    def helm(self, *argv, values=None, timeout=300):
        """helm, in the release's namespace."""
        return self.kubernetes.helm(*argv, "--namespace", NAMESPACE, values=values, timeout=timeout)

    def shell(self, text, program=("bash", "-o", "pipefail"), timeout=300):
        """Lines that an operator types, on the desk, where the repository's charts are, too; each has to succeed. Returns what they print."""
        desk = self.desk
        if not desk.exists():
            (desk / "bin").mkdir(parents=True)
            (desk / "charts").symlink_to(TOP / "charts")
            for name, path in (("helm", binaries.tool("helm")), ("kubectl", binaries.kubectl()), ("skerryctl", Binaries()["skerryctl"])):
                (desk / "bin" / name).symlink_to(path)
        return run(*self.cloud.command("env", f"--chdir={desk}", f"PATH={desk}/bin:/usr/bin:/bin", f"HOME={desk}",
                                       f"KUBECONFIG={self.kubernetes.admin}", *program, "-eu", "-c", text), timeout=timeout)

    def volume(self):
        """Of the bundled database."""
        self.kubernetes.volume("postgres", f"data-{NAME}-postgres-0", NAMESPACE)

    def install(self):
        """helm install; returns what it prints once all is ready."""
        self.volume()
        return self.helm("install", RELEASE, CHART, "--create-namespace", "--wait", "--timeout=240s", values=self.values())

    def pods(self, component):
        """The pods of a service of the release that are not on their way out."""
        found = self.kubectl.get("pods", namespace=NAMESPACE)["items"]
        return [pod for pod in found if pod["metadata"]["labels"].get("app.kubernetes.io/component") == component
                and "deletionTimestamp" not in pod["metadata"]]

    def lose(self):
        """The release, its namespace and its database go; what the cluster has outside of that namespace stays."""
        self.helm("uninstall", RELEASE)
        # At once, as what is lost goes: hubs would wait for their boxes to leave.
        self.kubectl("-n", NAMESPACE, "delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false")
        self.kubectl("delete", "namespace", NAMESPACE, "--timeout=120s", timeout=150)
        self.kubernetes.kill_containers(NAMESPACE)
        self.kubernetes.lose_volume("postgres")

    def external_database(self, port):
        """Starts a PostgreSQL beside the cluster, on the machine's network, with an empty database; returns its URL."""
        password = self.folder / "database.password"
        password.write_text("a-password")
        self.cloud.docker("run", "--detach", "--name=database", "--network=host", "--env=POSTGRES_USER=skerry", "--env=POSTGRES_DB=skerry",
                          "--env=POSTGRES_PASSWORD_FILE=/password", f"--env=PGPORT={port}", f"--volume={password}:/password:ro", images.POSTGRES)
        url = f"postgresql://skerry:{password.read_text()}@{self.cloud.address}:{port}/skerry"
        wait.until("the database", lambda: self.shell(f"psql '{url}' -Atc 'SELECT 1'") == "1\n", 60, 0.3)
        return url

    def noted(self, start):
        """The one line that begins so of the notes that helm has printed."""
        (line,) = [line.strip() for line in self.notes.splitlines() if line.strip().startswith(start)]
        return line

    def skerryctl(self, *argv):
        """As the operator whose key the notes have fetched, through a port that is forwarded."""
        with self.forwarded(f"deployment/{NAME}-cloudhub-svc", "10005", namespace=NAMESPACE):
            return self.shell(shlex.join(["skerryctl", *argv, "--hub=localhost:10005", "--ca=ca.crt", "--cert=tls.crt", "--key=tls.key"]))

    def create_token(self):
        """As the notes say that helm prints: their own lines."""
        self.shell(self.noted("for key in "), program=("sh",))
        with self.forwarded(f"deployment/{NAME}-cloudhub-svc", "10005", namespace=NAMESPACE):
            return self.shell(f"{self.noted('skerryctl token create')} --single-use --node {NODE} --nodes-known", program=("sh",)).strip()

    @property
    def join_url(self):
        return f"https://{self.cloud.address}:{JOIN_PORT}"

    def describe(self):
        return "\n".join([self.kubernetes.describe(), self.box.describe()])

    def close(self):
        try:
            self.kubernetes.close()
        finally:
            super().close()

    def wait_ready_pods(self, component, count):
        """Until that many pods of a service are ready."""
        def ready():
            states = [status["ready"] for pod in self.pods(component) for status in pod["status"].get("containerStatuses", [])]
            return states == [True] * count
        wait.until(f"{count} pods of {component} to be ready", ready, 120, 0.5)
