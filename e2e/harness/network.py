"""Network namespaces of a scenario's own, and what can go wrong between them.

The cloud half is in one namespace with a bridge, every box in another, joined to it by a veth pair. Names and addresses
exist in the namespaces only; this machine's own network is not touched. A Namespace is a Host of `cluster`: services
are started in it, and threads of the scenario enter it for the sockets that they open.
"""

import contextlib
import ctypes
import json
import os
import re
import subprocess
from pathlib import Path

from cluster.host import Host

_MOUNTS = Path("/run/netns")
_PREFIX = "skerry-e2e-"
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _run(*argv):
    done = subprocess.run([str(a) for a in argv], text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.stderr.strip()}")
    return done.stdout


def _setns(descriptor):
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns: run the scenarios as root")


class Namespace(Host):
    """A network namespace with one address."""

    def __init__(self, name, address):
        self.name = name
        self.address = address
        _run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        """iproute2's ip, here."""
        return _run("ip", "-netns", self.name, *arguments)

    def command(self, *argv):
        return ["nsenter", f"--net={_MOUNTS / self.name}", "--", *super().command(*argv)]

    @contextlib.contextmanager
    def entered(self):
        with open("/proc/thread-self/ns/net", "rb") as home, open(_MOUNTS / self.name, "rb") as here:
            _setns(here.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def remove(self):
        """Its interfaces and rules go with it."""
        _run("ip", "netns", "delete", self.name)


class Box(Namespace):
    """The namespace of one box. Faults lie on its way to the cloud; its own loopback is never touched."""

    def __init__(self, name, address, cloud):
        super().__init__(name, address)
        self._cloud = cloud
        interface = f"to-{address.replace('.', '-')}"[-15:]
        cloud.ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", name)
        cloud.ip("link", "set", interface, "master", "bridge0", "up")
        self.ip("address", "add", f"{address}/16", "dev", "eth0")
        self.ip("link", "set", "eth0", "up")

    def _rule(self, chain, *match, then=("-j", "DROP")):
        way = {"OUTPUT": ("-o", "eth0", "-d"), "INPUT": ("-i", "eth0", "-s")}[chain]
        _run(*self.command("iptables", "-w", "-A", chain, *way, self._cloud.address, *match, *then))

    def traffic(self):
        """Bytes that the box has sent and received, as the kernel counts them on its way to the cloud."""
        stats = json.loads(self.ip("-s", "-j", "link", "show", "eth0"))[0]["stats64"]
        return stats["tx"]["bytes"], stats["rx"]["bytes"]

    def drop(self, to_cloud=True, from_cloud=True):
        """Nothing gets through, both ways or one."""
        for chain, wanted in (("OUTPUT", to_cloud), ("INPUT", from_cloud)):
            if wanted:
                self._rule(chain)

    def lose(self, probability):
        """Packets are lost at random, both ways."""
        for chain in ("OUTPUT", "INPUT"):
            self._rule(chain, "-m", "statistic", "--mode", "random", "--probability", probability)

    def reset(self):
        """TCP connections are answered with a reset, both ways: what a firewall does that lost its state."""
        for chain in ("OUTPUT", "INPUT"):
            self._rule(chain, "-p", "tcp", then=("-j", "REJECT", "--reject-with", "tcp-reset"))

    def connections(self):
        """Local ports of the established TCP connections with the cloud."""
        lines = _run(*self.command("ss", "-Htn", "state", "established", "dst", self._cloud.address)).splitlines()
        return sorted(int(line.split()[2].rsplit(":", 1)[1]) for line in lines)

    def tcp_counters(self):
        """(segments, bytes) both ways of the established connections with the cloud, as the kernel counts them."""
        listed = _run(*self.command("ss", "-tinH", "state", "established", "dst", self._cloud.address))

        def total(*names):
            return sum(map(int, re.findall(rf"\b(?:{'|'.join(names)}):(\d+)", listed)))

        return total("segs_out", "segs_in"), total("bytes_sent", "bytes_received")

    def half_open(self):
        """The connections that are established carry nothing any more, and nobody is told; new ones work."""
        ports = self.connections()
        assert ports, "there is no connection"
        for port in ports:
            self._rule("OUTPUT", "-p", "tcp", "--sport", port)
            self._rule("INPUT", "-p", "tcp", "--dport", port)

    def heal(self):
        """Takes every rule away."""
        _run(*self.command("iptables", "-w", "-F"))

    def change_address(self, address):
        """The box gets another address, as from another network: its connections end without a word."""
        self.ip("address", "flush", "dev", "eth0")
        self.ip("address", "add", f"{address}/16", "dev", "eth0")
        self.address = address


class Network:
    """One cloud and any number of boxes. close() leaves nothing; what a killed run left goes with the next one."""

    def __init__(self):
        _remove_stale()
        self._prefix = f"{_PREFIX}{os.getpid()}-"
        self._namespaces = []
        self.cloud = self._keep(Namespace(self._prefix + "cloud", "10.77.0.1"))
        self.cloud.ip("link", "add", "bridge0", "type", "bridge")
        self.cloud.ip("address", "add", f"{self.cloud.address}/16", "dev", "bridge0")
        self.cloud.ip("link", "set", "bridge0", "up")

    def _keep(self, namespace):
        self._namespaces.append(namespace)
        return namespace

    def add_box(self, name):
        """The network of another box."""
        return self._keep(Box(self._prefix + name, f"10.77.1.{len(self._namespaces)}", self.cloud))

    def close(self):
        """Removes every namespace; processes in them must have ended."""
        for namespace in reversed(self._namespaces):
            namespace.remove()
        self._namespaces.clear()


def _remove_stale():
    """Namespaces whose scenario's process is gone."""
    if not _MOUNTS.exists():
        return
    for path in _MOUNTS.iterdir():
        match = re.match(re.escape(_PREFIX) + r"(\d+)-", path.name)
        if match and not Path(f"/proc/{match.group(1)}").exists():
            try:
                _run("ip", "netns", "delete", path.name)
            except RuntimeError:
                if path.exists():  # Else a scenario that runs beside this one was faster.
                    raise
