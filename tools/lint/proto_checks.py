"""Checks of .proto files: packages and names."""

import posixpath
import re

from tree import Finding

# Contracts of others: their names stand, only the package has to be where it belongs.
_FOREIGN = ("api/google/", "api/grpc/", "api/runtime/", "api/kubeedge/")
_BLOCK = re.compile(r"^\s*(message|enum|oneof|service|extend)\s+(\w+)\s*\{")
_FIELD = re.compile(r"^\s*(?:repeated\s+|optional\s+)?(?:map\s*<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*\d+\s*[;\[]")
_VALUE = re.compile(r"^\s*(\w+)\s*=\s*(-?\d+)\s*[;\[]")


def _upper_snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


def _code_lines(tree, path):
    """(number, line) with comments blanked and one-line blocks opened up."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), tree.text(path), flags=re.DOTALL)
    for number, line in enumerate(text.splitlines(), start=1):
        line = re.sub(r"//.*", "", line)
        for piece in re.sub(r"([{};])", r"\1\n", line).split("\n"):
            if piece.strip():
                yield number, piece


def check_protos(tree):
    for path in tree.with_ending(".proto"):
        yield from _check_package(tree, path)
        if not path.startswith(_FOREIGN):
            yield from _check_names(tree, path)


def _check_package(tree, path):
    folder = posixpath.dirname(path)
    wanted = folder.removeprefix("api/").replace("/", ".")
    if not folder.startswith("api/"):
        yield Finding(path, 1, "proto-place", "contracts live under api/: move it there")
    match = re.search(r"^package\s+([\w.]+)\s*;", tree.text(path), re.MULTILINE)
    if match is None:
        yield Finding(path, 1, "proto-package", f'say "package {wanted};"')
    elif match.group(1) != wanted and not path.startswith("api/kubeedge/"):  # Its packages are on KubeEdge's wire.
        line = tree.text(path).count("\n", 0, match.start()) + 1
        yield Finding(path, line, "proto-package", f'package {match.group(1)} should be "{wanted}", as its folder')


def _check_names(tree, path):
    blocks = []  # (kind, name) of the blocks around, innermost last.
    for number, line in _code_lines(tree, path):
        opened = _BLOCK.match(line)
        if opened:
            blocks.append(opened.groups())
            continue
        if "{" in line:
            blocks.append(("other", ""))
        kind, name = blocks[-1] if blocks else ("", "")
        if kind in ("message", "oneof"):
            field = _FIELD.match(line)
            if field and not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", field.group(1)):
                yield Finding(path, number, "proto-field", f"field {field.group(1)} should be in lower_snake_case")
        if kind == "enum":
            yield from _check_value(path, number, name, _VALUE.match(line))
        if "}" in line and blocks:
            blocks.pop()


def _check_value(path, number, enum, value):
    if value is None or value.group(1) in ("option", "reserved"):
        return
    prefix = _upper_snake(enum) + "_"
    if int(value.group(2)) == 0 and value.group(1) != prefix + "UNSPECIFIED":
        yield Finding(path, number, "proto-enum", f"the zero value {value.group(1)} should be {prefix}UNSPECIFIED")
    elif not value.group(1).startswith(prefix):
        yield Finding(path, number, "proto-enum", f"value {value.group(1)} should begin with {prefix}")
