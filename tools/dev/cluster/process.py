"""One service as a process: its configuration file, its log, its life and death."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from . import wait
from .host import HOST

START_TIMEOUT = 30
STOP_TIMEOUT = 20


class ServiceFailed(RuntimeError):
    """A service did not start or stop; the message has the end of its log."""


def start_time(pid):
    """The kernel's start time of a process: with the pid, a name that is never used twice. None if it is gone.

    A zombie is gone once its last thread is: until then its sockets are still open.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        gone = fields[0] in "ZX" and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return None
    return None if gone else fields[19]


def _environment():
    """Ours, without variables that the service would take as its configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}


class Service:
    """A service of the cluster. Its folder holds <name>.yaml, <name>.pid and <name>.addresses.json; the log is apart.

    `config` is a configuration file that somebody else wrote (skerryctl join); otherwise <name>.yaml is written from
    `settings`. `listens` maps settings to the names that their addresses have in the addresses file: a port that was
    once bound is asked for again, so that a restarted service is found where it was.
    """

    def __init__(self, name, binaries, folder, log, settings=None, listens=None, config=None, host=HOST):
        self.name = name
        self._binaries = binaries
        self.folder = Path(folder)
        self.log = Path(log)
        self.settings = settings or {}
        self.listens = listens or {}
        self.config = config
        self.host = host
        self.env = {}
        self._child = None

    # ---- files

    @property
    def _pid_file(self):
        return self.folder / f"{self.name}.pid"

    @property
    def _addresses_file(self):
        return self.folder / f"{self.name}.addresses.json"

    @property
    def addresses(self):
        """Bound addresses by name, of the last start."""
        return json.loads(self._addresses_file.read_text())

    def _write_config(self):
        if self.config is not None:
            return self.config
        settings = dict(self.settings)
        try:
            bound = self.addresses
        except (OSError, ValueError):
            bound = {}
        for setting, name in self.listens.items():
            settings[setting] = bound.get(name) or settings[setting]
        tree = {}
        for path, value in settings.items():
            *parents, leaf = path.split(".")
            branch = tree
            for parent in parents:
                branch = branch.setdefault(parent, {})
            branch[leaf] = value
        config = self.folder / f"{self.name}.yaml"
        config.write_text(yaml.safe_dump(tree, sort_keys=False))
        return config

    # ---- life

    @property
    def pid(self):
        """The pid of the running process, or None."""
        if self._child is not None:
            self._child.poll()  # Reaps it.
        try:
            pid, started = self._pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def start(self):
        """Starts the service if it is not running, and returns once it has bound its addresses."""
        if self.pid is not None:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        config = self._write_config()
        fresh = Path(str(self._addresses_file) + ".new")
        fresh.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                self.host.command(self._binaries[self.name], f"--config={config}", f"--addresses_file={fresh}"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**_environment(), **self.env})
        self._pid_file.write_text(f"{self._child.pid} {start_time(self._child.pid)}")

        def bound():
            if self._child.poll() is not None:
                raise wait.TimedOut(f"it exited with code {self._child.returncode}")
            return fresh.exists() and json.loads(fresh.read_text())

        try:
            wait.until(f"{self.name} to start", bound, START_TIMEOUT, 0.02)
        except wait.TimedOut as error:
            raise ServiceFailed(f"{self.name} did not start: {error}\n{self.log_tail()}") from None
        fresh.rename(self._addresses_file)
        return self

    def pause(self):
        """SIGSTOP: the process is there and answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        """Ends a pause."""
        self.signal(signal.SIGCONT)

    def signal(self, number):
        """Sends a signal to the running process; False if there is none."""
        pid = self.pid
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self):
        """SIGKILL, and returns when the process is gone."""
        self.signal(signal.SIGKILL)
        wait.until(f"{self.name} to die", lambda: self.pid is None, STOP_TIMEOUT, 0.01)

    def stop(self):
        """SIGTERM, and returns when the process is gone; False if it had to be killed."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            wait.until(f"{self.name} to stop", lambda: self.pid is None, STOP_TIMEOUT, 0.02)
        except wait.TimedOut:
            self.kill()
            return False
        return True

    # ---- what it says

    def ops(self, path):
        """The body of a page of the ops port, whatever its status."""
        url = f"http://{self.addresses['ops']}{path}"
        try:
            with self.host.entered(), urllib.request.urlopen(url, timeout=5) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def ready(self):
        """True if /readyz says so."""
        try:
            url = f"http://{self.addresses['ops']}/readyz"
            with self.host.entered(), urllib.request.urlopen(url, timeout=5) as response:
                return response.status == 200
        except (OSError, KeyError):
            return False

    def metric(self, name, **labels):
        """The sum of a metric's series that have these labels."""
        total = 0.0
        for line in self.ops("/metrics").splitlines():
            if line.startswith(name) and line[len(name):len(name) + 1] in " {":
                if all(f'{label}="{value}"' in line for label, value in labels.items()):
                    total += float(line.rsplit(" ", 1)[1])
        return total

    def log_tail(self, lines=20):
        """The end of the log, for messages."""
        try:
            with open(self.log, "rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - 65536))
                text = log.read().decode(errors="replace")
        except OSError:
            return f"(no log {self.log})"
        return "\n".join([f"-- the end of {self.log}:"] + text.splitlines()[-lines:])
