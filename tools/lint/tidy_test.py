"""Tests of tidy: each rule has a tree that breaks it and one that does not."""

import contextlib
import io
import os
import shutil
import tempfile
import unittest

import build_graph
import tidy
from tree import Tree

_GOOD_HEADER = "#ifndef {0}\n#define {0}\n\nint F();\n\n#endif  // {0}\n"
_GOOD_BUILD = """
load("//tools/bazel:cc.bzl", "skerry_cc_library", "skerry_cc_test")

_DEPS = ["//tools/bazel/deps:absl"]

skerry_cc_library(
    name = "b",
    srcs = ["b.cc"],
    hdrs = ["b.h"],
    deps = _DEPS,
)

[skerry_cc_test(
    name = "%s_test" % n,
    deps = [":" + n],
) for n in ("b",)]
"""


def _files(**changes):
    """A small good tree; `changes` replace or add files (None deletes one). "__" in a name stands for "/"."""
    files = {
        "tools/bazel/deps/BUILD.bazel": 'cc_library(name = "absl")\ncc_library(name = "grpc", deps = [":absl"])\n',
        "services/lib/base/BUILD.bazel": _GOOD_BUILD,
        "services/lib/base/b.h": _GOOD_HEADER.format("SKERRY_SERVICES_LIB_BASE_B_H_"),
        "services/lib/base/b.cc": '#include "services/lib/base/b.h"\n\n#include "absl/status/status.h"\n\nint F() { return 1; }\n',
        "services/lib/base/b_test.cc": '#include "services/lib/base/b.h"\n\n#include <gtest/gtest.h>\n',
        "services/x-svc/core/BUILD.bazel": 'skerry_cc_library(name = "c", srcs = ["c.cc"], deps = ["//services/lib/base:b"])\n',
        "services/x-svc/core/c.cc": '#include <vector>\n\n#include "services/lib/base/b.h"\n',
        "api/skerry/x/v1/BUILD.bazel": 'skerry_proto_library(name = "x", srcs = ["x.proto"])\n',
        "api/skerry/x/v1/x.proto": 'syntax = "proto3";\npackage skerry.x.v1;\n',
        ".clang-format": "BasedOnStyle: Google\n",
    }
    files.update({name.replace("__", "/"): text for name, text in changes.items()})
    return {name: text for name, text in files.items() if text is not None}


class TidyTest(unittest.TestCase):
    def find(self, files):
        root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, root)
        for name, text in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.root = root
        return tidy.find(Tree(root))

    def expect(self, rule, path, files, line=None, text=""):
        """Exactly one finding, of that rule at that place, whose message holds `text`."""
        findings = self.find(files)
        self.assertEqual([(f.rule, f.path) for f in findings], [(rule, path)], [str(f) for f in findings])
        if line is not None:
            self.assertEqual(findings[0].line, line)
        self.assertIn(text, findings[0].message)

    def expect_clean(self, files):
        self.assertEqual([str(f) for f in self.find(files)], [])

    def test_good_tree_is_clean(self):
        self.expect_clean(_files())

    def test_main_exits_by_findings(self):
        self.find(_files())
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(tidy.main([self.root]), 0)
        self.assertIn("0 findings", out.getvalue())
        self.find(_files(**{"services/lib/base/b.h": "int F();\n"}))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(tidy.main([self.root]), 1)
        self.assertIn("services/lib/base/b.h:1: include-guard: ", out.getvalue())

    def test_missing_dep_on_own_header(self):
        self.expect("missing-dep", "services/x-svc/core/c.cc", _files(**{
            "services/x-svc/core/BUILD.bazel": 'skerry_cc_library(name = "c", srcs = ["c.cc"])\n'}),
            line=3, text='needs "//services/lib/base:b"')

    def test_transitive_dep_is_not_enough(self):
        self.expect("missing-dep", "services/x-svc/core/c.cc", _files(**{
            "services/x-svc/core/BUILD.bazel": 'skerry_cc_library(name = "c", srcs = ["c.cc"], deps = [":d"])\n'
                                               'skerry_cc_library(name = "d", deps = ["//services/lib/base:b"])\n'}))

    def test_missing_dep_on_library(self):
        self.expect("missing-dep", "services/lib/base/b.cc", _files(**{
            "services/lib/base/BUILD.bazel": _GOOD_BUILD.replace("deps = _DEPS", "deps = []")}), line=3)

    def test_library_may_come_through_another(self):
        self.expect_clean(_files(**{
            "services/lib/base/BUILD.bazel": _GOOD_BUILD.replace("deps:absl", "deps:grpc")}))

    def test_header_that_nobody_exports(self):
        self.expect("missing-dep", "services/x-svc/core/c.cc", _files(**{
            "services/x-svc/core/c.cc": '#include "services/lib/base/gone.h"\n'}), text="no target exports")

    def test_generated_headers(self):
        uses = {"services/x-svc/BUILD.bazel": 'skerry_cc_library(name = "u", srcs = ["u.cc"], deps = ["//api/skerry/x/v1:x"])\n'}
        self.expect_clean(_files(**uses, **{"services/x-svc/u.cc": '#include "api/skerry/x/v1/x.pb.h"\n'}))
        self.expect("missing-dep", "services/x-svc/u.cc", _files(
            **uses, **{"services/x-svc/u.cc": '#include "api/skerry/x/v1/x.grpc.pb.h"\n'}))

    def test_unbuilt_file(self):
        self.expect("unbuilt-file", "services/lib/base/new.cc", _files(**{"services/lib/base/new.cc": "int x;\n"}))

    def test_unknown_and_repeated_deps(self):
        self.expect("unknown-dep", "services/lib/base/BUILD.bazel", _files(**{
            "services/lib/base/BUILD.bazel": _GOOD_BUILD.replace("deps = _DEPS", 'deps = _DEPS + [":gone"]')}), line=6)
        self.expect("repeated-dep", "services/lib/base/BUILD.bazel", _files(**{
            "services/lib/base/BUILD.bazel": _GOOD_BUILD.replace("deps = _DEPS", "deps = _DEPS + _DEPS")}))

    def test_broken_build_file(self):
        findings = self.find(_files(**{"services/y/BUILD.bazel": "skerry_cc_library(\n"}))
        self.assertEqual([(f.rule, f.path) for f in findings], [("build-file", "services/y/BUILD.bazel")])

    def test_service_includes_service(self):
        findings = self.find(_files(**{
            "services/y-svc/BUILD.bazel": 'skerry_cc_library(name = "y", srcs = ["y.cc"], hdrs = ["y.h"], deps = ["//services/x-svc:u"])\n',
            "services/y-svc/y.h": _GOOD_HEADER.format("SKERRY_SERVICES_Y_SVC_Y_H_"),
            "services/y-svc/y.cc": '#include "services/x-svc/u.h"\n',
            "services/x-svc/BUILD.bazel": 'skerry_cc_library(name = "u", hdrs = ["u.h"])\n',
            "services/x-svc/u.h": _GOOD_HEADER.format("SKERRY_SERVICES_X_SVC_U_H_")}))
        self.assertEqual([(f.rule, f.path) for f in findings], [("service-includes-service", "services/y-svc/y.cc")])

    def test_host_includes_entries_of_services(self):
        findings = self.find(_files(**{
            "services/skerry-edge/BUILD.bazel":
                'skerry_cc_binary(name = "skerry-edge", srcs = ["main.cc"], deps = ["//services/x-svc:u", "//services/x-svc:entry"])\n',
            "services/skerry-edge/main.cc": '#include "services/x-svc/entry.h"\n#include "services/x-svc/u.h"\n',
            "services/x-svc/BUILD.bazel": 'skerry_cc_library(name = "u", hdrs = ["u.h"])\n\nskerry_cc_library(name = "entry", hdrs = ["entry.h"])\n',
            "services/x-svc/entry.h": _GOOD_HEADER.format("SKERRY_SERVICES_X_SVC_ENTRY_H_"),
            "services/x-svc/u.h": _GOOD_HEADER.format("SKERRY_SERVICES_X_SVC_U_H_")}))
        self.assertEqual([(f.rule, f.line) for f in findings], [("service-includes-service", 2)])

    def test_lib_includes_service(self):
        findings = self.find(_files(**{
            "services/x-svc/BUILD.bazel": 'skerry_cc_library(name = "u", hdrs = ["u.h"])\n',
            "services/x-svc/u.h": _GOOD_HEADER.format("SKERRY_SERVICES_X_SVC_U_H_"),
            "services/lib/base/BUILD.bazel": _GOOD_BUILD.replace("deps = _DEPS", 'deps = _DEPS + ["//services/x-svc:u"]'),
            "services/lib/base/b.cc": '#include "services/lib/base/b.h"\n\n#include "services/x-svc/u.h"\n'}))
        self.assertEqual([(f.rule, f.line) for f in findings], [("service-includes-service", 3)])

    def test_core_does_io(self):
        for header in ("<fstream>", "<thread>", "<unistd.h>", "<sys/socket.h>"):
            self.expect("core-does-io", "services/x-svc/core/c.cc", _files(**{
                "services/x-svc/core/c.cc": f'#include {header}\n\n#include "services/lib/base/b.h"\n'}), line=1)

    def test_nested_core_does_io(self):
        self.expect("core-does-io", "services/x-svc/lib/core/c.cc", _files(**{
            "services/x-svc/lib/core/BUILD.bazel": 'skerry_cc_library(name = "c", srcs = ["c.cc"])\n',
            "services/x-svc/lib/core/c.cc": "#include <fstream>\n"}), line=1)

    def test_core_tests_may_use_more(self):
        self.expect_clean(_files(**{
            "services/x-svc/core/BUILD.bazel": 'skerry_cc_library(name = "c", srcs = ["c.cc"], deps = ["//services/lib/base:b"])\n'
                                               'skerry_cc_test(name = "c_test")\n',
            "services/x-svc/core/c_test.cc": "#include <gtest/gtest.h>\n\n#include <fstream>\n"}))

    def test_include_guard(self):
        bad = _GOOD_HEADER.format("SKERRY_BASE_B_H_")
        findings = self.find(_files(**{"services/lib/base/b.h": bad}))
        self.assertEqual({(f.rule, f.line) for f in findings},
                         {("include-guard", 1), ("include-guard", 2), ("include-guard", 6)})

    def test_metric_names(self):
        for call, good in (('Counter("skerry_x_sent_total"', True), ('Counter("skerry_x_sent"', False),
                           ('Gauge("skerry_x_depth"', True), ('Gauge("skerry_x_depth_total"', False),
                           ('Gauge(\n      "x_depth"', False), ('Histogram("skerry_x-y_seconds"', False)):
            code = f'#include "services/lib/base/b.h"\n\nint g = {call}, "");\n'
            rules = {f.rule for f in self.find(_files(**{"services/lib/base/b.cc": code}))} - {"format"}
            self.assertEqual(rules, set() if good else {"metric-name"}, call)

    def test_left_overs_and_sleeps(self):
        self.expect("left-over", "services/lib/base/b.cc", _files(**{
            "services/lib/base/b.cc": '#include "services/lib/base/b.h"\n// TODO: all\n'}), line=2)
        sleep = '#include "services/lib/base/b.h"\nvoid G() { sleep(1); }%s\n'
        self.expect("test-sleeps", "services/lib/base/b_test.cc", _files(**{"services/lib/base/b_test.cc": sleep % ""}))
        self.expect_clean(_files(**{"services/lib/base/b_test.cc": sleep % "  // NOLINT(test-sleeps): in a child"}))

    def test_calls_have_deadlines(self):
        code = '#include "services/lib/base/b.h"\n%s'
        for line, good in (("grpc::ClientContext context;", False),
                           ("grpc::ClientContext context_;", True),  # A stream's.
                           ("grpc::ClientContext context; void G() { context.set_deadline(1); }", True),
                           ("grpc::ClientContext context;  // NOLINT(call-deadline): it fails at once", True)):
            rules = {f.rule for f in self.find(_files(**{"services/lib/base/b.cc": code % line}))} - {"format"}
            self.assertEqual(rules, set() if good else {"call-deadline"}, line)

    def proto(self, body, package="skerry.x.v1"):
        return _files(**{"api/skerry/x/v1/x.proto": f'syntax = "proto3";\npackage {package};\n{body}'})

    def test_proto_package(self):
        self.expect("proto-package", "api/skerry/x/v1/x.proto", self.proto("", package="skerry.x"), line=2)

    def test_proto_fields(self):
        good = ("message M {\n  string node_name = 1;  // badName = 7;\n  map<string, int32> by_name = 2 [packed = true];\n"
                "  oneof body {\n    M next = 3;\n  }\n  reserved 4;\n  /* int32 otherBad = 5; */\n}\nmessage E {}\n")
        self.expect_clean(self.proto(good))
        for field in ("string nodeName = 1;", "repeated M Next = 1;", "map<string, M> byName = 1;", "int32 a__b = 1;"):
            self.expect("proto-field", "api/skerry/x/v1/x.proto", self.proto("message M {\n  %s\n}\n" % field), line=4)
        self.expect("proto-field", "api/skerry/x/v1/x.proto",
                    self.proto("message M {\n  oneof body {\n    M theNext = 3;\n  }\n}\n"), line=5)

    def test_proto_enums(self):
        good = "enum PodPhase {\n  POD_PHASE_UNSPECIFIED = 0;\n  POD_PHASE_RUNNING = 1;\n}\n"
        self.expect_clean(self.proto(good))
        self.expect("proto-enum", "api/skerry/x/v1/x.proto", self.proto(good.replace("UNSPECIFIED", "UNKNOWN")), line=4)
        self.expect("proto-enum", "api/skerry/x/v1/x.proto", self.proto(good.replace("POD_PHASE_RUNNING", "RUNNING")), line=5)

    def test_foreign_protos_keep_their_names(self):
        self.expect_clean(_files(**{
            "api/runtime/v1/api.proto": "package runtime.v1;\nmessage M {\n  string nodeName = 1;\n}\n"}))

    def test_blocks_of_the_documentation_say_what_they_are(self):
        page = "# T\n<!-- docs: fixture=machines on=cloud -->\n```sh\ntrue\n```\n"
        self.expect_clean(_files(**{"docs/a.md": page, "services/x-svc/README.md": "```figure\nx\n```\n"}))
        self.expect("untested-block", "services/x-svc/README.md", _files(**{"services/x-svc/README.md": "```\nx\n```\n"}))
        self.expect("untested-block", "README.md", _files(**{"README.md": "```\nx\n```\n"}))
        self.expect("untested-block", "docs/a.md", _files(**{"docs/a.md": "```sh skip=x checked-by=e2e/gone.py\nx\n```\n"}))
        self.expect("untested-block", "docs/a.md", _files(**{"docs/a.md": page.replace("on=cloud", "after=docs/gone.md")}))

    def test_links_lead_somewhere(self):
        good = "# A b `c`, d\n[x](#a-b-c-d) [y](../README.md) [z](https://example.com/) `[v](w)`\n```figure\n[n](o)\n```\n"
        self.expect_clean(_files(**{"docs/a.md": good, "README.md": "[a](docs/a.md#a-b-c-d)\n"}))
        self.expect("broken-link", "README.md", _files(**{"docs/a.md": "# A\n", "README.md": "\n[a](docs/b.md)\n"}), line=2)
        self.expect("broken-link", "README.md", _files(**{"docs/a.md": "# A\n", "README.md": "[a](docs/a.md#b)\n"}))

    def test_commands_are_blocks(self):
        for text, good in (("`a && b`", False), ("`docker-compose -f x.yml up -d`", False), ("`docker-compose up -d --scale x=0`", False),
                           ("`a` && `b`", True), ("`docker-compose ps`", True), ("`down` and `up`", True),
                           ("\n```figure\n`a && b`\n```", True)):
            findings = self.find(_files(**{"docs/a.md": f"# T\n{text}\n", "docs/adr/a.md": f"# T\n{text}\n"}))
            self.assertEqual([(f.rule, f.path) for f in findings], [] if good else [("untested-command", "docs/a.md")], text)

    def test_rules_are_cited(self):
        spec = {"docs/spec/link.md": "# Rules\n\n- **link-1.1** One, as link-1.2.\n- **link-1.10** Ten.\n"}
        self.expect_clean(_files(**spec, **{
            "services/lib/link/testdata/cloud/x.txt": "# link-1.1, and more\n",
            "e2e/scenarios/test_x.py": '"""link-1.10"""\n'}))
        self.expect("untested-rule", "docs/spec/link.md", _files(**spec, **{
            "services/lib/link/testdata/x.txt": "# link-1.10\n",
            "services/lib/link/README.md": "link-1.1\n"}), line=3, text="link-1.1:")
        self.expect("untested-rule", "docs/spec/link.md", _files(**spec, **{
            "e2e/fault/test_x.py": "# link-1.1\n"}), line=4, text="link-1.10:")

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_format(self):
        self.expect("format", "services/lib/base/b.cc", _files(**{
            "services/lib/base/b.cc": '#include "services/lib/base/b.h"\n\nint  F( ){return 1;}\n'}), line=3)

    @unittest.skipUnless(shutil.which("pyflakes3"), "pyflakes3 is not installed")
    def test_names_of_python(self):
        code = "import os\n\n\ndef main():\n    return %s.which('x')\n"
        self.expect_clean(_files(**{"tools/x.py": code % "os", "tools/x": "#!/bin/sh\nshutil.which\n"}))
        self.expect("undefined-name", "tools/x.py", _files(**{"tools/x.py": code % "shutil"}), line=5, text="'shutil'")
        self.expect("undefined-name", "tools/x", _files(**{"tools/x": "#!/usr/bin/env python3\n" + code % "shutil"}), line=6)
        self.expect("python-syntax", "tools/x.py", _files(**{"tools/x.py": "import os\ndef main(:\n"}), line=2)

    def test_long_files_are_warnings(self):
        self.find(_files(**{"services/lib/base/b.cc": '#include "services/lib/base/b.h"\n' + "// x\n" * 401}))
        warnings = list(tidy.long_files(Tree(self.root)))
        self.assertEqual(len(warnings), 1)
        self.assertTrue(warnings[0].startswith("services/lib/base/b.cc:1: warning: 402 lines"))


class BuildGraphTest(unittest.TestCase):
    def test_labels(self):
        self.assertEqual(build_graph.full_label("//a/b", "p"), "//a/b:b")
        self.assertEqual(build_graph.full_label("//a/b:c", "p"), "//a/b:c")
        self.assertEqual(build_graph.full_label(":c", "p/q"), "//p/q:c")
        self.assertEqual(build_graph.full_label("c", "p"), "//p:c")

    def test_comprehensions_and_defaults(self):
        targets = build_graph.read_build("services/lib/base/BUILD.bazel", _GOOD_BUILD)
        self.assertEqual([t.label for t in targets], ["//services/lib/base:b", "//services/lib/base:b_test"])
        self.assertEqual(targets[1].srcs, ["services/lib/base/b_test.cc"])
        self.assertEqual(targets[0].deps, ["//tools/bazel/deps:absl"])

    def test_build_files_cannot_reach_the_machine(self):
        with self.assertRaises(build_graph.BuildError):
            build_graph.read_build("BUILD.bazel", 'x = ().__class__.__nothing__\n')


if __name__ == "__main__":
    unittest.main()
