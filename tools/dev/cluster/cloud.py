"""The cloud half: the Kubernetes-compatible API, the hub, the controllers."""

import subprocess
from pathlib import Path

from .binaries import TOP
from .host import HOST
from .kube import Kubectl
from .ports import Ports
from .process import Service


class CloudHalf:
    """Started in order, because each writes the credentials of the next: the API writes kubeconfigs, the hub the
    controller's and the operator's certificates.

    fixed_ports: take the usual ports (6443, 9443, 10000, 10002, 10005 to 10007, 10250) where they are free.
    """

    def __init__(self, folder, logs, binaries, fixed_ports=False, host=HOST):
        self.folder = Path(folder)
        self._binaries = binaries
        self.host = host
        self._ports = Ports()
        port = (lambda number: number) if fixed_ports else (lambda number: 0)
        self.kubeconfigs = self.folder / "kubeconfig"
        self.clients = self.folder / "hub/clients"

        def service(name, settings, listens, folder=self.folder, log=None):
            return Service(name, binaries, folder, Path(logs) / f"{log or name}.log", settings, listens, host=host)

        self._service = service

        self.api = service("standalone-api-svc", {
            "listen": self._listen(HOST.address, port(6443)),
            "state_dir": str(self.folder / "api"),
            "kubeconfig.out_dir": str(self.kubeconfigs),
            "kubelet.ca": str(self.clients / "ca.crt"),
            "bootstrap.manifests_dir": str(TOP / "charts/skerry-cloud/crds"),
        }, {"listen": "api"})
        self.hub = service("cloudhub-svc", {
            "state_dir": str(self.folder / "hub"),
            "link.listen": self._listen(host.address, port(10000)),
            "join.listen": self._listen(host.address, port(10002)),
            "api.listen": self._listen(HOST.address, port(10005)),
            "tls.sans": [host.address],
        }, {"link.listen": "link", "join.listen": "join", "api.listen": "api"})
        self.hubs = [self.hub]
        self.controller = service("edge-controller-svc", {
            "kubeconfig": str(self.kubeconfigs / "edge-controller.kubeconfig"),
            "tls.ca": str(self.clients / "ca.crt"),
            "tls.cert": str(self.clients / "edge-controller.crt"),
            "tls.key": str(self.clients / "edge-controller.key"),
            "leader_election.enabled": False,  # There is one.
            "kubelet.listen": self._listen(HOST.address, port(10250)),
            "kubelet.client_ca": str(self.folder / "api/pki/ca.crt"),
        }, {"kubelet.listen": "kubelet"})
        self.devices = service("device-controller-svc", {
            "kubeconfig": str(self.kubeconfigs / "device-controller.kubeconfig"),
            "state_dir": str(self.folder / "devices"),
            "listen": self._listen(HOST.address, port(10006)),
            "tls.ca": str(self.clients / "ca.crt"),
            "tls.cert": str(self.clients / "device-controller.crt"),
            "tls.key": str(self.clients / "device-controller.key"),
            "leader_election.enabled": False,
        }, {"listen": "api"})
        self.router = service("router-svc", {
            "kubeconfig": str(self.kubeconfigs / "router.kubeconfig"),
            "state_dir": str(self.folder / "router"),
            "listen": self._listen(HOST.address, port(10007)),
            "tls.ca": str(self.clients / "ca.crt"),
            "tls.cert": str(self.clients / "router.crt"),
            "tls.key": str(self.clients / "router.key"),
            "rest.listen": self._listen(HOST.address, port(9443)),
            "rest.client_ca": str(self.clients / "ca.crt"),
            "rest.group": "skerry:operators",
        }, {"listen": "api", "rest.listen": "rest"})

    @property
    def services(self):
        """In order of start."""
        return [self.api, *self.hubs, *self.controllers]

    @property
    def controllers(self):
        """What is attached to the hubs."""
        return [self.controller, self.devices, self.router]

    def _listen(self, address, port):
        return f"{address}:{self._ports.take(address, port)}"

    def add_hub(self):
        """A further replica, with the settings that the first has, but for what is a replica's own."""
        name = f"hub-{len(self.hubs) + 1}"
        own = {"hub.name": name, "state_dir": str(self.folder / name),
               **{listen: self._listen(HOST.address if listen == "api.listen" else self.host.address, 0)
                  for listen in self.hub.listens}}
        self.hubs.append(self._service("cloudhub-svc", {**self.hub.settings, **own}, self.hub.listens,
                                       self.folder / name, f"cloudhub-svc-{name}"))
        return self.hubs[-1]

    @property
    def admin_kubeconfig(self):
        """For kubectl."""
        return self.kubeconfigs / "admin.kubeconfig"

    def start_api(self):
        """The API alone."""
        (self.folder / "api").mkdir(parents=True, exist_ok=True)
        self.api.start()

    def start(self):
        """Starts what is not running."""
        self.start_api()
        for hub in self.hubs:
            Path(hub.settings["state_dir"]).mkdir(parents=True, exist_ok=True)
            hub.start()
        for controller in self.controllers:
            controller.settings["hub.addresses"] = [hub.addresses["api"] for hub in self.hubs]
            controller.start()

    def kill(self):
        """SIGKILL of all at once, as a lost data centre."""
        for service in self.services:
            service.kill()

    def stop(self):
        """In reverse order of start."""
        for service in reversed(self.services):
            service.stop()

    def kubectl(self, cache, kubeconfig=None):
        """kubectl with the administrator's rights."""
        return Kubectl(kubeconfig or self.admin_kubeconfig, cache, self.host)

    # ---- skerryctl

    def skerryctl(self, *arguments, check=True):
        """Runs skerryctl as the operator; returns its standard output."""
        command = self.host.command(self._binaries["skerryctl"], *arguments)
        done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(f"skerryctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    @property
    def operator_flags(self):
        """What skerryctl needs to speak to the hub's administration."""
        return self.operator_flags_of(self.hub)

    def operator_flags_of(self, hub):
        """The same, for one of several replicas."""
        return [f"--hub={hub.addresses['api']}", f"--ca={self.clients / 'ca.crt'}",
                f"--cert={self.clients / 'operator.crt'}", f"--key={self.clients / 'operator.key'}"]

    @property
    def device_flags(self):
        """What skerryctl needs to speak to device-controller-svc."""
        return [f"--controller={self.devices.addresses['api']}", *self.operator_flags[1:]]

    def rest(self, node, path, *flags, namespace="default"):
        """curl, as the operator, of a path of router-svc's REST endpoint: (status, body)."""
        done = subprocess.run(self.host.command(
            "curl", "-sS", "--max-time", "30", "--cacert", str(self.clients / "ca.crt"),
            "--cert", str(self.clients / "operator.crt"), "--key", str(self.clients / "operator.key"),
            "-w", "\n%{http_code}", *flags, f"https://{self.router.addresses['rest']}/{node}/{namespace}/{path}"),
            text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"curl {path}: {done.stderr.strip()}")
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    @property
    def join_address(self):
        """Where `skerryctl join` goes."""
        return f"https://{self.hub.addresses['join']}"

    def create_token(self, *flags):
        """The secret of a new join token."""
        return self.skerryctl("token", "create", *self.operator_flags, *flags).strip()
