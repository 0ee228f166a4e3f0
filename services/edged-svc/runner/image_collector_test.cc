#include "services/edged-svc/runner/image_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "services/edged-svc/testing/fake_events.h"
#include "services/edged-svc/testing/fake_runtime.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A disk of 1,000 bytes, 900 of them used.
class ImageCollectorTest : public ::testing::Test {
 protected:
  ImageCollectorTest() {
    runtime_.image_folder = "/images";
    runtime_.images = std::vector<StoredImage>{{.id = "pause", .size_bytes = 1, .pinned = true},
                                               {.id = "used", .size_bytes = 500, .used = true},
                                               {.id = "a", .size_bytes = 60},
                                               {.id = "b", .size_bytes = 60},
                                               {.id = "c", .size_bytes = 60}};
    runtime_.remove_image = [this](absl::string_view id) {
      asked_.emplace_back(id);
      return id == "a" ? a_ : absl::OkStatus();
    };
  }
  // A first look, and one after the least age.
  void RunTwice() {
    collector_.Run();
    clock_.Advance(absl::Minutes(5));
    collector_.Run();
  }
  bool Counted(const char* series) { return absl::StrContains(registry_.Render(), series); }

  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"edged-svc"};
  EdgedMetrics metrics_{registry_};
  FakeRuntime runtime_;
  DiskUsage disk_{1000, 100};
  std::optional<std::set<std::string>> wanted_{std::in_place};
  absl::Status a_;
  std::vector<std::string> asked_;
  FakeEvents events_;
  ImageCollector collector_{runtime_,
                            clock_,
                            {},
                            {[this](const std::string& folder) {
                               EXPECT_EQ(folder, "/images");
                               return disk_;
                             },
                             [this] { return wanted_; }},
                            "edge-1",
                            events_,
                            metrics_,
                            log::Logger::Null()};
};

// [edged-6.2]
TEST_F(ImageCollectorTest, RemovesAsMuchAsIsNeeded) {
  EXPECT_EQ(collector_.folder(), "");
  collector_.Run();
  EXPECT_THAT(asked_, IsEmpty());  // They have just been seen for the first time.
  EXPECT_EQ(collector_.folder(), "/images");
  clock_.Advance(absl::Minutes(5));
  collector_.Run();
  EXPECT_THAT(asked_, ElementsAre("a", "b"));
  EXPECT_TRUE(Counted(R"(skerry_edged_images_removed_total{result="ok"} 2)"));
  EXPECT_TRUE(Counted("skerry_edged_images_removed_bytes_total 120"));
  EXPECT_TRUE(Counted("skerry_edged_image_disk_capacity_bytes 1000"));
  EXPECT_TRUE(Counted("skerry_edged_image_disk_available_bytes 100"));
}

TEST_F(ImageCollectorTest, GoesOnAfterOneThatCannotBeRemoved) {
  a_ = absl::InternalError("busy");
  RunTwice();
  EXPECT_THAT(asked_, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(Counted(R"(skerry_edged_images_removed_total{result="error"} 1)"));
}

// [edged-10.8]
TEST_F(ImageCollectorTest, SaysThatWhatIsTheirsStays) {
  runtime_.images->at(2).foreign = runtime_.images->at(3).foreign = true;
  RunTwice();
  EXPECT_THAT(asked_, ElementsAre("c"));
  EXPECT_THAT(events_.Take(),
              ::testing::Contains(::testing::AllOf(
                  ::testing::HasSubstr("wanted to free 100 bytes, but images without use had only "
                                       "60"),
                  ::testing::HasSubstr("those that edged-svc has not pulled itself stay"))));
}

TEST_F(ImageCollectorTest, BelowTheThresholdEverythingStays) {
  disk_.available_bytes = 200;
  RunTwice();
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ImageCollectorTest, BeforeThePodsAreKnownEverythingStays) {
  wanted_.reset();
  RunTwice();
  EXPECT_THAT(asked_, IsEmpty());
  wanted_.emplace().insert("r/a:1");
  runtime_.images->at(2).names = {"r/a:1"};
  collector_.Run();
  EXPECT_THAT(asked_, ElementsAre("b", "c"));
}

TEST_F(ImageCollectorTest, WhereTheSandboxImageIsUnknownEverythingStays) {
  runtime_.images->front().pinned = false;
  RunTwice();
  EXPECT_THAT(asked_, IsEmpty());
}

}  // namespace
}  // namespace skerry::edged
