#include "services/edged-svc/core/inner_path.h"

#include <gtest/gtest.h>

#include <string>

namespace skerry::edged {
namespace {

TEST(InnerPathTest, StaysInside) {
  for (const char* path : {"a", "a/b", "a..b", "..a/b", "a/./b"})
    EXPECT_TRUE(IsInnerPath(path)) << path;
  for (const char* path : {"", "/a", "..", "../a", "a/../b", "a/.."})
    EXPECT_FALSE(IsInnerPath(path)) << path;
  EXPECT_FALSE(IsInnerPath(std::string("a\0b", 3)));
  EXPECT_FALSE(IsInnerPath(std::string(5000, 'a')));
  EXPECT_FALSE(IsInnerPath(std::string(300, 'a')));
}

}  // namespace
}  // namespace skerry::edged
