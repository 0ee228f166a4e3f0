#!/usr/bin/env python3
"""Checks what the compiler does not: dependencies, layers, names, format, rules that no test cites, documents, Python.

usage: tools/lint/tidy.py [ROOT]

Prints one finding a line, "path:line: rule: what, and how to mend it", and exits 1 if there are any. Files that are
getting long are listed as warnings, which do not fail. Needs Python 3.9 and nothing besides; clang-format and pyflakes3
are used where they are installed.
"""

import os
import shutil
import sys

import cpp_checks
import doc_checks
import proto_checks
import python_checks
import spec_checks
from build_graph import BuildError, BuildGraph, read_build
from tree import Finding, Tree

_LONG = 400


def read_graph(tree):
    """The build graph and the findings about files that could not be read."""
    targets, findings = [], []
    for path in tree.with_ending("BUILD.bazel"):
        try:
            targets += read_build(path, tree.text(path))
        except BuildError as error:
            findings.append(Finding(path, error.line, "build-file", str(error)))
    return BuildGraph(targets), findings


def find(tree):
    """All findings, sorted."""
    graph, findings = read_graph(tree)
    for check in (cpp_checks.check_deps(tree, graph), cpp_checks.check_labels(graph), cpp_checks.check_layers(tree),
                  cpp_checks.check_guards(tree), cpp_checks.check_metrics(tree), cpp_checks.check_text(tree),
                  cpp_checks.check_deadlines(tree), cpp_checks.check_format(tree), proto_checks.check_protos(tree),
                  spec_checks.check_rules(tree), doc_checks.check_blocks(tree),
                  doc_checks.check_links(tree), doc_checks.check_commands(tree), python_checks.check_names(tree)):
        findings += check
    return sorted(set(findings))


def long_files(tree):
    for path in tree.with_ending(".h", ".cc", ".py", ".proto", ".bzl"):
        count = tree.text(path).count("\n")
        if count > _LONG:
            yield f"{path}:1: warning: {count} lines: split it, or say in its head why it is one piece"


def main(arguments):
    root = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    tree = Tree(os.path.abspath(root))
    for warning in long_files(tree):
        print(warning)
    if shutil.which("clang-format") is None:
        print("tidy: clang-format is not installed, format not checked", file=sys.stderr)
    if not python_checks.checked():
        print("tidy: pyflakes3 is not installed, names of Python files not checked", file=sys.stderr)
    findings = find(tree)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings in {len(tree.files)} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
