#include "services/lib/base/build_info.h"

#include "gtest/gtest.h"

// As build_stamp.cc has it in a binary.
extern const char kSkerryBuildStamp[];
const char kSkerryBuildStamp[] = "569bd74-dirty";

namespace skerry {
namespace {

TEST(BuildInfoTest, TellsTheRevisionThatTheBinaryWasStampedWith) {
  EXPECT_STREQ(BuildCommit(), "569bd74-dirty");
}

}  // namespace
}  // namespace skerry
