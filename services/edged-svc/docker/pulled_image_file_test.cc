#include "services/edged-svc/docker/pulled_image_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "services/lib/log/logger.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

class PulledImageFileTest : public ::testing::Test {
 protected:
  skerry::testing::TempDir temp_;
  const std::string path_ = temp_.File("pulled_images");
};

// [edged-10.8]
TEST_F(PulledImageFileTest, KnowsOverARestartWhatWasPulled) {
  {
    PulledImageFile file(path_, log::Logger::Null());
    file.Add("sha256:a", "r/a:1", {});
    file.Add("sha256:b", "r/b:1", {});
    file.Retain({"sha256:a"}, file.generation());
  }
  const PulledImageFile file(path_, log::Logger::Null());
  EXPECT_TRUE(file.Owns("sha256:a", {"r/a:1"}));
  EXPECT_FALSE(file.Owns("sha256:b", {"r/b:1"}));
}

TEST_F(PulledImageFileTest, OfADamagedFileNothingIsKnown) {
  std::ofstream(path_) << "sha256:a r/a:1\n\1\2\3";
  {
    PulledImageFile file(path_, log::Logger::Null());
    EXPECT_FALSE(file.Owns("sha256:a", {"r/a:1"}));
    file.Add("sha256:b", "r/b:1", {});
  }
  EXPECT_TRUE(PulledImageFile(path_, log::Logger::Null()).Owns("sha256:b", {"r/b:1"}));
}

TEST_F(PulledImageFileTest, WithoutADiskItGoesOn) {
  std::filesystem::create_directories(path_);  // No file can take its place.
  PulledImageFile file(path_, log::Logger::Null());
  file.Add("sha256:a", "r/a:1", {});
  EXPECT_TRUE(file.Owns("sha256:a", {"r/a:1"}));
}

}  // namespace
}  // namespace skerry::edged
