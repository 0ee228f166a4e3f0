#include "services/twin-svc/wire/write_id.h"

#include <gtest/gtest.h>

namespace skerry::twin {
namespace {

TEST(WriteIdTest, IsAsItIsStored) {
  // printf abc | sha256sum
  EXPECT_EQ(WriteIdOf("abc"), 0xba7816bf8f01cfeaull);
  EXPECT_EQ(WriteIdOf(""), 0u);
  EXPECT_NE(WriteIdOf("a"), WriteIdOf("b"));
}

}  // namespace
}  // namespace skerry::twin
