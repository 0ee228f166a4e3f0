"""The system as docs/ops/cluster.md installs it: the chart in a Kubernetes cluster, and a box of compose that joins it."""

import shutil
from concurrent.futures import ThreadPoolExecutor

from cluster import wait
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

    def install(self):
        """helm install; returns what it prints once all is ready."""
        self.kubernetes.volume("postgres", f"data-{NAME}-postgres-0", NAMESPACE)
        return self.helm("install", RELEASE, CHART, "--create-namespace", "--wait", "--timeout=240s", values=self.values())

    def pods(self, component):
        """The pods of a service of the release that are not on their way out."""
        found = self.kubectl.get("pods", namespace=NAMESPACE)["items"]
        return [pod for pod in found if pod["metadata"]["labels"].get("app.kubernetes.io/component") == component
                and "deletionTimestamp" not in pod["metadata"]]

    def create_token(self):
        """As the notes say that helm prints."""
        for key in ("ca.crt", "tls.crt", "tls.key"):
            template = "{.data['" + key.replace(".", "\\.") + "']}"
            text = self.kubectl("-n", NAMESPACE, "get", "secret", f"{NAME}-operator-tls", "-o", f"jsonpath={template}")
            (self.folder / key).write_text(run("base64", "-d", stdin=text))
        with self.forwarded(f"deployment/{NAME}-cloudhub-svc", "10005", namespace=NAMESPACE):
            return self.cloud.run(
                Binaries()["skerryctl"], "token", "create", "--single-use", "--node", NODE, "--hub=localhost:10005", "--nodes-known",
                f"--ca={self.folder / 'ca.crt'}", f"--cert={self.folder / 'tls.crt'}", f"--key={self.folder / 'tls.key'}").strip()

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
