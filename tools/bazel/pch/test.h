// The same for tests.
#ifndef SKERRY_TOOLS_BAZEL_PCH_TEST_H_
#define SKERRY_TOOLS_BAZEL_PCH_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/bazel/pch/base.h"

#endif  // SKERRY_TOOLS_BAZEL_PCH_TEST_H_
