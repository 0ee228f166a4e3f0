"""What documents name in their text is there: commands of skerryctl with their options, settings of services, values of the chart."""

import re
import subprocess

import pytest
import yaml
from cluster.binaries import TARGETS, TOP, Binaries

from harness import handbook

pytestmark = pytest.mark.text

# KubeEdge's names are in its own columns.
FOREIGN = ["docs/migrating.md"]
# Generated, or about the past.
LEFT_OUT = ("docs/adr/", "docs/reference/", "docs/measurements/")
CODE = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"(?<![\w/.$-])([a-z_]+(?:\.[a-z_]+)+)(?![\w/.-])")
FILES = ("md", "db", "yaml", "yml", "pem", "crt", "key", "csr", "sock", "py", "service", "target", "conf", "proto", "json", "sh", "log", "com",
         "io", "example", "kubeconfig", "url", "env", "local", "tar", "cc", "h", "sql", "txt", "gz", "copy", "dump")
# Names in code, of Kubernetes, and of an example.
OTHERS = ("pytest.mark.alone", "pytest.mark.text", "cluster.wait.until", "load.running", "api.google.rpc", "metadata.generation", "a.b")


def _texts():
    """(page, line, code) of all code in the text of documents."""
    for name in handbook.paths():
        if not name.startswith(LEFT_OUT):
            for number, line in enumerate((TOP / name).read_text().splitlines(), start=1):
                for code in CODE.findall(line):
                    yield name, number, code


def _help(*argv):
    """What a program says of itself; None where it does not know such a command."""
    done = subprocess.run([*map(str, argv), "--help"], text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=30)
    return done.stdout if done.returncode == 0 else None


def _values(tree, prefix=""):
    """Every path in a chart's values."""
    for name, value in tree.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _values(value, f"{prefix}{name}.")


@pytest.fixture(scope="module", name="binaries")
def fixture_binaries():
    """The built programs."""
    return Binaries()


def test_commands_of_skerryctl_exist(binaries):
    """With their subcommands and long options."""
    wrong, seen = [], 0
    for page, line, code in _texts():
        words = code.split()
        if words[0] != "skerryctl" or len(words) < 2 or words[1].startswith("__"):
            continue
        seen += 1
        command, text = [binaries["skerryctl"]], _help(binaries["skerryctl"])
        for word in words[1:]:
            # A subcommand is listed by the command that it is of; what is not is an argument.
            if not re.fullmatch(r"[a-z]+", word) or not re.search(rf"^ +{word}\b", text, re.M):
                break
            command.append(word)
            text = _help(*command)
        flags = re.findall(r"(?<!\S)--[a-z-]+", code)
        wrong += [f"{page}:{line}: {code}: no {flag}" for flag in flags if not re.search(rf"{flag}\b", text)]
        if len(command) == 1:
            wrong.append(f"{page}:{line}: {code}: no such command")
    assert not wrong, "\n".join(wrong)
    assert seen > 10


def test_settings_exist(binaries):
    """Of whichever service, or of the chart."""
    known = set(_values(yaml.safe_load((TOP / "charts/skerry-cloud/values.yaml").read_text())))
    for name in TARGETS:
        if name not in ("skerryctl", "skerry-edge"):
            known |= set(re.findall(r"\[([a-z_0-9.]+), SKERRY", _help(binaries[name])))
    assert {"link.advertise", "mqtt.broker", "cloudhub.hosts"} <= known
    # A part of a name stands for all below it: link.metered.
    known |= {".".join(name.split(".")[:count]) for name in known for count in range(1, name.count(".") + 1)}
    wrong = []
    for page, line, code in _texts():
        for name in DOTTED.findall(code):
            inner = re.sub(r"^[a-z]+\.config\.", "", name)
            there = {name, inner} & known or any(value.endswith(f".{name}") for value in known)
            if page not in FOREIGN and name not in OTHERS and name.rpartition(".")[2] not in FILES and not there:
                wrong.append(f"{page}:{line}: {name}")
    assert not wrong, "\n".join(wrong)
