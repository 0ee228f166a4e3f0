#include "services/edged-svc/core/image_gc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kNow = absl::Hours(1);

TEST(ImageGcTest, FreesFromTheHighThresholdToTheLowOne) {
  constexpr int64_t kTera = int64_t{1} << 40;
  const struct {
    DiskUsage disk;
    int64_t bytes;
  } kCases[] = {
      {{1000, 1000}, 0}, {{1000, 160}, 0},  // 84 %.
      {{1000, 159}, 41}, {{1000, 150}, 50}, {{1000, 100}, 100},
      {{1000, 0}, 200},  {{1000, 2000}, 0},  // As some file systems say it.
      {{0, 0}, 0},       {{-1, -1}, 0},     {{4'000'000 * kTera, 0}, 800'000 * kTera},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(BytesToFree(c.disk, {}), c.bytes)
        << c.disk.capacity_bytes << " " << c.disk.available_bytes;
  EXPECT_EQ(BytesToFree({1000, 300}, {.high_threshold_percent = 1, .low_threshold_percent = 0}),
            700);
}

class ImageRecordsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Removable() {
    std::vector<std::string> ids;
    for (const StoredImage& image : records_.Removable(absl::Minutes(2))) ids.push_back(image.id);
    return ids;
  }
  ImageRecords records_;
};

// [edged-6.2]
TEST_F(ImageRecordsTest, KeepsWhatIsNeeded) {
  const std::vector<StoredImage> images = {
      {.id = "idle", .names = {"r/idle:1", "r/idle@sha256:1"}},
      {.id = "used", .used = true},
      {.id = "pause", .pinned = true},
      {.id = "theirs", .foreign = true},
      {.id = "wanted", .names = {"r/w:1", "r/w:2"}},
      {.id = "wanted-by-digest", .names = {"r/d@sha256:2"}},
  };
  const std::set<std::string> wanted = {"r/w:2", "r/d@sha256:2", "r/absent:1"};
  records_.Observe(images, wanted, kNow);
  EXPECT_THAT(Removable(), IsEmpty());  // It may have come just now, to be used at once.
  records_.Observe(images, wanted, kNow + absl::Minutes(2));
  EXPECT_THAT(Removable(), ElementsAre("idle"));
  records_.Observe(images, {}, kNow + absl::Minutes(2));
  EXPECT_THAT(Removable(), ElementsAre("idle", "wanted", "wanted-by-digest"));
}

TEST_F(ImageRecordsTest, LongestWithoutUseFirst) {
  std::vector<StoredImage> images = {{.id = "a", .used = true}, {.id = "b", .used = true}};
  records_.Observe(images, {}, kNow);
  images[1].used = false;  // b is last used before a.
  images.push_back({.id = "d"});
  records_.Observe(images, {}, kNow + absl::Minutes(5));
  images[0].used = false;
  images.push_back({.id = "c"});
  records_.Observe(images, {}, kNow + absl::Minutes(10));
  EXPECT_THAT(Removable(), ElementsAre("d", "b", "a"));  // Never used, and seen before c.
  records_.Observe(images, {}, kNow + absl::Minutes(15));
  EXPECT_THAT(Removable(), ElementsAre("d", "c", "b", "a"));
}

TEST_F(ImageRecordsTest, AnImageThatComesBackIsNew) {
  records_.Observe({{.id = "a"}}, {}, kNow);
  records_.Observe({}, {}, kNow + absl::Minutes(5));
  records_.Observe({{.id = "a"}}, {}, kNow + absl::Minutes(10));
  EXPECT_THAT(Removable(), IsEmpty());
}

}  // namespace
}  // namespace skerry::edged
