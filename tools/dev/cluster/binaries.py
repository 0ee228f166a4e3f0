"""Where the built programs are."""

import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]

TARGETS = {
    "standalone-api-svc": "services/standalone-api-svc/standalone-api-svc",
    "cloudhub-svc": "services/cloudhub-svc/cloudhub-svc",
    "edge-controller-svc": "services/edge-controller-svc/edge-controller-svc",
    "device-controller-svc": "services/device-controller-svc/device-controller-svc",
    "router-svc": "services/router-svc/router-svc",
    "edgehub-svc": "services/edgehub-svc/edgehub-svc",
    "edge-meta-svc": "services/edge-meta-svc/edge-meta-svc",
    "edged-svc": "services/edged-svc/edged-svc",
    "twin-svc": "services/twin-svc/twin-svc",
    "eventbus-svc": "services/eventbus-svc/eventbus-svc",
    "servicebus-svc": "services/servicebus-svc/servicebus-svc",
    "skerry-edge": "services/skerry-edge/skerry-edge",
    "virtual-mapper": "services/mappers/virtual/virtual-mapper",
    "modbus-mapper": "services/mappers/modbus/modbus-mapper",
    "skerryctl": "tools/skerryctl/skerryctl",
}


class NotBuilt(RuntimeError):
    """A program is missing."""


def labels():
    """Bazel's names of all programs."""
    return ["//" + path.rpartition("/")[0] + ":" + path.rpartition("/")[2] for path in TARGETS.values()]


def _bin_dir():
    given = os.environ.get("SKERRY_BIN_DIR")
    if given:
        return Path(given)
    done = subprocess.run([str(TOP / "tools/dev/bazel"), "info", "bazel-bin"], cwd=TOP, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise NotBuilt(f"bazel info failed: {done.stderr.strip()}")
    return Path(done.stdout.strip())


class Binaries:
    """The programs under one output folder: $SKERRY_BIN_DIR, or Bazel's (asked for when one is first needed)."""

    def __init__(self):
        self._folder = None

    @property
    def folder(self):
        """Where the folders of TARGETS are."""
        if self._folder is None:
            self._folder = _bin_dir()
        return self._folder

    def __getitem__(self, name):
        path = self.folder / TARGETS[name]
        if not os.access(path, os.X_OK):
            raise NotBuilt(f"{path} is not there: build it with tools/dev/bazel build {' '.join(labels())}")
        return path


def tool(name):
    """A tool of others, such as kubectl or helm: the one that tools/dev/install fetched, or PATH's."""
    own = TOP / ".skerry/tools" / name
    path = str(own) if own.exists() else shutil.which(name)
    if path is None:
        raise NotBuilt(f"there is no {name}: run tools/dev/install")
    return path


def kubectl():
    """A recent kubectl."""
    return tool("kubectl")
