"""The MQTT broker of a box: Debian's mosquitto, on loopback."""

import os
import socket
import subprocess
from pathlib import Path

from . import wait
from .process import start_time


class Broker:
    """mosquitto in a folder of its own; `start` finds the one that runs, also of another process. What it had for
    clients that were away (QoS 1, sessions) survives `stop`, and `kill` as far as mosquitto has it."""

    def __init__(self, folder, log, ports):
        self.folder = Path(folder)
        self.log = Path(log)
        self._ports = ports
        self._child = None

    @property
    def _config(self):
        return self.folder / "mosquitto.conf"

    @property
    def _pid_file(self):
        return self.folder / "mosquitto.pid"

    @property
    def port(self):
        """Its port, the same over restarts."""
        found = [line.split()[1] for line in self._config.read_text().splitlines() if line.startswith("listener ")]
        return int(found[0])

    @property
    def url(self):
        """For services."""
        return f"tcp://127.0.0.1:{self.port}"

    def configure(self):
        """Picks the port, once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._config.exists():
            self._config.write_text(
                f"listener {self._ports.take('127.0.0.1')} 127.0.0.1\nallow_anonymous true\n"
                f"persistence true\npersistence_location {self.folder}/\nautosave_interval 1\nautosave_on_changes true\n"
                "max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n")
        return self

    @property
    def pid(self):
        """The pid of the running process, or None."""
        if self._child is not None:
            self._child.poll()
        try:
            pid, started = self._pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def start(self):
        """Returns when it takes connections."""
        self.configure()
        if self.pid is None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with open(self.log, "ab") as log:
                self._child = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(self._config)],
                                               stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            self._pid_file.write_text(f"{self._child.pid} {start_time(self._child.pid)}")

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait.until("mosquitto to listen", listens, 20, 0.02)
        return self

    def _end(self, number):
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)
            wait.until("mosquitto to end", lambda: self.pid is None, 20, 0.02)

    def stop(self):
        """SIGTERM."""
        self._end(15)

    def kill(self):
        """SIGKILL."""
        self._end(9)
