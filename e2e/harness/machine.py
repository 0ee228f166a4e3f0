"""Machines with docker: each has namespaces of its own for mounts, processes and the network, and dockerd in them.

To what runs in it a Machine is a computer: its /run, /etc and /var/lib are its own, its first process has the pid 1, and its network
is a Namespace of `network`. Programs and libraries are this machine's. With the first process everything in it ends: containers,
their shims, mounts. Only cgroups outlive it; they are named after its folder, and close() removes them.
"""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from cluster import wait
from cluster.binaries import TOP
from cluster.host import Host

START_TIMEOUT = 30
CONTAINERD = TOP / "tools/dev/containerd"
# Where tools/dev/install puts docker on a machine that has none.
_DOCKER = TOP / ".skerry/tools/docker/usr"
_ENVIRONMENT = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin:{_DOCKER}/bin:{_DOCKER}/sbin"}
# Debian 13's docker, containerd and docker-compose (tools/dev/debian13); what it has not, runc among it, is this machine's.
_DEBIAN_13 = TOP / ".skerry/tools/debian13"
# docker-compose by its major version.
COMPOSE = {1: "docker-compose", 2: _DEBIAN_13 / "docker-compose"}


class CommandFailed(RuntimeError):
    """A command ended with an error; the message has what it said."""


def run(*argv, timeout=120, stdin=None, env=None, check=True):
    """Runs a command; returns its standard output. `stdin` is text, or bytes."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([str(argument) for argument in argv], input=data, check=False, timeout=timeout,
                          env={**_ENVIRONMENT, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise CommandFailed(f"{' '.join(map(str, argv))}: exit code {done.returncode}: {said}")
    return done.stdout.decode(errors="replace")


class Machine(Host):
    """A computer with dockerd. `network` is its Namespace; `folder`, which must not be deep (sockets), is its disk. Docker and containerd
    are those of this Debian."""

    def __init__(self, folder, network, log, debian=12):
        self.folder = Path(folder)
        self.network = network
        self.address = network.address
        self.log = Path(log)
        path = _ENVIRONMENT["PATH"]
        self._path = {"PATH": f"{_DEBIAN_13}:{path}" if debian == 13 else path}
        self._parent = None
        self._init = None
        self._containerd = False

    @property
    def client(self):
        """The environment of docker's clients."""
        return {"DOCKER_HOST": f"unix://{self.folder}/docker.sock", **self._path}

    def start(self):
        """Returns when dockerd answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            # tini takes in what loses its parent, such as containers' shims. With unshare the machine goes, and that with us.
            self._parent = subprocess.Popen(
                self.network.command("setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
                                     "private", "--", "tini", "--", TOP / "e2e/harness/machine.sh", self.folder),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env={**_ENVIRONMENT, **self._path})
        children = Path(f"/proc/{self._parent.pid}/task/{self._parent.pid}/children")
        self._init = int(wait.until("the machine's first process", lambda: children.read_text().split(), 10, 0.02)[0])

        def answers():
            if self._parent.poll() is not None:
                raise wait.TimedOut(f"it ended with {self._parent.returncode}")
            return self.docker("version")

        try:
            wait.until("dockerd to answer", answers, START_TIMEOUT)
        except wait.TimedOut as error:
            raise CommandFailed(f"{error}\n{self.log.read_text()[-4000:]}") from None
        return self

    # ---- commands

    def command(self, *argv):
        return ["nsenter", f"--target={self._init}", "--mount", "--pid", "--net", "--wd=/", "--", *super().command(*argv)]

    def entered(self):
        return self.network.entered()

    def run(self, *argv, **options):
        """Runs a command in the machine; returns its standard output."""
        return run(*self.command(*argv), env=self._path, **options)

    def docker(self, *argv, **options):
        """docker's client, of this machine; returns its standard output."""
        return run("docker", *argv, **options, env=self.client)

    def compose(self, version, files, *argv, timeout=180, **variables):
        """docker-compose of this major version, on this machine; returns its standard output."""
        named = [word for file in files for word in ("-f", file)]
        return run(COMPOSE[version], "--ansi", "never", *named, *argv, timeout=timeout,
                   env={**self.client, "COMPOSE_HTTP_TIMEOUT": "120", **variables})

    def inspect(self, container):
        """What docker knows of a container."""
        return json.loads(self.docker("inspect", container))[0]

    def containers(self):
        """{name: what `docker inspect` says} of all containers but those of pods."""
        ids = self.docker("ps", "--all", "--quiet").split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {each["Name"].lstrip("/"): each for each in found if not each["Name"].startswith("/k8s_")}

    def memory_mb(self, container):
        """(PSS, limit) of a container's first process, and what docker lets all of it have."""
        pid = container["State"]["Pid"]
        lines = self.run("cat", f"/proc/{pid}/smaps_rollup").splitlines()
        pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return pss / 1024, container["HostConfig"]["Memory"] / 2**20

    # ---- a container runtime for pods

    @property
    def containerd_dir(self):
        """Of the containerd that has CRI."""
        return self.folder / "containerd"

    def start_containerd(self):
        """Beside docker's own, which has no CRI."""
        self._containerd = True
        self.run(CONTAINERD, "up", self.containerd_dir, timeout=180)

    # ---- the end

    def describe(self):
        """State of the containers and ends of their logs, for the report of a failure."""
        try:
            parts = [self.docker("ps", "--all", "--format", "table {{.Names}}\t{{.Status}}\t{{.Image}}")]
            for name in self.docker("ps", "--all", "--format", "{{.Names}}").split():
                ended = subprocess.run(["docker", "logs", "--tail", "25", name], text=True, check=False, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, timeout=20, env={**_ENVIRONMENT, **self.client})
                parts.append(f"== {name}\n{ended.stdout}")
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            parts = [str(error)]
        return "\n".join([f"== machine {self.folder.name}", *parts, self.log.read_text()[-2000:]])

    def close(self):
        """Ends everything at once, as a power cut does, and removes what is left of it."""
        if self._parent is None:
            return
        try:
            if self._containerd and self._parent.poll() is None:
                self.run(CONTAINERD, "down", self.containerd_dir, timeout=60)  # For the cgroups of pods.
        finally:
            if self._parent.poll() is None:
                os.kill(self._init, signal.SIGKILL)
            self._parent.wait(30)
            self._remove_cgroups()
            shutil.rmtree(self.folder)

    def _remove_cgroups(self):
        """The kernel lets the last go a moment after their processes."""
        tops = list(Path("/sys/fs/cgroup").glob(f"*/{self.folder.name}"))

        def gone():
            for top in tops:
                for path, _, _ in os.walk(top, topdown=False):
                    os.rmdir(path)
            return True

        wait.until(f"the cgroups of {self.folder.name} to go", gone, 20)
