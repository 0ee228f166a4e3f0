"""A Kubernetes cluster of one node on a Machine: etcd, the API server with RBAC, its controllers, the scheduler, a kubelet on
containerd, kube-proxy and DNS, of the binaries that tools/dev/kubernetes makes of Debian's source package.

Nothing is left out that a chart meets: service accounts and their rights, admission, quotas, Jobs, hooks, probes, rolling updates,
cluster addresses and node ports. What it has not: a storage provisioner (volume() makes a volume by hand), a network that enforces
NetworkPolicies, cert-manager, a load balancer.
"""

import http.client
import json
import shutil
import ssl
import subprocess
import threading
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import yaml
from cluster import binaries, wait
from cluster.binaries import TOP
from cluster.kube import Kubectl, condition

from .machine import run

NODE = "cloud-1"
SERVICES = "10.96.0.0/16"
_API_ADDRESS = "10.96.0.1"  # The first of SERVICES is the API server's own.
_ETCD = "http://127.0.0.1:2379"
# Tokens of service accounts in projected volumes, as every cluster since 1.21 has them.
_FEATURES = "--feature-gates=BoundServiceAccountTokenVolume=true"


class Authority:
    """The cluster's CA, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.ca = folder / "ca.crt"
        self._openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "ca.key",
                      "-out", self.ca, "-subj", "/CN=kubernetes", "-days", "30")
        self._openssl("genrsa", "-out", folder / "sa.key", "2048")

    @staticmethod
    def _openssl(*argv):
        run("openssl", *argv)

    def issue(self, name, subject, sans=""):
        """(certificate, key) of a client, and of a server where it has names."""
        crt, key, csr, extensions = (self.folder / f"{name}.{end}" for end in ("crt", "key", "csr", "ext"))
        extensions.write_text("extendedKeyUsage=clientAuth,serverAuth\n" + (f"subjectAltName={sans}\n" if sans else ""))
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
                      "-subj", subject)
        self._openssl("x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-out", crt,
                      "-days", "30", "-extfile", extensions)
        return crt, key

    def kubeconfig(self, name, subject, server):
        """The path of one for whoever `subject` is."""
        crt, key = self.issue(name, subject)
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": str(self.ca)}}],
            "users": [{"name": "it", "user": {"client-certificate": str(crt), "client-key": str(key)}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}))
        return path


class Kubernetes:
    """The cluster. `machine` has started; it gets a containerd. close() of the machine ends all of it."""

    def __init__(self, machine):
        self.machine = machine
        self.folder = machine.folder / "kubernetes"
        self.server = f"https://{machine.address}:6443"
        self.admin = None
        self.api_ready_time = None  # Of its last start, as logs have it.
        self._programs = Path(run(TOP / "tools/dev/kubernetes", timeout=3600).strip())
        self._children = {}
        self.pki = None
        self._dns = None

    # ---- life

    def start(self):
        """Returns when the node is Ready."""
        self.machine.start_containerd()
        self.pki = Authority(self.folder / "pki")
        self.admin = self.pki.kubeconfig("admin", "/O=system:masters/CN=admin", self.server)
        self.machine.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        # What has no route gets none of kube-proxy's rules; other machines have a default route.
        self.machine.network.ip("route", "add", SERVICES, "dev", "bridge0")
        self.spawn("etcd", self._programs / "etcd", f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={_ETCD}", f"--advertise-client-urls={_ETCD}",
                    "--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync", "--log-level=warn")
        self.pki.issue("apiserver", "/CN=kube-apiserver", f"IP:{self.machine.address},IP:127.0.0.1,IP:{_API_ADDRESS}")
        self.pki.issue("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
        self.start_api()
        for name, user, *arguments in (
                ("kube-controller-manager", "/CN=system:kube-controller-manager", "--use-service-account-credentials",
                 f"--root-ca-file={self.pki.ca}", f"--service-account-private-key-file={self.pki.folder / 'sa.key'}",
                 _FEATURES, "--leader-elect=false", "--bind-address=127.0.0.1",
                 "--controllers=*,bootstrapsigner,tokencleaner,-nodeipam,-route,-attachdetach"),
                ("kube-scheduler", "/CN=system:kube-scheduler", "--leader-elect=false", "--bind-address=127.0.0.1", "--port=0"),
                ("kube-proxy", "/CN=system:kube-proxy", "--proxy-mode=iptables", f"--hostname-override={NODE}",
                 # Pods of one bridge answer one another past the rules that changed the address, unless these hide who asked.
                 "--masquerade-all", "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
                 "--conntrack-tcp-timeout-close-wait=0")):
            kubeconfig = self.pki.kubeconfig(name, user, self.server)
            self.spawn(name, self._programs / name, f"--kubeconfig={kubeconfig}", *arguments)
        self._start_kubelet()
        self._dns = Dns(self)
        self._dns.start()
        self.kubectl.wait_for("node", NODE, "is Ready", lambda node: condition(node, "Ready") == "True", 90)
        self._await("the default service account", lambda: self.kubectl.exists("serviceaccount", "default"))
        return self

    def start_api(self):
        """The API server; returns when it is ready."""
        pki = self.pki.folder
        self.spawn("kube-apiserver", self._programs / "kube-apiserver", f"--etcd-servers={_ETCD}", f"--client-ca-file={self.pki.ca}",
                   f"--tls-cert-file={pki / 'apiserver.crt'}", f"--tls-private-key-file={pki / 'apiserver.key'}",
                   f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}", f"--kubelet-client-key={pki / 'kubelet-client.key'}",
                   "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={pki / 'sa.key'}",
                   f"--service-account-signing-key-file={pki / 'sa.key'}", f"--service-cluster-ip-range={SERVICES}",
                   f"--advertise-address={self.machine.address}", "--allow-privileged",
                   # As kubeadm has it: where API servers look for kubelets, and that names of nodes are none of DNS.
                   "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname", "--enable-admission-plugins=NodeRestriction",
                   "--authorization-mode=Node,RBAC", _FEATURES)
        self._await("the API", lambda: self.kubectl("get", "--raw", "/readyz") == "ok")
        self.api_ready_time = datetime.now(timezone.utc).isoformat()

    def kill_api(self):
        """SIGKILL; returns when it is gone."""
        self.machine.run("pkill", "-KILL", "-x", "kube-apiserver")
        self._children.pop("kube-apiserver").wait(30)

    def compact(self):
        """Forgets all history, so that no watch can go on from before."""
        status = json.loads(self._etcdctl("endpoint", "status", "--write-out=json"))
        self._etcdctl("compact", str(status[0]["Status"]["header"]["revision"]))

    def _etcdctl(self, *argv):
        return self.machine.run(self._programs / "etcdctl", f"--endpoints={_ETCD}", *argv)

    def _start_kubelet(self):
        group = f"/{self.machine.folder.name}"
        for controller in Path("/sys/fs/cgroup").iterdir():
            if controller.is_dir():
                self.machine.run("mkdir", "-p", f"{controller}{group}")
        crt, key = self.pki.issue("kubelet-server", f"/CN={NODE}", f"IP:{self.machine.address}")
        self._keep_kernel()
        config = self.folder / "kubelet.yaml"
        config.write_text(yaml.safe_dump({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "tlsCertFile": str(crt),
            "tlsPrivateKeyFile": str(key), "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False},
                                                              "x509": {"clientCAFile": str(self.pki.ca)}},
            "authorization": {"mode": "AlwaysAllow"}, "cgroupDriver": "cgroupfs", "cgroupRoot": group, "enforceNodeAllocatable": [],
            "failSwapOn": False, "clusterDNS": [self.machine.address], "clusterDomain": "cluster.local",
            "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
            "readOnlyPort": 0, "healthzPort": 0, "imageGCHighThresholdPercent": 100, "volumePluginDir": str(self.folder / "plugins")}))
        kubeconfig = self.pki.kubeconfig("kubelet", f"/O=system:nodes/CN=system:node:{NODE}", self.server)
        self.spawn("kubelet", self._programs / "kubelet", f"--config={config}", f"--kubeconfig={kubeconfig}", f"--hostname-override={NODE}",
                    f"--node-ip={self.machine.address}", "--container-runtime=remote",
                    f"--container-runtime-endpoint=unix://{self.machine.containerd_dir}/run/containerd.sock",
                    _FEATURES, f"--root-dir={self.folder / 'kubelet'}", f"--cert-dir={self.folder / 'kubelet-pki'}")

    def _keep_kernel(self):
        """What the kubelet sets is the whole computer's, the one around the machine, too: it writes into files instead."""
        for name in ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
                     "kernel/keys/root_maxbytes"):
            setting, copy = f"/proc/sys/{name}", self.folder / "kernel" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(Path(setting).read_text())
            self.machine.run("mount", "--bind", copy, setting)

    def spawn(self, name, *argv):
        """Starts a part of the cluster."""
        with open(self.folder / f"{name}.log", "ab") as log:
            self._children[name] = subprocess.Popen(self.machine.command(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                    start_new_session=True)

    def _await(self, what, condition_):
        """Until it holds; whatever has ended meanwhile is in the error."""
        def holds():
            for name, child in self._children.items():
                if child.poll() is not None:
                    raise wait.TimedOut(f"{name} ended with {child.returncode}: {self._tail(name)}")
            return condition_()
        wait.until(what, holds, 60, 0.2)

    def close(self):
        """Ends what watches the cluster from outside; the machine's end is the cluster's."""
        if self._dns is not None:
            self._dns.stop()
        for child in self._children.values():
            child.kill()
            child.wait(30)

    # ---- use

    @property
    def kubectl(self):
        """As administrator."""
        return Kubectl(self.admin, self.folder / "kubectl-cache", self.machine)

    def helm(self, *argv, timeout=300, values=None):
        """The real helm, as administrator; returns its standard output."""
        given = [] if values is None else ["-f", "-"]
        return run(*self.machine.command(binaries.tool("helm"), f"--kubeconfig={self.admin}", *argv, *given), timeout=timeout,
                   stdin=None if values is None else yaml.safe_dump(values), env={"HOME": str(self.folder)})

    def load_images(self, *tags):
        """From the machine's docker to its containerd."""
        archive = self.folder / "images.tar"
        self.machine.docker("save", "--output", archive, *tags)
        self._ctr("images", "import", archive, timeout=120)
        archive.unlink()

    def _ctr(self, *argv, **options):
        return self.machine.run("ctr", f"--address={self.machine.containerd_dir}/run/containerd.sock", "--namespace=k8s.io", *argv, **options)

    def kill_containers(self, namespace):
        """SIGKILL to those of a namespace that is gone, to which the kubelet gives their time although the API has forgotten them; returns when
        none runs."""
        def gone():
            made = self._ctr("containers", "list", "--quiet", f'labels."io.kubernetes.pod.namespace"=={namespace}').split()
            running = set(made) & set(self._ctr("tasks", "list", "--quiet").split())
            for container in running:
                self._ctr("tasks", "kill", "--signal=SIGKILL", container, check=False)  # It may have ended just now.
            return not running
        wait.until(f"the containers of {namespace} to be gone", gone, 60, 0.5)

    def volume(self, name, claim, namespace):
        """A PersistentVolume of the node's disk, for a claim that will be made."""
        path = self._volume(name)
        path.mkdir(parents=True)
        self.kubectl.apply({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": "8Gi"}, "accessModes": ["ReadWriteOnce"], "local": {"path": str(path)},
                     "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": namespace, "name": claim},
                     "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                         {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}]}]}}}})

    def lose_volume(self, name):
        """With what is on it; nobody uses it."""
        self.kubectl("delete", "persistentvolume", name)
        shutil.rmtree(self._volume(name))

    def _volume(self, name):
        return self.folder / "volumes" / name

    def describe(self):
        """What there is and ends of logs, for the report of a failure."""
        parts = []
        for arguments in (("get", "pods,jobs,services,nodes", "-A", "-o", "wide"),
                          ("get", "events", "-A", "--sort-by=.lastTimestamp")):
            try:
                parts.append(self.kubectl(*arguments)[-6000:])
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                parts.append(str(error))
        return "\n".join([*parts, *(f"== {name}: {self._tail(name)}" for name in self._children)])

    def _tail(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]


class Dns(threading.Thread):
    """Names of Services, as the cluster's DNS gives them; dnsmasq answers, this thread tells it what there is."""

    _INTERVAL = 0.5

    def __init__(self, kubernetes):
        super().__init__(daemon=True)
        self._cluster = kubernetes
        self._hosts = kubernetes.folder / "hosts"
        self._ended = threading.Event()
        self._hosts.write_text("")
        crt, key = kubernetes.pki.issue("dns", "/O=system:masters/CN=dns")
        self._tls = ssl.create_default_context(cafile=kubernetes.pki.ca)
        self._tls.load_cert_chain(crt, key)
        kubernetes.spawn(
            "dnsmasq", "dnsmasq", "--keep-in-foreground", "--pid-file", "--log-facility=-", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--user=root", "--bind-interfaces", f"--listen-address={kubernetes.machine.address}", "--local=/#/",
            f"--addn-hosts={self._hosts}")

    def _get(self, path):
        request = urllib.request.Request(self._cluster.server + path)
        with self._cluster.machine.entered(), urllib.request.urlopen(request, timeout=5, context=self._tls) as answer:
            return json.load(answer)["items"]

    def _names(self):
        """Lines of a hosts file: a service has its own address, or those of its pods where it has none."""
        endpoints = {(each["metadata"]["namespace"], each["metadata"]["name"]): each.get("subsets") or [] for each in self._get("/api/v1/endpoints")}
        lines = []
        for service in self._get("/api/v1/services"):
            namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
            address = service["spec"].get("clusterIP")
            found = [address] if address != "None" else [
                each["ip"] for subset in endpoints.get((namespace, name), []) for each in subset.get("addresses") or []]
            lines += [f"{each} {name}.{namespace}.svc.cluster.local" for each in found]
        return "".join(f"{line}\n" for line in sorted(lines))

    def run(self):
        while not self._ended.wait(self._INTERVAL):
            try:
                names = self._names()
            except (OSError, ValueError, http.client.HTTPException):
                continue  # The API is on its way up or down.
            if names != self._hosts.read_text():
                self._hosts.write_text(names)
                self._cluster.machine.run("pkill", "-HUP", "-x", "dnsmasq")  # It reads the file again.

    def stop(self):
        """Returns when it has ended."""
        self._ended.set()
        self.join(10)
