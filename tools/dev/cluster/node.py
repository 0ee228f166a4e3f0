"""One edge box: its services, its container runtime, its join."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from . import binaries as programs
from . import wait
from .broker import Broker
from .host import HOST
from .ports import Ports
from .process import Service

CONTAINERD = programs.TOP / "tools/dev/containerd"
SOCKET_PATH_MAX = 107


class EdgeNode:
    """A box named `name` under `folder`. Its services may start in any order, and without the cloud.

    Sockets have short paths only (a limit of Unix), so `folder` must not be deep. one_process: skerry-edge runs what has
    a configuration, instead of a process for each service.
    """

    def __init__(self, name, folder, logs, binaries, runtime=True, host=HOST, one_process=False):
        self.name = name
        self.host = host
        self.folder = Path(folder)
        self.run_dir = self.folder / "run"
        self.state_dir = self.folder / "state"
        self.config_dir = self.folder / "config"
        self.containerd_dir = self.folder / "containerd"
        self.has_runtime = runtime
        self._binaries = binaries
        self._logs = Path(logs)
        if len(str(self.run_dir / "edge-meta.sock")) > SOCKET_PATH_MAX:
            raise RuntimeError(f"{self.run_dir} is too long a path for Unix sockets; use a shorter folder")

        def service(program, config):
            return Service(program, binaries, self.folder, Path(logs) / f"{program}.log",
                           config=self.config_dir / config, host=host)

        self.edgehub = service("edgehub-svc", "edgehub.yaml")
        self.meta = service("edge-meta-svc", "edge-meta.yaml")
        self.twin = service("twin-svc", "twin.yaml")
        self.edged = service("edged-svc", "edged.yaml")
        self.eventbus = service("eventbus-svc", "eventbus.yaml")
        self.servicebus = service("servicebus-svc", "servicebus.yaml")
        # Its usual port is one a machine, and there may be many boxes on this one.
        self.servicebus.env["SKERRY_SERVICEBUS_POSTS_LISTEN"] = "127.0.0.1:0"
        self.all = Service("skerry-edge", binaries, self.folder, Path(logs) / "skerry-edge.log",
                           {"config_dir": str(self.config_dir)}, host=host)
        self.all.env = self.servicebus.env
        self.one_process = one_process
        self.broker = Broker(self.folder / "mosquitto", Path(logs) / "mosquitto.log", Ports())
        self.mappers = {}
        for path in sorted(self.folder.glob("*-mapper.yaml")):
            self.make_mapper(path.name.removesuffix("-mapper.yaml"))

    @property
    def services(self):
        """In order of start."""
        if self.one_process:
            return [self.all, *self.mappers.values()]
        return [self.edgehub, self.meta, self.twin, *([self.edged] if self.has_runtime else []),
                *([self.eventbus] if self.has_broker else []), self.servicebus, *self.mappers.values()]

    @property
    def has_broker(self):
        """Whether there is an MQTT broker, and so eventbus-svc: give it one before it joins (`broker.configure()`)."""
        return self.broker.folder.exists()

    def make_mapper(self, kind):
        """A mapper of the box, which does not run yet: "virtual", "modbus"."""
        self.mappers[kind] = Service(f"{kind}-mapper", self._binaries, self.folder, self._logs / f"{kind}-mapper.log",
                                     {"name": kind, "protocol": kind, "run_dir": str(self.run_dir)}, host=self.host)
        return self.mappers[kind]

    # ---- joining

    def join(self, cloud, token, *flags, check=True, env=None):
        """`skerryctl join`, which writes the identity and the services' configuration; returns the finished process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        address = [] if any(flag.startswith("--cloud=") for flag in flags) else [f"--cloud={cloud.join_address}"]
        if self.has_broker:
            address.append(f"--mqtt-broker={self.broker.url}")
        command = self.host.command(
            self._binaries["skerryctl"], "join", *address, f"--node-name={self.name}", f"--dir={self.config_dir}",
            f"--run-dir={self.run_dir}", f"--state-dir={self.state_dir}",
            f"--runtime-endpoint=unix://{self.containerd_dir}/run/containerd.sock", *flags)
        done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, env={**os.environ, **(env or {}), "SKERRY_JOIN_TOKEN": token})
        if check and done.returncode != 0:
            raise RuntimeError(f"skerryctl join exited with {done.returncode}: {done.stderr.strip()}")
        return done

    @property
    def identity(self):
        """The file of its certificate and key."""
        return self.config_dir / "node.pem"

    @property
    def joined(self):
        """Whether there is an identity."""
        return self.identity.exists()

    # ---- life

    def start(self):
        """Starts what is not running: the runtime, then the services."""
        for folder in (self.run_dir, self.state_dir):
            folder.mkdir(parents=True, exist_ok=True)
        if self.has_runtime:
            self._containerd("up")
        if self.has_broker:
            self.broker.start()
        for service in self.services:
            service.start()

    def stop(self):
        """Ends the services; containers run on, as on any box whose services are upgraded."""
        for service in reversed(self.services):
            service.stop()

    def power_cut(self):
        """Every process and container of the box ends at once; the disk stays. start() boots it again."""
        for service in self.services:
            service.kill()
        if self.has_broker:
            self.broker.kill()
        if self.has_runtime:
            self._containerd("crash")
        self._unmount()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def remove(self):
        """Leaves nothing: no process, container, network or mount."""
        self.stop()
        if self.has_broker:
            self.broker.stop()
        if self.has_runtime:
            self._containerd("down")
        self._unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _unmount(self):
        """What edged mounted for pods (Secrets are in memory): it goes with the power."""
        prefix = f"{self.folder}/"
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            points = [line.split()[4] for line in mounts]
        for point in reversed([p for p in points if p.startswith(prefix)]):
            subprocess.run(["umount", "--lazy", point], check=False)

    def _containerd(self, command):
        done = subprocess.run([str(CONTAINERD), command, str(self.containerd_dir)], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180)
        if done.returncode != 0:
            raise RuntimeError(f"tools/dev/containerd {command}: {done.stderr.strip()}")

    # ---- what runs

    def ctr(self, *arguments, check=True):
        """containerd's own client, in the namespace of Kubernetes."""
        done = subprocess.run(
            ["ctr", "--address", str(self.containerd_dir / "run/containerd.sock"), "--namespace", "k8s.io", *arguments],
            text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(f"ctr {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def running(self):
        """Ids of containers (and sandboxes) whose process runs."""
        lines = self.ctr("tasks", "list").splitlines()[1:]
        return {line.split()[0] for line in lines if line.split()[2] == "RUNNING"}

    def exec(self, container_id, *command, check=True):
        """Runs a command in a container; returns its standard output."""
        return self.ctr("tasks", "exec", "--exec-id", "e2e", container_id.rpartition("/")[2], *command, check=check)

    def printed(self, container_id, *command):
        """What a command prints that changes nothing: all of it.

        ctr loses what a command printed that ends at once, where it gets little of the processor (4 of 295 runs): the
        command is run again until what is printed behind it has come.
        """
        mark = "(all of it)"

        def whole():
            said = self.exec(container_id, "sh", "-c", f'"$@" && echo -n "{mark}"', "sh", *command)
            return said if said.endswith(mark) else None
        return wait.until(f"all that {' '.join(command)} prints", whole, 30).removesuffix(mark)

    def labels(self, container_id):
        """Labels of a container, as the runtime has them."""
        return json.loads(self.ctr("containers", "info", container_id.rpartition("/")[2])).get("Labels", {})
