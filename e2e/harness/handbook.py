"""Where the pages of the documentation run: machines that look as a page takes them to look."""

import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cluster.binaries import TARGETS, TOP

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
}
PROGRAMS = [name for name in TARGETS if not name.endswith("-svc") or name in (
    "standalone-api-svc", "cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc")]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def read(path):
    """A page by its path in the repository."""
    return pages.parse(path, (TOP / path).read_text())


def all_pages():
    """Pages that have something to run."""
    paths = ["README.md", *sorted(str(path.relative_to(TOP)) for path in (TOP / "docs").rglob("*.md"))]
    return [page for page in map(read, paths) if page.runs]


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
            _import_images(machine)

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


def _import_images(machine):
    """What pods of the pages need: tools/dev/containerd's images, the sandbox's under the name that Debian's containerd asks for."""
    with tempfile.TemporaryDirectory() as folder:
        pause = Path(folder, "pause")
        subprocess.run(["gcc", "-Os", "-static", "-o", pause, TOP / "tools/dev/pause.c"], check=True)
        busybox = shutil.which("busybox")
        applets = [f"--link=/bin/{applet}=busybox" for applet in ("sh", "httpd", "wc", "printf", "cat", "sleep", "echo", "wget")]
        made = {"registry.k8s.io/pause:3.6": [f"--file={pause}=/pause", "--entrypoint=/pause"],
                "skerry.local/busybox:1": [f"--file={busybox}=/bin/busybox", *applets, "--dir=/tmp=1777", "--cmd=sh"]}
        # Where root may not lower a process's OOM score, as in many containers, sandboxes do without.
        config = machine.path("/etc/containerd/config.toml")
        cri = '  [plugins."io.containerd.grpc.v1.cri"]\n'
        assert cri in config.read_text(), "this is not the configuration of Debian's containerd"
        config.write_text(config.read_text().replace(cri, f"{cri}    restrict_oom_score_adj = true\n"))
        machine.run("systemctl", "start", "containerd")
        for tag, flags in made.items():
            subprocess.run([TOP / "tools/dev/make_image", f"--tag={tag}", f"--out={folder}/image.tar", *flags], check=True)
            shutil.copy(f"{folder}/image.tar", machine.path("/tmp/image.tar"))
            machine.run("ctr", "-n", "k8s.io", "images", "import", "/tmp/image.tar")


FIXTURES = {"machines": Machines}
