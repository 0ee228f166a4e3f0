"""Headers that are parsed once for all files (docs/adr/0028-precompiled-headers.md)."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_header_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )

    # Not where the source is: GCC takes the first folder that has either, and looks into the tree first.
    header = ctx.actions.declare_file("include/%s.h" % ctx.label.name)
    precompiled = ctx.actions.declare_file("include/%s.h.gch" % ctx.label.name)
    ctx.actions.symlink(output = header, target_file = ctx.files.hdrs[0])

    # As every file is compiled: GCC refuses what was made with other options.
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = header.path,
        output_file = precompiled.path,
        quote_include_directories = depset(["."]),
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts + [
            "-x",
            "c++-header",
        ],
        use_pic = True,
    )
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        env = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        inputs = depset([header] + ctx.files.hdrs, transitive = [toolchain.all_files]),
        outputs = [precompiled],
        mnemonic = "CppPrecompile",
        progress_message = "Precompiling %s" % ctx.files.hdrs[0].short_path,
    )
    context = cc_common.create_compilation_context(
        headers = depset([header, precompiled]),
        quote_includes = depset([header.dirname]),
    )
    return [
        DefaultInfo(files = depset([header, precompiled])),
        CcInfo(compilation_context = context),
    ]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    doc = "For `-include <name>.h` in the copts of what depends on it.",
    attrs = {
        "hdrs": attr.label_list(
            allow_files = [".h"],
            mandatory = True,
            doc = "The first is precompiled; it includes the others.",
        ),
        "copts": attr.string_list(doc = "Those of what depends on it, where they change code."),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
