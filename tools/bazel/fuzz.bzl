"""Entry points of fuzzers: small files with a LLVMFuzzerTestOneInput."""

load("//tools/bazel:cc.bzl", "skerry_cc_test")

def skerry_fuzz_test(name, deps):
    """<name>.cc, which is run over <name without _fuzz>_corpus/, files written by hand or found by a fuzzer.

    With --config=fuzz it is a fuzzer that begins with them (tools/dev/fuzz).

    Args:
      name: ends with _fuzz.
      deps: what the file includes, directly.
    """
    corpus = name[:-len("_fuzz")] + "_corpus"
    skerry_cc_test(
        name = name,
        args = [native.package_name() + "/" + corpus],
        data = native.glob([corpus + "/*"]),
        tags = ["fuzz"],
        deps = deps + ["//services/lib/testing:fuzz_main"],
    )
