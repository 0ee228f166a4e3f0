"""A PostgreSQL server of a scenario's own, from the machine's package."""

import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from cluster import wait


class Postgres:
    """Listens on a Unix socket in a folder under /tmp, as user postgres: the server refuses root."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="skerry-pg-", dir="/tmp"))
        user = pwd.getpwnam("postgres")
        shutil.chown(self.folder, user.pw_uid, user.pw_gid)
        self._user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/tmp"}
        self._bin = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self._process = None
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                  "-D", self.folder / "data")
        self.start()

    def _run(self, program, *arguments):
        done = subprocess.run([self._bin / program, *arguments], text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, **self._user)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")
        return done.stdout

    @property
    def socket(self):
        """The server's socket."""
        return self.folder / ".s.PGSQL.5432"

    @staticmethod
    def url(folder):
        """Of the database behind the socket in a folder: the server's own, or a proxy's."""
        return f"postgresql:///postgres?host={folder}&user=postgres"

    def start(self):
        """Returns when it takes connections."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses=",
                 "-c", "fsync=off", "-c", "shared_buffers=16MB"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **self._user)
        wait.until("PostgreSQL", lambda: self.query("SELECT 1") == "1", 60)

    def query(self, sql):
        """What psql says, without decoration."""
        return self._run("psql", "-h", self.folder, "-U", "postgres", "-Atqc", sql).strip()

    def crash(self):
        """Ends at once, without a checkpoint."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def close(self):
        """Leaves nothing behind."""
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)
