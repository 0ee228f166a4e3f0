"""Checks of Python: every name that is used is there. What pyflakes says besides (imports of fixtures, ...) is left out."""

import re
import shutil
import subprocess

from tree import Finding

_SHEBANG = re.compile(r"#!.*\bpython3?\b")
_SAID = re.compile(r"(.+?):(\d+):\d+:? (.*)")
_UNDEFINED = re.compile(r"undefined name|local variable .* referenced before assignment|.*may be undefined")


def checked():
    """Whether Debian's pyflakes is there."""
    return shutil.which("pyflakes3") is not None


def python_files(tree):
    """Modules, and programs without an ending."""
    return [path for path in tree.files if path.endswith(".py") or
            ("." not in path.rpartition("/")[2] and _SHEBANG.match(tree.text(path)))]


def check_names(tree):
    """A name that nothing defines ends the program that comes to it; tests may never have come there."""
    paths = python_files(tree)
    if not paths or not checked():
        return
    # Names on standard output, files that are not Python at all on standard error.
    done = subprocess.run(["pyflakes3", *paths], cwd=tree.root, text=True, capture_output=True, check=False)
    for rule, lines in (("undefined-name", done.stdout), ("python-syntax", done.stderr)):
        for line in lines.splitlines():
            said = _SAID.fullmatch(line)
            if said and (rule == "python-syntax" or _UNDEFINED.match(said.group(3))):
                yield Finding(said.group(1), int(said.group(2)), rule, f"{said.group(3)}: define or import what is meant"
                              if rule == "undefined-name" else said.group(3))
