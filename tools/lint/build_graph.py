"""Targets of BUILD files, without Bazel: the files are Python in syntax, so they run with recording stubs."""

import ast
import dataclasses
import posixpath
import sys

_CPP_RULES = ("skerry_cc_library", "skerry_cc_test", "skerry_fuzz_test", "skerry_cc_binary", "cc_library", "cc_test", "cc_binary")


@dataclasses.dataclass
class Target:
    label: str  # "//services/lib/base:error"
    rule: str
    path: str   # Of its BUILD file.
    line: int
    srcs: list = dataclasses.field(default_factory=list)  # Paths from the root.
    hdrs: list = dataclasses.field(default_factory=list)
    deps: list = dataclasses.field(default_factory=list)  # Labels, in full.
    grpc: bool = False

    @property
    def is_cpp(self):
        return self.rule in _CPP_RULES

    @property
    def is_test(self):
        return self.rule.endswith("_test")


class BuildError(Exception):
    """A BUILD file that could not be read; `line` says where."""

    def __init__(self, message, line):
        super().__init__(message)
        self.line = line


def full_label(label, package):
    """"//a/b" -> "//a/b:b", ":c" and "c" -> "//package:c"."""
    if label.startswith(("//", "@")):
        if ":" in label:
            return label
        return f"{label}:{label.rsplit('/', 1)[-1]}"
    return f"//{package}:{label.removeprefix(':')}"


def read_build(path, text):
    """The targets of one BUILD file; raises BuildError."""
    package = posixpath.dirname(path)
    targets = []

    def strings(value):
        return [v for v in value if isinstance(v, str)] if isinstance(value, (list, tuple)) else []

    def record(rule):
        def call(*_, **kwargs):
            if "name" not in kwargs:
                return []  # load(), package(), glob(), select() and the like.
            srcs = strings(kwargs.get("srcs")) + strings([kwargs.get("linkstamp")])
            name = kwargs["name"]
            if not srcs and rule in ("skerry_cc_test", "skerry_fuzz_test"):
                srcs = [name + ".cc"]
            if not srcs and rule == "skerry_cc_binary":
                srcs = ["main.cc"]
            targets.append(Target(
                label=f"//{package}:{name}", rule=rule, path=path, line=sys._getframe(1).f_lineno,
                srcs=[posixpath.join(package, s) for s in srcs if not s.startswith((":", "//"))],
                hdrs=[posixpath.join(package, h) for h in strings(kwargs.get("hdrs")) if not h.startswith((":", "//"))],
                deps=[full_label(d, package) for d in strings(kwargs.get("deps"))],
                grpc=bool(kwargs.get("grpc", False))))
            return None
        return call

    try:
        module = ast.parse(text, filename=path)
        names = {n.func.id for n in ast.walk(module) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        scope = {"__builtins__": {"True": True, "False": False, "None": None}}
        scope.update({name: record(name) for name in names})
        exec(compile(module, path, "exec"), scope)  # Our own files, without builtins.
    except SyntaxError as error:
        raise BuildError(f"is not Python in syntax: {error.msg}", error.lineno or 1) from error
    except Exception as error:  # Whatever a stub cannot stand in for.
        raise BuildError(f"could not be read: {error}", 1) from error
    return targets


class BuildGraph:
    """All targets, and which of them owns a file."""

    def __init__(self, targets):
        self.targets = {t.label: t for t in targets}
        self.owners = {}   # File -> targets that have it in srcs or hdrs.
        self.exports = {}  # Header, as it is included -> targets that give it to others.
        for target in targets:
            for file in target.srcs + target.hdrs:
                self.owners.setdefault(file, []).append(target)
            for header in target.hdrs:
                self.exports.setdefault(header, []).append(target)
            if target.rule == "skerry_proto_library":
                for proto in target.srcs:
                    stem = proto.removesuffix(".proto")
                    for ending in (".pb.h",) + ((".grpc.pb.h",) if target.grpc else ()):
                        self.exports.setdefault(stem + ending, []).append(target)

    def closure(self, labels):
        """`labels` and what they depend on."""
        seen, todo = set(), list(labels)
        while todo:
            label = todo.pop()
            if label in seen:
                continue
            seen.add(label)
            if label in self.targets:
                todo += self.targets[label].deps
        return seen
