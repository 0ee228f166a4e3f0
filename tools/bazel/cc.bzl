"""House macros for C++ targets: warnings are errors, and nothing is visible unless it says so."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-missing-field-initializers",
    "-Winvalid-pch",
]

def _precompiled(deps, test = False):
    """The dependency and the copts of the precompiled header that suits a target with these deps (ADR 28).

    Clang, which fuzzes, includes it as it is.
    """
    name = "pch" + ("_test" if test else "")
    if "//tools/bazel/deps:grpc" in deps:
        name += "_grpc"
    elif not test:
        name += "_base"
    header = "tools/bazel/pch/%s.h" % name[len("pch_"):]
    return (
        select({
            "//tools/bazel:fuzz": ["//tools/bazel/pch:headers"],
            "//conditions:default": ["//tools/bazel/pch:" + name],
        }),
        select({
            "//tools/bazel:fuzz": ["-include", header],
            "//conditions:default": ["-include", name + ".h"],
        }),
    )

def _static_libraries(kwargs):
    """`kwargs` with what lets the linker take static libraries (tools/bazel/static)."""

    # Sanitizers interpose functions of shared libraries; fuzzers have one.
    instrumented = ["//tools/bazel/deps:asan", "//tools/bazel/tsan"]
    inputs = {config: [] for config in instrumented}
    options = {config: [] for config in instrumented}
    inputs["//conditions:default"] = ["//tools/bazel/static:libraries"]
    options["//conditions:default"] = ["-L$(BINDIR)/tools/bazel/static"]
    return dict(kwargs, additional_linker_inputs = select(inputs), linkopts = select(options), linkstatic = True)

def skerry_cc_library(name, hdrs = [], srcs = [], deps = [], copts = [], visibility = None, **kwargs):
    """One public class (or one cohesive set of functions) and its implementation.

    Args:
      name: the header's stem where there is one header.
      hdrs: public headers.
      srcs: implementation files.
      deps: what hdrs and srcs include, directly.
      copts: further compiler options; say why beside them.
      visibility: the default_visibility of the package unless given; without one, private.
      **kwargs: passed to cc_library.
    """
    pch_deps, pch_copts = _precompiled(deps)
    cc_library(
        name = name,
        hdrs = hdrs,
        srcs = srcs,
        deps = deps + pch_deps,
        copts = _COPTS + pch_copts + copts,
        visibility = visibility,
        **kwargs
    )

def skerry_cc_test(name, srcs = None, deps = [], size = "small", copts = [], static_libraries = False, **kwargs):
    """A GoogleTest test; srcs defaults to <name>.cc.

    Its own files are not optimised: that is a quarter of their time to compile, and what they test is.
    static_libraries is as for skerry_cc_binary.
    """
    pch_deps, pch_copts = _precompiled(deps, test = True)
    cc_test(
        name = name,
        srcs = srcs or [name + ".cc"],
        deps = deps + ["//tools/bazel/deps:gtest_main"] + pch_deps,
        copts = _COPTS + pch_copts + ["-O0"] + copts,
        size = size,
        **(_static_libraries(kwargs) if static_libraries else kwargs)
    )

def skerry_cc_binary(name, srcs = None, deps = [], copts = [], visibility = None, static_libraries = False, **kwargs):
    """A binary; srcs defaults to main.cc.

    With static_libraries, Debian's are linked statically (tools/bazel/static). With --stamp, it says its
    revision (services/lib/base/build_info.h).
    """
    pch_deps, pch_copts = _precompiled(deps)
    cc_binary(
        name = name,
        srcs = srcs or ["main.cc"],
        deps = deps + ["//services/lib/base:build_stamp"] + pch_deps,
        copts = _COPTS + pch_copts + copts,
        visibility = visibility,
        **(_static_libraries(kwargs) if static_libraries else kwargs)
    )
