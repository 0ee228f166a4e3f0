"""READMEs of services, tools and examples: what they tell to type runs, and settings, defaults, flags and metrics are the programs' own."""

import re
import shlex
import subprocess

import pytest
from cluster.binaries import TARGETS, TOP, Binaries

from harness import handbook

HERE = "e2e/scenarios/test_docs_readmes.py"
READMES = handbook.readmes()
SERVICES = [path for path in READMES if path.split("/")[1] in TARGETS]
EXCERPTS = [(path, block) for path in READMES for block in handbook.read(path).blocks
            if block.language == "yaml" and block.options["checked-by"] == HERE]
CODE = re.compile(r"`([^`\n]+)`")
# What a partial file has to have besides, so that the service takes it.
NEEDED = {"examples/grpc/README.md": "hub: {addresses: [localhost:10005]}\ntls: {ca: ca.crt, cert: tls.crt, key: tls.key}\n"}


@pytest.fixture(scope="module", name="binaries")
def fixture_binaries():
    """The built programs."""
    return Binaries()


def _help(*argv):
    done = subprocess.run([*map(str, argv), "--help"], text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=30)
    return done.stdout if done.returncode == 0 else ""


def _service(path):
    """The service that a README's settings are of."""
    name = path.split("/")[1]
    return name if name in TARGETS else "device-controller-svc"


def test_pages_run():
    """All of them, one after the other, on a site with a box as docs/install makes it; those pages are run here alone."""
    failure = handbook.run(*handbook.with_readmes())
    if failure is not None:
        pytest.fail(failure, pytrace=False)


@pytest.mark.text
@pytest.mark.parametrize("path, block", EXCERPTS, ids=lambda value: value if isinstance(value, str) else str(value.line))
def test_settings_are_read_by_their_service(path, block, binaries, tmp_path):
    """A file of what is shown is valid: every key is known, every value good."""
    file = tmp_path / "settings.yaml"
    file.write_text(block.text + NEEDED.get(path, ""))
    done = subprocess.run([binaries[_service(path)], f"--config={file}", "--validate_config"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    assert done.returncode == 0, f"{path}:{block.line}: {done.stdout}"


def _rows(path, head):
    """(line, cells) of the tables whose first column is called `head`."""
    inside = False
    for number, line in enumerate((TOP / path).read_text().splitlines(), start=1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells[0] == head:
            inside = cells
        elif inside and not set(cells[0]) <= set("-:"):
            yield number, dict(zip(inside, cells))


def _whole(names):
    """A name that begins with "." goes on from the folder of the one before it."""
    whole = []
    for name in names:
        whole.append(whole[-1].rpartition(".")[0] + name if name.startswith(".") else name)
    return whole


def _bytes(text):
    """A size as a number, where it is one; a text as it is."""
    found = re.fullmatch(r"(\d+)(KiB|MiB|GiB)?", text)
    return str(int(found.group(1)) << {None: 0, "KiB": 10, "MiB": 20, "GiB": 30}[found.group(2)]) if found else text


def _defaults(binaries, service):
    """{setting: default} as --help has them."""
    return dict(re.findall(r"\[([a-z_0-9.]+), SKERRY_\w+; default '(.*?)'\]", _help(binaries[service])))


@pytest.mark.text
def test_defaults_in_tables_are_those_of_the_program(binaries):
    """Of tables "setting, default"; words such as "required" and what follows from other settings are left out."""
    wrong, seen = [], 0
    for path in SERVICES:
        if path.startswith("services/skerry-edge"):
            continue
        defaults = _defaults(binaries, _service(path))
        for line, row in _rows(path, "setting"):
            names = _whole(CODE.findall(row["setting"]))
            wrong += [f"{path}:{line}: there is no setting {name}" for name in names if name not in defaults and "required" not in row["default"]]
            said = [value.strip("` ") for value in re.sub(r"\(.*?\)", "", row["default"]).split(",")]
            if len(said) != len(names):
                continue
            for name, value in zip(names, said):
                if re.fullmatch(r"[\w/.:-]+", value) and value not in ("required", "–") and name in defaults:
                    seen += 1
                    if _bytes(value) != _bytes(defaults[name]):
                        wrong.append(f"{path}:{line}: {name} is {defaults[name]!r}, not {value!r}")
    assert not wrong, "\n".join(wrong)
    assert seen > 20


@pytest.mark.text
def test_ports_in_tables_are_those_of_the_program(binaries):
    """Of tables "port": settings and flags that say who listens exist, and a port beside its flag is its default."""
    wrong, seen = [], 0
    for path in SERVICES:
        text = _help(binaries[_service(path)])
        for line, row in _rows(path, "port"):
            for name in CODE.findall(row["port"]) + CODE.findall(row.get("flag", "")):
                seen += 1
                if not re.search(rf"(?<!\S){re.escape(name)} TEXT" if name.startswith("--") else rf"\[{re.escape(name)},", text):
                    wrong.append(f"{path}:{line}: there is no {name}")
            for name in CODE.findall(row.get("flag", "")):
                if row["port"].isdigit() and f":{row['port']}'" not in text.split(f"{name} TEXT")[-1].split("\n  --")[0]:
                    wrong.append(f"{path}:{line}: {row['port']} is not the default of {name}")
    assert not wrong, "\n".join(wrong)
    assert seen > 10


def _documented_metrics():
    """{metric: its labels} of docs/ops/metrics.md, which is what a running system serves (test_prometheus)."""
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| (.*?) \|", (TOP / "docs/ops/metrics.md").read_text(), re.MULTILINE)
    assert len(rows) > 200
    return {name: set(re.findall(r"(\w+)(?=[:;]|$)", re.sub(r": [^;]*", "", labels))) for name, labels in rows}


def _is_served(name, labels, metrics):
    if name.endswith("*"):
        return any(metric.startswith(name[:-1]) for metric in metrics)
    return name in metrics and labels <= metrics[name]


@pytest.mark.text
def test_metrics_in_tables_are_served():
    """With their labels, in braces or in a column of their own. A name that begins with "_" goes on from where one before it in its row begins."""
    metrics, wrong, seen = _documented_metrics(), [], 0
    for path in READMES:
        for line, row in [*_rows(path, "metric"), *_rows(path, "name")]:
            bases, columns = [], CODE.findall(row.get("labels", "")) or re.findall(r"\w+", row.get("labels", ""))
            for code in CODE.findall(row.get("metric") or row["name"]):
                found = re.fullmatch(r"(\w+\*?)(?:\{(.*)\})?", code)
                if not found:
                    wrong.append(f"{path}:{line}: {code} is no metric")
                    continue
                seen += 1
                name, labels = found.group(1), set(re.findall(r"(\w+)(?:=[^,]*)?(?:,|$)", found.group(2) or ""))
                if name.startswith("_"):
                    names = [base + name for base in bases]
                else:
                    names = [name]
                    parts = name.split("_")
                    bases = ["_".join(parts[:count]) for count in range(2, len(parts))]
                if not any(_is_served(name, labels, metrics) for name in names):
                    wrong.append(f"{path}:{line}: {code}: nobody serves that")
    assert not wrong, "\n".join(wrong)
    assert seen > 150


def _commands():
    """(page, line, words) of blocks that are not run, but looked at here."""
    for path in handbook.paths():
        for block in handbook.read(path).blocks:
            if block.language == "sh" and block.options.get("checked-by") == HERE:
                for line in block.text.splitlines():
                    words = shlex.split(re.sub(r"  +[^ ].*$| #.*$", "", line).replace("$(", "").replace(")", ""))
                    while words and re.match(r"\w+=", words[0]):
                        words.pop(0)  # Variables.
                    if words:
                        yield path, block.line, words


@pytest.mark.text
def test_commands_that_are_shown_exist(binaries):
    """Programs, their options, and the files that they are given."""
    wrong, seen = [], 0
    for path, line, words in _commands():
        seen += 1
        if words[0] == "skerryctl":
            command, flags = [binaries["skerryctl"]], re.findall(r"--[a-z-]+", " ".join(words))
            text = _help(*command)
            for word in words[1:]:
                if not re.fullmatch(r"[a-z|]+", word) or not re.search(rf"^ +{word.split('|')[0]}\b", text, re.MULTILINE):
                    break
                command.append(word.split("|")[0])
                text = _help(*command)
            wrong += [f"{path}:{line}: {' '.join(words)}: no {flag}" for flag in flags if not re.search(rf"{flag}\b", text)]
            if len(command) == 1:
                wrong.append(f"{path}:{line}: {' '.join(words)}: no such command")
            continue
        for word in words:
            name = word.split("::")[0]
            if re.match(r"(tools|e2e|examples)(/|$)", name) and not (TOP / name).exists():
                wrong.append(f"{path}:{line}: there is no {name}")
        if (TOP / words[0]).is_file() and not words[0].startswith("/"):
            program = (TOP / words[0]).read_text()
            wrong += [f"{path}:{line}: {words[0]} knows no {flag}" for flag in words[1:]
                      if flag.startswith("--") and flag.split("=")[0] not in program]
    assert not wrong, "\n".join(wrong)
    assert seen > 25
