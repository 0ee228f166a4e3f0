"""What tools/release/release makes of images, without a base (--here): what they say of themselves, what they hold, and that the SBOM is true."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from cluster.binaries import TOP, Binaries
from harness import images
from harness.compose import VERSION
from harness.machine import Machine
from harness.network import Network

RELEASE = TOP / "tools/release/release"
# One of the cloud's libraries, one of the box's, a tool, and a program that has nothing of Debian.
NAMES = ("router-svc", "twin-svc", "skerryctl", "pause")
SERVICES = ("router-svc", "twin-svc")
SBOM = "usr/share/skerry/sbom.spdx.json"
OWNED = ("etc/skerry", "run/skerry", "var/lib/skerry")  # The user's; everything else is root's.


class Image:
    """An image with its files."""

    def __init__(self, machine, name, folder):
        tag = f"skerry/{name}:{VERSION}"
        self.found = machine.inspect(tag)
        self.config = self.found["Config"]
        container = machine.docker("create", tag).strip()
        machine.docker("export", "--output", folder / f"{name}.tar", container)
        machine.docker("rm", container)
        self._tar = tarfile.open(folder / f"{name}.tar")
        # What docker adds to every container.
        added = ("dev", "proc", "sys", ".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab")
        self.files = {file.name: file for file in self._tar if not file.name.startswith(added)}

    def read(self, name):
        """Bytes of a file, behind its link."""
        return self._tar.extractfile(name).read()


class Release:
    """A machine with docker, and the images that the script made on it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="skerry-e2e-", dir="/tmp"))
        self._network = Network()
        self.machine = Machine(self.folder / f"skerry-{self.folder.name.removeprefix('skerry-e2e-')}", self._network.cloud,
                               self.folder / "docker.log")
        try:
            self.machine.start()
            self.said = images.skerry(self.machine, Binaries(), self.folder / "dist", *NAMES)
            self.images = {name: Image(self.machine, name, self.folder) for name in NAMES}
        except BaseException:
            self.close()
            raise
        self.sbom = json.loads(self.images["twin-svc"].read(SBOM))

    def close(self):
        """Leaves nothing."""
        self.machine.close()
        self._network.close()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module", name="release")
def fixture_release():
    """Made once."""
    release = Release()
    yield release
    release.close()


def test_images_say_what_they_are(release):
    """Labels of OCI, the user, how they are asked for their health; the revision is the one that the binary says."""
    for name, image in release.images.items():
        labels = image.config["Labels"]
        prefix = "org.opencontainers.image."
        assert labels[f"{prefix}title"] == name and labels[f"{prefix}vendor"] == "Skerry"
        assert image.config["User"] == "65532:65532"
        assert image.config["Entrypoint"] == [f"/usr/bin/{name}"]
        health = image.config.get("Healthcheck", {}).get("Test")
        assert health == (["CMD", f"/usr/bin/{name}", "--check_health"] if name in SERVICES else None)
        if name == "pause":
            continue
        assert labels[f"{prefix}version"] == VERSION and labels[f"{prefix}base.name"] == "scratch"
        assert labels["io.skerry.sbom"] == f"/{SBOM}"
        # Nothing of the root is written to, nobody is root, and there is no network.
        said = release.machine.docker("run", "--rm", "--read-only", "--cap-drop", "ALL", "--network", "none",
                                      f"skerry/{name}:{VERSION}", "--version")
        assert f"({labels[f'{prefix}revision']})" in said


def test_files_are_roots_but_for_the_folders_of_the_user(release):
    """So that a service that is taken over changes no program, also where the root is not read-only."""
    for name, image in release.images.items():
        assert f"usr/bin/{name}" in image.files
        for path, file in image.files.items():
            owned = path.startswith(OWNED)
            assert (file.uid, file.gid) == ((65532, 65532) if owned else (0, 0)), f"{name}: {path}"
            assert not file.mode & 0o6000, f"{name}: {path} is setuid"
            assert file.issym() or not file.mode & 0o002 or path == "tmp", f"{name}: {path} is everybody's"
        assert not [path for path in image.files if re.search(r"(^|/)(ba|da)?sh$|busybox", path)], f"{name} has a shell"


def test_the_sbom_is_spdx(release):
    """The fields that SPDX 2.3 wants, each identifier once, and relations between those that are there."""
    sbom = release.sbom
    assert (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert sbom["name"] == f"skerry-{VERSION}" and re.fullmatch(r"https://\S+[^#\s]", sbom["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Person|Organization): \S", creator) for creator in sbom["creationInfo"]["creators"])
    ids = [package["SPDXID"] for package in sbom["packages"]]
    assert len(ids) == len(set(ids)) > 50
    for package in sbom["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"])
        assert package["name"] and package["versionInfo"] and package["downloadLocation"] == "NOASSERTION"
        assert package["filesAnalyzed"] is False
    described = {relation["relatedSpdxElement"] for relation in sbom["relationships"]
                 if (relation["spdxElementId"], relation["relationshipType"]) == ("SPDXRef-DOCUMENT", "DESCRIBES")}
    assert described == {package["SPDXID"] for package in sbom["packages"] if "checksums" in package}
    assert {f"SPDXRef-skerry-{name}" for name in NAMES if name != "twin-svc"} | {"SPDXRef-skerry-skerry-edge"} <= described


def test_the_sbom_names_what_is_in_the_images(release):
    """Our binaries by their digest; Debian's packages with the version that is installed here, each library's, each with its licence."""
    packages = {package["name"]: package for package in release.sbom["packages"]}
    for name, program in (("router-svc", "router-svc"), ("twin-svc", "skerry-edge"), ("skerryctl", "skerryctl"), ("pause", "pause")):
        digest = hashlib.sha256(release.images[name].read(f"usr/bin/{program}")).hexdigest()
        assert packages[program]["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]
    debian = {name: package for name, package in packages.items() if package.get("supplier") == "Organization: Debian"}
    installed = _installed(debian)
    for name, package in debian.items():
        version, arch = installed[name]
        assert package["versionInfo"] == version
        assert package["externalRefs"] == [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                            "referenceLocator": f"pkg:deb/debian/{name}@{version}?arch={arch}"}]
    owners = set()
    for name in ("router-svc", "twin-svc", "skerryctl"):
        image = release.images[name]
        assert json.loads(image.read(SBOM)) == release.sbom
        libraries = [path for path in image.files if re.search(r"\.so(\.|$)", path)]
        assert len(libraries) >= 8
        owners |= {_owner(f"/{path}") for path in libraries}
        assert {f"usr/share/doc/{package}/copyright" for package in debian} <= set(image.files)
    assert owners | {"ca-certificates"} == set(debian)


def _installed(names):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version} ${Architecture}\n", *names], text=True, check=True,
                          stdout=subprocess.PIPE)
    return {name: (version, arch) for name, version, arch in map(str.split, done.stdout.splitlines())}


def _owner(path):
    """The package that has a library; Debian's database has some below /lib."""
    for candidate in (path, path.removeprefix("/usr")):
        done = subprocess.run(["dpkg", "-S", candidate], text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            return done.stdout.partition(":")[0]
    raise AssertionError(f"{path} is in no Debian package")


def test_the_sizes_are_those_of_docker(release):
    """Of each image, and of all with layers that they share counted once."""
    sizes = dict(re.findall(r"^(\S+) +([\d.]+) MB, newest layer", release.said, re.M))
    assert sizes == {name: f"{image.found['Size'] / 1e6:.1f}" for name, image in release.images.items()}
    total = float(re.search(r"^all, shared layers once +([\d.]+) MB$", release.said, re.M)[1])
    assert max(map(float, sizes.values())) < total < sum(map(float, sizes.values()))
    arch = subprocess.run(["dpkg", "--print-architecture"], text=True, check=True, stdout=subprocess.PIPE).stdout.strip()
    sbom = release.folder / f"dist/sbom-{arch}.spdx.json"
    assert json.loads(sbom.read_text()) == release.sbom
    assert f"SBOM: {sbom}, {len(release.sbom['packages'])} packages\n" in release.said


@pytest.mark.parametrize("arguments, said", [
    (["--dist=/tmp/elsewhere"], "--dist: docker takes binaries from dist/ of this folder; give --here, or leave out --dist"),
    (["--here", "--arch={other}"], "--here collects libraries of this machine, which is {this}: leave out --arch={other}, or --here"),
    (["--only=bash"], "invalid choice: 'bash'"),
], ids=["dist", "arch", "only"])
def test_what_it_can_not_do_it_refuses(arguments, said):
    """Before it builds anything."""
    this = subprocess.run(["dpkg", "--print-architecture"], text=True, check=True, stdout=subprocess.PIPE).stdout.strip()
    names = {"this": this, "other": "arm64" if this == "amd64" else "amd64"}
    done = subprocess.run([RELEASE, *(word.format(**names) for word in arguments)], text=True, check=False, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 2 and said.format(**names) in done.stderr
