"""Images for a machine that has no registry: the project's, and PostgreSQL and mosquitto out of this machine's Debian packages."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from cluster.binaries import TOP

from .machine import run

POSTGRES = "skerry.local/postgres:15"
MOSQUITTO = "skerry.local/mosquitto:2"


class _Files:
    """A build context: files of this machine at their places, with the libraries that they load."""

    def __init__(self):
        self._out = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._out, mode="w")
        self._names = set()

    def text(self, name, text, mode=0o644):
        """A small file of the given text."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(text.encode()), mode
        self._tar.addfile(info, io.BytesIO(text.encode()))

    def folder(self, name, mode=0o755):
        """An empty folder."""
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, mode
        self._tar.addfile(info)

    def link(self, name, target):
        """A symbolic link."""
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(info)

    def add(self, path, name=None):
        """A file or a folder; its name in the image is that on this machine, if none is given."""
        name = name or str(path)
        if name not in self._names:
            self._names.add(name)
            self._tar.add(path, arcname=f"root{name}")

    def program(self, path, name=None):
        """A program or a library, with what it loads."""
        self.add(Path(path).resolve(), name or str(path))
        listed = subprocess.run(["ldd", str(path)], text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            self.add(Path(library).resolve(), library.replace("/lib", "/usr/lib", 1) if library.startswith("/lib") else library)

    def base(self):
        """Where programs look for their loader, and /tmp."""
        for name, target in (("lib", "usr/lib"), ("lib64", "usr/lib64"), ("bin", "usr/bin")):
            self.link(f"root/{name}", target)
        self.folder("root/tmp", 0o1777)
        self.folder("empty")

    def shell(self):
        """busybox as sh."""
        self.add(Path(shutil.which("busybox")).resolve(), "/usr/bin/busybox")
        for applet in ("sh", "cat"):
            self.link(f"root/usr/bin/{applet}", "busybox")

    def build(self, machine, tag, dockerfile):
        """The image, on a machine."""
        self.text("Dockerfile", dockerfile)
        self._tar.close()
        machine.docker("build", "--quiet", "--tag", tag, "-", stdin=self._out.getvalue())


def postgres(machine):
    """POSTGRES: this machine's PostgreSQL, without JIT (its LLVM is larger than all the rest)."""
    files = _Files()
    files.base()
    files.shell()
    version = max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
    for name in ("postgres", "initdb", "pg_isready", "pg_dump", "pg_restore"):
        files.program(version / "bin" / name)
    for name in ("plpgsql.so", "dict_snowball.so"):
        files.program(version / "lib" / name)
    files.add(Path("/usr/share/postgresql") / version.name)
    files.add(Path("/usr/share/zoneinfo/Etc/UTC").resolve(), "/usr/share/zoneinfo/Etc/UTC")
    files.add(TOP / "e2e/images/postgres/entrypoint", "/usr/bin/entrypoint")
    files.text("root/etc/passwd", "postgres:x:999:999::/:/bin/sh\n")
    files.text("root/etc/group", "postgres:x:999:\n")
    files.build(machine, POSTGRES, f"""FROM scratch
COPY root/ /
COPY --chown=999:999 empty/ /var/lib/postgresql/data/
ENV PATH={version}/bin:/usr/bin
USER 999:999
ENTRYPOINT ["/usr/bin/entrypoint"]
""")


def mosquitto(machine):
    """MOSQUITTO."""
    files = _Files()
    files.base()
    files.program("/usr/sbin/mosquitto")
    files.program("/usr/bin/mosquitto_pub")
    files.text("root/etc/passwd", "mosquitto:x:1883:1883::/:/bin/sh\n")
    files.text("root/etc/group", "mosquitto:x:1883:\n")
    files.build(machine, MOSQUITTO, """FROM scratch
COPY root/ /
COPY --chown=1883:1883 empty/ /mosquitto/data/
ENTRYPOINT ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
""")


def chart_jobs(machine, tag):
    """The image of the chart's jobs, as docker/Dockerfile has it: what its scripts call, out of this machine's packages."""
    files = _Files()
    files.base()
    for name in ("dash", "cat", "head", "tr", "sed", "base64", "mktemp", "rm", "basename", "sha256sum", "openssl", "curl"):
        files.program(shutil.which(name), f"/usr/bin/{name}")
    files.link("root/usr/bin/sh", "dash")
    files.add(Path("/etc/ssl/openssl.cnf"), "/usr/lib/ssl/openssl.cnf")
    files.build(machine, tag, "FROM scratch\nCOPY root/ /\nUSER 65532:65532\nCMD [\"/bin/sh\"]\n")


def skerry(machine, binaries, dist, *names):
    """The project's own, by tools/release; what it printed."""
    only = [f"--only={name}" for name in names]
    return run(TOP / "tools/release/release", "--here", f"--bin={binaries.folder}", f"--dist={dist}", *only, env=machine.client, timeout=240)


def layers(machine, tag, folder):
    """What is in each layer of an image, in its order: names, modes, owners, times, digests. Two versions of Docker do not write the same
    headers of it."""
    archive = folder / "image.tar"
    machine.docker("save", "--output", archive, tag)
    found = []
    with tarfile.open(archive) as image:
        for name in json.load(image.extractfile("manifest.json"))[0]["Layers"]:
            with tarfile.open(fileobj=image.extractfile(name)) as layer:
                found.append([(member.name, member.type, member.mode & 0o7777, member.uid, member.gid, member.mtime, member.linkname,
                               hashlib.sha256(layer.extractfile(member).read()).hexdigest() if member.isfile() else "") for member in layer])
    archive.unlink()
    return found
