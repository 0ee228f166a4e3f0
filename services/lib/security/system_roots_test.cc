#include "services/lib/security/system_roots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::security {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::HasSubstr;

class SystemRootsTest : public ::testing::Test {
 protected:
  void Link(const std::string& name) {
    std::filesystem::create_symlink(places_.file, places_.folder + "/" + name);
  }

  skerry::testing::TempDir dir_;
  SystemRootPlaces places_{.folder = dir_.path(), .file = dir_.File("all.crt")};
};

TEST_F(SystemRootsTest, AFolderWithHashesIsReadAsItIsNeeded) {
  dir_.Write("all.crt", "");
  Link("0a1b2c3D.0");
  const auto roots = FindSystemRoots(places_);
  ASSERT_THAT(roots, IsOk());
  EXPECT_EQ(roots->folder, places_.folder);
  EXPECT_EQ(roots->file, "");
}

TEST_F(SystemRootsTest, AFolderWithoutHashesIsNone) {
  dir_.Write("all.crt", "");
  for (const char* other : {"0a1b2c3.0", "0a1b2c3d", "0a1b2c3d.", "0a1b2c3g.0"}) Link(other);
  const auto roots = FindSystemRoots(places_);
  ASSERT_THAT(roots, IsOk());
  EXPECT_EQ(roots->folder, "");
  EXPECT_EQ(roots->file, places_.file);
}

TEST_F(SystemRootsTest, SaysWhatIsMissing) {
  const auto roots = FindSystemRoots(places_);
  EXPECT_THAT(roots, HasReason("CA_CERTIFICATES_MISSING"));
  EXPECT_THAT(std::string(roots.status().message()), HasSubstr(places_.file));
  EXPECT_THAT(std::string(roots.status().message()), HasSubstr(places_.folder));
}

}  // namespace
}  // namespace skerry::security
