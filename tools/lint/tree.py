"""The files of the work tree, and findings about them."""

import dataclasses
import functools
import os
import re
import subprocess


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str  # What is wrong and how to mend it.

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Tree:
    """Read access to the tree at `root`; paths are relative to it, with forward slashes."""

    def __init__(self, root):
        self.root = root

    @functools.cached_property
    def files(self):
        """All files that are or could be committed, sorted."""
        listed = subprocess.run(
            ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split("\0")
        else:  # A tree without git, such as a release's sources.
            names = []
            for folder, folders, entries in os.walk(self.root):
                folders[:] = [f for f in folders if not f.startswith((".", "bazel-"))]
                names += [os.path.relpath(os.path.join(folder, e), self.root) for e in entries]
        return sorted({n for n in names if n and os.path.isfile(os.path.join(self.root, n))})

    def with_ending(self, *endings):
        return [f for f in self.files if f.endswith(endings)]

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def lines(self, path):
        """(number, text) of each line."""
        return enumerate(self.text(path).splitlines(), start=1)


def allowed(line, rule):
    """Whether the line says `NOLINT(<rule>): why`."""
    return re.search(r"NOLINT\(" + re.escape(rule) + r"\): \S", line) is not None
