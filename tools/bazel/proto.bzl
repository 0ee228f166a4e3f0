"""Protocol buffers and gRPC with the system's protoc: one target a .proto package."""

load("@rules_cc//cc:defs.bzl", "cc_library")

ProtoSourcesInfo = provider(
    "The .proto files a target's own files import, transitively.",
    fields = {"sources": "depset of File"},
)

def _generate_impl(ctx):
    transitive = depset(ctx.files.srcs, transitive = [d[ProtoSourcesInfo].sources for d in ctx.attr.deps])
    headers = []
    sources = []
    for src in ctx.files.srcs:
        stem = src.basename[:-len(".proto")]
        kinds = ["pb", "grpc.pb"] if ctx.attr.grpc else ["pb"]
        for kind in kinds:
            headers.append(ctx.actions.declare_file("%s.%s.h" % (stem, kind)))
            sources.append(ctx.actions.declare_file("%s.%s.cc" % (stem, kind)))
    args = ctx.actions.args()
    args.add("-I.")
    args.add("--cpp_out=" + ctx.bin_dir.path)
    if ctx.attr.grpc:
        args.add("--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin")
        args.add("--grpc_out=" + ctx.bin_dir.path)
    args.add_all(ctx.files.srcs)
    ctx.actions.run(
        executable = "/usr/bin/protoc",
        arguments = [args],
        inputs = transitive,
        outputs = headers + sources,
        mnemonic = "Protoc",
        progress_message = "Generating C++ for %s" % ctx.label,
    )
    return [
        DefaultInfo(files = depset(headers + sources)),
        OutputGroupInfo(hdrs = depset(headers), srcs = depset(sources)),
        ProtoSourcesInfo(sources = transitive),
    ]

_generate = rule(
    implementation = _generate_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"], mandatory = True),
        "deps": attr.label_list(providers = [ProtoSourcesInfo]),
        "grpc": attr.bool(default = False),
    },
)

def skerry_proto_library(name, srcs, deps = [], grpc = False, visibility = ["//visibility:public"]):
    """C++ (and gRPC) code of .proto files; imports are written from the workspace root.

    Args:
      name: C++ target, included as "<package>/<file>.pb.h".
      srcs: .proto files of this package.
      deps: other skerry_proto_library targets that they import.
      grpc: also generate services.
      visibility: public unless given; api/ is the shared surface.
    """
    proto = name + "_proto_sources"
    _generate(
        name = proto,
        srcs = srcs,
        deps = [Label("//" + native.package_name()).relative(d).relative(":" + Label("//" + native.package_name()).relative(d).name + "_proto_sources") for d in deps],
        grpc = grpc,
        visibility = visibility,
    )
    native.filegroup(name = name + "_hdrs", srcs = [proto], output_group = "hdrs", visibility = ["//visibility:private"])
    native.filegroup(name = name + "_srcs", srcs = [proto], output_group = "srcs", visibility = ["//visibility:private"])
    cc_library(
        name = name,
        hdrs = [":" + name + "_hdrs"],
        srcs = [":" + name + "_srcs"],
        copts = ["-w"],
        deps = deps + ["//tools/bazel/deps:protobuf"] + (["//tools/bazel/deps:grpc"] if grpc else []),
        visibility = visibility,
    )
