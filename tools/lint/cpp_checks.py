"""Checks of C++ sources: dependencies, layering, include guards, metric names, format."""

import re
import shutil
import subprocess

from tree import Finding, allowed

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# The library target that a foreign header belongs to.
_FOREIGN = (
    ("absl/", "absl"), ("grpcpp/", "grpc"), ("grpc/", "grpc"), ("google/protobuf/", "protobuf"),
    ("openssl/", "openssl"), ("sqlite3.h", "sqlite3"), ("pqxx/", "pqxx"), ("libpq-fe.h", "pqxx"),
    ("prometheus/", "prometheus"), ("spdlog/", "spdlog"), ("yaml-cpp/", "yaml"), ("nlohmann/", "json"),
    ("CLI/", "cli11"), ("boost/", "asio"), ("curl/", "curl"), ("nghttp2/", "nghttp2"), ("re2/", "re2"),
    ("gtest/", "gtest"), ("gmock/", "gtest"), ("zlib.h", "zlib"), ("modbus/", "modbus"),
)
# Shared code that computes on values only, so that decisions may use it.
_PURE = ("services/lib/base/", "services/lib/model/", "services/lib/kubeapi/json.h", "services/lib/link/backoff.h")
# Headers of the standard library that mean I/O or threads.
_CORE_REFUSES = {"fstream", "iostream", "filesystem", "thread", "mutex", "shared_mutex", "condition_variable", "future",
                 "cstdio"}
_METRIC = re.compile(r'\b(Counter|Gauge|Histogram)\(\s*"([^"]*)"')
_CALL = re.compile(r"\bgrpc::ClientContext \w*[^\W_];")  # Of one call; a stream's is a member: context_.
_SLEEP = re.compile(r"\b(sleep_for|sleep_until|SleepFor|usleep|nanosleep|sleep)\s*\(")


def includes(tree, path):
    """(line, quoted, header) of each include."""
    for number, line in tree.lines(path):
        match = _INCLUDE.match(line)
        if match and not allowed(line, "missing-dep"):
            yield number, match.group(1) == '"', match.group(2)


def _foreign_target(header):
    for prefix, name in _FOREIGN:
        if header.startswith(prefix):
            return name
    return None


def _is_own(header):
    return header.startswith(("services/", "api/", "tools/", "e2e/"))


def check_deps(tree, graph):
    for path in tree.with_ending(".h", ".cc"):
        owners = [t for t in graph.owners.get(path, []) if t.is_cpp]
        precompiled = any(t.rule == "precompiled_header" for t in graph.owners.get(path, []))  # Never linked.
        if not owners and not precompiled:
            yield Finding(path, 1, "unbuilt-file", "no target has it in srcs or hdrs: add it to one, or delete it")
        for owner in owners:
            yield from _check_deps_of(tree, graph, path, owner)


def _check_deps_of(tree, graph, path, owner):
    everything = graph.closure(owner.deps)
    for number, _, header in includes(tree, path):
        foreign = _foreign_target(header)
        if foreign is not None:
            label = f"//tools/bazel/deps:{foreign}"
            implied = foreign == "gtest" and owner.is_test
            if label not in everything and not implied:
                yield Finding(path, number, "missing-dep",
                              f'<{header}> needs "{label}" in the deps of {owner.label} ({owner.path}:{owner.line})')
        elif _is_own(header) and header not in owner.srcs + owner.hdrs:
            exporters = graph.exports.get(header, [])
            if not exporters:
                yield Finding(path, number, "missing-dep", f'no target exports "{header}": add it to the hdrs of one')
            elif not any(t.label in owner.deps for t in exporters):
                yield Finding(path, number, "missing-dep",
                              f'"{header}" needs "{exporters[0].label}" in the deps of {owner.label} '
                              f"({owner.path}:{owner.line})")


def check_labels(graph):
    for target in graph.targets.values():
        for dep in target.deps:
            if dep.startswith("//") and dep not in graph.targets:
                yield Finding(target.path, target.line, "unknown-dep", f"{target.label} depends on {dep}: no such target")
        for twice in sorted({d for d in target.deps if target.deps.count(d) > 1}):
            yield Finding(target.path, target.line, "repeated-dep", f"{target.label} names {twice} twice: remove one")


# Runs several services in one process (ADR 44), and knows of each only how it is made.
_HOST = "skerry-edge"


def _service_of(path):
    """"services/edged-svc/core/x.h" -> "edged-svc"; "lib" for the shared library; None elsewhere."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "services" else None


def check_layers(tree):
    for path in tree.with_ending(".h", ".cc"):
        service = _service_of(path)
        if service is None:
            continue
        for number, quoted, header in includes(tree, path):
            other = _service_of(header)
            hosted = service == _HOST and header.endswith("/entry.h")
            if other not in (None, "lib", service) and not hosted:
                yield Finding(path, number, "service-includes-service",
                              f'{service} must not include "{header}" of {other}: talk over api/, or move it to services/lib')
        core = re.match(r"services/(?:.+/)?core/", path)
        if core and service != "lib" and not path.endswith("_test.cc"):
            yield from _check_core(tree, path, core.group())


def _check_core(tree, path, core):
    own = (core, "absl/", "nlohmann/") + _PURE
    for number, _, header in includes(tree, path):
        standard = "/" not in header and "." not in header and header not in _CORE_REFUSES
        if not standard and not header.startswith(own):
            yield Finding(path, number, "core-does-io",
                          f'core/ must not include "{header}": decisions take values; leave I/O, clocks and locks to '
                          "adapters and the runner")


def guard_of(path):
    return "SKERRY_" + re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"


def check_guards(tree):
    for path in tree.with_ending(".h"):
        guard = guard_of(path)
        directives = [(n, line.strip()) for n, line in tree.lines(path) if line.lstrip().startswith("#")]
        wanted = [f"#ifndef {guard}", f"#define {guard}"]
        for (number, have), want in zip(directives[:2] or [(1, "")], wanted):
            if have != want:
                yield Finding(path, number, "include-guard", f'"{have}" should be "{want}"')
        if directives and directives[-1][1] != f"#endif  // {guard}":
            yield Finding(path, directives[-1][0], "include-guard", f'should end with "#endif  // {guard}"')


def check_metrics(tree):
    for path in tree.with_ending(".h", ".cc"):
        if not path.startswith("services/") or path.endswith("_test.cc"):
            continue
        text = tree.text(path)
        for match in _METRIC.finditer(text):
            kind, name = match.groups()
            fault = _metric_fault(kind, name)
            if fault:
                yield Finding(path, text.count("\n", 0, match.start()) + 1, "metric-name", f'"{name}" {fault}')


def _metric_fault(kind, name):
    if not re.fullmatch(r"skerry_[a-z0-9]+(_[a-z0-9]+)+", name):
        return "should be skerry_<component>_<thing>_<unit>[_total] in snake_case"
    if kind == "Counter" and not name.endswith("_total"):
        return "is a counter: end it with _total"
    if kind != "Counter" and name.endswith("_total"):
        return "is not a counter: drop _total"
    return None


def check_deadlines(tree):
    """Calls without a deadline wait for ever on a peer that hangs. Streams have heartbeats or their owner's patience."""
    for path in tree.with_ending(".h", ".cc"):
        if not path.startswith("services/") or path.endswith("_test.cc"):
            continue
        calls = [n for n, line in tree.lines(path) if _CALL.search(line) and not allowed(line, "call-deadline")]
        if len(calls) > tree.text(path).count("set_deadline("):
            yield Finding(path, calls[-1], "call-deadline",
                          "set_deadline on the context of each call, or use rpc::CallUnary (NOLINT(call-deadline): why)")


def check_text(tree):
    for path in tree.with_ending(".h", ".cc", ".proto", ".bzl", ".bazel"):
        test = path.endswith("_test.cc")
        for number, line in tree.lines(path):
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                yield Finding(path, number, "left-over", "do it now, or say in prose what is missing and why")
            if test and _SLEEP.search(line) and not allowed(line, "test-sleeps"):
                yield Finding(path, number, "test-sleeps",
                              "wait for the condition with a deadline, or use FakeClock (NOLINT(test-sleeps): why)")


def check_format(tree):
    """clang-format's findings, the first of each file; nothing where it is not installed."""
    if shutil.which("clang-format") is None:
        return
    files = tree.with_ending(".h", ".cc")
    for start in range(0, len(files), 100):
        result = subprocess.run(["clang-format", "--dry-run", "--Werror", *files[start:start + 100]],
                                cwd=tree.root, capture_output=True, text=True, check=False)
        seen = set()
        for match in re.finditer(r"^(\S+?):(\d+):\d+: error:", result.stderr, re.MULTILINE):
            path, line = match.group(1), int(match.group(2))
            if path not in seen:
                seen.add(path)
                yield Finding(path, line, "format", f"run clang-format -i {path}")
