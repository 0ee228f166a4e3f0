#!/bin/sh
echo "bazel coverage is not supported here; use bazel test --config=cov" >&2
exit 1
