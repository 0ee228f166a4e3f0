"""House macros for C++ targets: warnings are errors, and nothing is visible unless it says so."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-missing-field-initializers",
]

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
    cc_library(
        name = name,
        hdrs = hdrs,
        srcs = srcs,
        deps = deps,
        copts = _COPTS + copts,
        visibility = visibility,
        **kwargs
    )

def skerry_cc_test(name, srcs = None, deps = [], size = "small", copts = [], **kwargs):
    """A GoogleTest test; srcs defaults to <name>.cc.

    Its own files are not optimised: that is a quarter of their time to compile, and what they test is.
    """
    cc_test(
        name = name,
        srcs = srcs or [name + ".cc"],
        deps = deps + ["//tools/bazel/deps:gtest_main"],
        copts = _COPTS + ["-O0"] + copts,
        size = size,
        **kwargs
    )

def skerry_cc_binary(name, srcs = None, deps = [], copts = [], visibility = None, **kwargs):
    """A binary; srcs defaults to main.cc."""
    cc_binary(
        name = name,
        srcs = srcs or ["main.cc"],
        deps = deps,
        copts = _COPTS + copts,
        visibility = visibility,
        **kwargs
    )
