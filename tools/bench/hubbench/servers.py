"""What is measured and what measures it: a hub, the bare server, and hub_load against either."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from cluster.process import Service

ROOT = Path(__file__).resolve().parents[3]
TARGETS = {
    "cloudhub-svc": "services/cloudhub-svc/cloudhub-svc",
    "edgehub-svc": "services/edgehub-svc/edgehub-svc",
    "bare_grpc_server": "tools/bench/bare_grpc_server/bare_grpc_server",
    "hub_load": "tools/bench/hub_load/hub_load",
}


def build(bazel):
    """{name: path} of the programs: those in $SKERRY_BIN_DIR, or built now."""
    given = os.environ.get("SKERRY_BIN_DIR")
    if given:
        return {name: Path(given) / path for name, path in TARGETS.items()}
    labels = ["//" + path.rpartition("/")[0] + ":" + path.rpartition("/")[2] for path in TARGETS.values()]
    subprocess.run([*bazel, "build", *labels], cwd=ROOT, check=True, capture_output=True)
    listed = subprocess.run([*bazel, "info", "bazel-bin"], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name: Path(listed.stdout.strip()) / path for name, path in TARGETS.items()}


class Hub:
    """cloudhub-svc, with the links that hub_load and edgehub-svc need."""

    def __init__(self, binaries, folder, settings, env):
        self.state_dir = folder / "state"
        listens = {"link.listen": "link", "api.listen": "api", "join.listen": "join"}
        self._service = Service("cloudhub-svc", binaries, folder, folder / "cloudhub-svc.log",
                                {"state_dir": str(self.state_dir), **{name: "127.0.0.1:0" for name in listens},
                                 **settings}, listens)
        self._service.env.update(env)

    @property
    def pid(self):
        """Of the running process."""
        return self._service.pid

    @property
    def link(self):
        """Where nodes dial."""
        return self._service.addresses["link"]

    @property
    def load_flags(self):
        """What hub_load needs to know."""
        return [f"--target={self.link}", f"--api={self._service.addresses['api']}"]

    def metric(self, name):
        """The sum of a metric's series."""
        return self._service.metric(name)

    def start(self):
        """Returns when it takes connections; where it did before, if it ran before."""
        self._service.start()

    def kill(self):
        """SIGKILL."""
        self._service.kill()

    def stop(self):
        """SIGTERM."""
        self._service.stop()


class Bare:
    """The reference, with a hub's certificates."""

    def __init__(self, binaries, hub):
        state = hub.state_dir
        self._command = [binaries["bare_grpc_server"], state / "ca/ca.crt", state / "server/tls.crt",
                         state / "server/tls.key"]
        self._address = "127.0.0.1:0"
        self._process = None

    @property
    def pid(self):
        """Of the running process."""
        return self._process.pid

    @property
    def load_flags(self):
        """What hub_load needs to know."""
        return [f"--target={self._address}"]

    def start(self):
        """Returns when it takes connections; where it did before, if it ran before."""
        self._process = subprocess.Popen([*self._command, self._address], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self._address = self._process.stdout.readline().strip()

    def kill(self):
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    stop = kill


class Load:
    """A running hub_load: its commands are told at the head of its main.cc."""

    def __init__(self, binary, server, hub, nodes, name_prefix):
        self.nodes = nodes
        self._process = subprocess.Popen(
            [binary, *server.load_flags, f"--state-dir={hub.state_dir}", f"--nodes={nodes}",
             f"--name-prefix={name_prefix}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    @property
    def pid(self):
        """Of the running process."""
        return self._process.pid

    def answer(self):
        """{name: number} of the next line."""
        line = self._process.stdout.readline().strip()
        if not line or line.startswith("error="):
            sys.exit(f"hub: hub_load says: {line or 'nothing'}")
        return {name: float(value) for name, value in (word.split("=") for word in line.split())}

    def send(self, command):
        """A command whose answer is for later."""
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def ask(self, command):
        """The answer to a command."""
        self.send(command)
        return self.answer()

    def close(self):
        """Whatever it does, its nodes are gone."""
        self._process.kill()
        self._process.wait()


class Bench:
    """Makes servers in a folder that is one measurement's alone: a name is the key that first linked by it."""

    def __init__(self, binaries, folder, options):
        self.binaries = binaries
        self.folder = folder
        self.options = options
        folder.mkdir()

    def hub(self, name, settings=None):
        """One that is not started yet."""
        folder = self.folder / name
        folder.mkdir()
        return Hub(self.binaries, folder, {**(settings or {}), **dict(self.options.hub_set)}, dict(self.options.hub_env))

    def bare(self, hub):
        """The reference of a hub that was started once: it made the certificates."""
        return Bare(self.binaries, hub)

    @contextlib.contextmanager
    def loaded(self, server, hub, nodes=None, name_prefix="bench-"):
        """Starts a server, and a load with certificates of the hub, whose nodes are still to connect."""
        server.start()
        try:
            load = Load(self.binaries["hub_load"], server, hub, nodes or self.options.nodes, name_prefix)
            try:
                yield load
            finally:
                load.close()
        finally:
            server.stop()

    def compare(self, run):
        """What run(server, load) returns for a hub, and what it does for the bare server."""
        hub = self.hub("hub")
        results = []
        for server in (hub, self.bare(hub)):
            with self.loaded(server, hub) as load:
                results.append(run(server, load))
        return results
