"""Where the pages of the documentation run: machines that look as a page takes them to look."""

import contextlib
import platform
import shutil
import subprocess
import sys
import tempfile

from cluster.binaries import TARGETS, TOP, Binaries

from harness.handbook_machine import Site

sys.path.insert(0, str(TOP / "tools/docs"))

# pylint: disable=wrong-import-position
import pages  # noqa: E402
import runner  # noqa: E402

# Machines that pages speak of: the last byte of their address, and their names.
MACHINES = {
    "cloud": (10, "hub.example.com"),
    "box": (20, "edge-1"),
    "spare": (30, "hub-2.example.com"),
    "desk": (40,),
    "dock": (50, "edge-2"),
}
FOLDERS = ("docs", "api", "charts", "docker", "e2e", "examples", "services", "systemd", "tools")
PROGRAMS = [name for name in TARGETS if not name.endswith("-svc") or name in (
    "standalone-api-svc", "cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc")]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def read(path):
    """A page by its path in the repository."""
    return pages.parse(path, (TOP / path).read_text())


def all_pages(folder=""):
    """Pages that have something to run, of one folder or of all."""
    return [page for page in map(read, paths()) if page.runs and page.path.startswith(folder)]


def paths():
    """Of every page of the repository."""
    return [*sorted(path.name for path in TOP.glob("*.md")),
            *sorted(str(path.relative_to(TOP)) for folder in FOLDERS for path in (TOP / folder).rglob("*.md"))]


def readmes():
    """Of services, tools and examples."""
    return [path for path in paths() if path.endswith("/README.md") and not path.startswith("docs/")]


def with_readmes():
    """READMEs that run, and the pages before them, in order: on the same machines, as each costs half a minute."""
    found = [page for page in map(read, reversed(readmes())) if page.runs]
    before = chain(found[0])[:-1]
    assert all(chain(page)[:-1] == before for page in found), "they share the machines: give them the same place to begin"
    return [*before, *found]


def run(*those):
    """Runs the pages before them, then them, in this order; returns what failed, with the journals of the machines, or None."""
    parts = []
    for page in those:
        parts += [part for part in chain(page) if part.path not in [before.path for before in parts]]
    place = FIXTURES[those[0].head["fixture"]](parts, Binaries())
    try:
        for part in parts:
            runner.run_page(part, place.shell)
    except AssertionError as error:
        return f"{error}\n{place.describe()}"
    finally:
        place.close()
    return None


def chain(page):
    """The pages that run before it, then itself."""
    found = []
    for path in page.after:
        found += [before for before in chain(read(path)) if before.path not in [seen.path for seen in found]]
    return [*found, page]


class Machines:
    """Fixture "machines": freshly installed machines of Debian with this repository and the packages that the pages install, the release's
    binaries in dist/bin, and the images that a registry would have. No internet."""

    def __init__(self, run, binaries):
        names = {block.options.get("on", page.head.get("on")) for page in run for block in page.blocks if block.runs}
        self.site = Site({name: MACHINES[name] for name in MACHINES if name in names})
        self._shells = {}
        try:
            for machine in self.site.machines.values():
                self._provide(machine, binaries)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _provide(machine, binaries):
        folder = machine.path(TOP / "dist/bin" / ARCHITECTURES[platform.machine()])
        shutil.rmtree(machine.path(TOP / "dist"), ignore_errors=True)
        folder.mkdir(parents=True)
        for name in PROGRAMS:
            (folder / name).symlink_to(binaries[name])
        if machine.name == "box":
            _prepare_containerd(machine)
            _load(machine, ["ctr", "-n", "k8s.io", "images", "import"], "registry.k8s.io/pause:3.6", "skerry.local/busybox:1")
        if machine.name == "desk":
            _install_docker(machine)
            machine.run("systemctl", "start", "docker.socket", "docker")
            _load(machine, ["docker", "load", "-i"], "registry.k8s.io/pause:3.6", "registry.example.com/shop/page:1")
        if machine.name == "dock":
            _install_docker(machine)
            machine.run("systemctl", "start", "docker.socket", "docker")
            _load(machine, ["docker", "load", "-i"], "registry.k8s.io/pause:3.9", "skerry.local/busybox:1")
            # As _prepare_containerd.
            machine.path("/etc/skerry/box.env").write_text("SKERRY_EDGED_RUNTIME_RESTRICT_OOM_SCORE_ADJ=true\n")

    def shell(self, name):
        """That of a machine, root's, in the folder of the repository."""
        if name not in self._shells:
            machine = self.site[name]
            path = f"{TOP}/.skerry/tools:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            self._shells[name] = runner.Shell(machine.command, machine.path, TOP, {
                "PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", "DEBIAN_FRONTEND": "noninteractive"})
        return self._shells[name]

    def describe(self):
        """For the report of a failure."""
        return self.site.describe()

    def close(self):
        """Leaves nothing."""
        for shell in self._shells.values():
            shell.close()
        self.site.close()


def _prepare_containerd(machine):
    """Where root may not lower a process's OOM score, as in many containers, sandboxes do without."""
    config = machine.path("/etc/containerd/config.toml")
    cri = '  [plugins."io.containerd.grpc.v1.cri"]\n'
    assert cri in config.read_text(), "this is not the configuration of Debian's containerd"
    config.write_text(config.read_text().replace(cri, f"{cri}    restrict_oom_score_adj = true\n"))
    machine.run("systemctl", "start", "containerd")


def _install_docker(machine):
    """Where this machine has none: Debian's package as tools/dev/install --docker has unpacked it, so that no daemon starts here."""
    if machine.path("/usr/sbin/dockerd").exists():
        return
    unpacked = TOP / ".skerry/tools/docker"
    assert unpacked.exists(), "there is no docker: run tools/dev/install --docker"
    machine.run("sh", "-ec", f"tar -C {unpacked} -c . | tar -C / -x --keep-directory-symlink; groupadd -f docker; systemctl daemon-reload")


def _load(machine, command, *tags):
    """What a registry would have, where there is none."""
    for tag in tags:
        with _image(tag) as archive:
            shutil.copy(archive, machine.path("/tmp/image.tar"))
            machine.run(*command, "/tmp/image.tar")


@contextlib.contextmanager
def _image(tag):
    """The archive of an image that a registry would have: a pause image, else busybox."""
    with tempfile.TemporaryDirectory() as folder:
        if "/pause:" in tag:
            program = f"{folder}/pause"
            subprocess.run(["gcc", "-Os", "-static", "-o", program, TOP / "tools/dev/pause.c"], check=True)
            flags = [f"--file={program}=/pause", "--entrypoint=/pause"]
        else:
            applets = ("sh", "httpd", "wc", "printf", "cat", "sleep", "echo", "wget")
            flags = [f"--file={shutil.which('busybox')}=/bin/busybox", "--cmd=sh",
                     *(f"--link=/bin/{applet}=busybox" for applet in applets)]
        subprocess.run([TOP / "tools/dev/make_image", f"--tag={tag}", f"--out={folder}/image.tar", *flags], check=True)
        yield f"{folder}/image.tar"


FIXTURES = {"machines": Machines}
