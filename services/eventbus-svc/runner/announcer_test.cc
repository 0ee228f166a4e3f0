// What topics_test does not reach: the disk, the cache, and what was told before.
#include "services/eventbus-svc/runner/announcer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/testing/journal_fixture.h"

namespace skerry::eventbus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const DeviceName kPump = *DeviceName::Make("plant", "pump-1");

class AnnouncerTest : public JournalFixture {
 protected:
  void Make(std::map<DeviceName, SeenTwin> seen, size_t cache_bytes_max = 1 << 20) {
    announcer_ = std::make_unique<Announcer>(
        Announcer::Options{.node = *NodeName::Parse("edge-1"), .cache_bytes_max = cache_bytes_max},
        std::move(seen), *journal_, executor_, heads_,
        [this](const DeviceName& device) { refetched_.push_back(device); }, metrics_,
        log::Logger::Null());
  }
  static twin::v1::Twin Twin(uint64_t version, const std::string& speed,
                             const std::string& uid = "u1") {
    twin::v1::Twin twin;
    twin.set_name("namespaces/plant/devices/pump-1/twin");
    twin.set_uid(uid);
    twin.set_version(version);
    (*twin.mutable_properties())["speed"].mutable_desired()->set_value(speed);
    return twin;
  }
  void OnTwin(const twin::v1::Twin& twin) {
    executor_.Run([&] { announcer_->OnTwin(kPump, twin); });
    Settle();
  }
  // The last levels of the topics that wait.
  std::vector<std::string> Topics() {
    std::vector<std::string> topics;
    absl::Notification read;
    journal_->ReadPublications(0, 1000, 64 << 20, [&](auto page) {
      for (const WaitingPublication& each : *page) {
        const std::string& topic = each.publication.topic;
        topics.push_back(topic.substr(topic.rfind('/') + 1));
      }
      read.Notify();
    });
    read.WaitForNotification();
    return topics;
  }

  Heads heads_{clock_, [] { return std::string("id"); }};
  std::vector<DeviceName> refetched_;
  std::unique_ptr<Announcer> announcer_;
};

TEST_F(AnnouncerTest, OfWhatWasToldBeforeOnlyChangesAreTold) {
  Make({{kPump, {"u1", 7}}});
  OnTwin(Twin(7, "5"));
  EXPECT_THAT(Topics(), IsEmpty());
  OnTwin(Twin(6, "4"));  // Late.
  EXPECT_THAT(Topics(), IsEmpty());
  OnTwin(Twin(8, "6"));
  EXPECT_THAT(Topics(), ElementsAre("document", "delta"));
}

TEST_F(AnnouncerTest, AChangeThatNobodySawHasNoDocument) {
  Make({{kPump, {"u1", 7}}});
  OnTwin(Twin(9, "5"));
  EXPECT_THAT(Topics(), ElementsAre("delta"));
  EXPECT_EQ(metrics_.documents_skipped.Value(), 1);
}

TEST_F(AnnouncerTest, ADeviceThatWasMadeAnewGoesAndComes) {
  Make({{kPump, {"u1", 7}}});
  OnTwin(Twin(8, "5", "u2"));
  EXPECT_THAT(Topics(), ElementsAre("updated", "updated", "delta"));
  EXPECT_THAT(Waiting()[0], HasSubstr("\"added_devices\":null"));
}

TEST_F(AnnouncerTest, WithoutRoomInTheCacheThereAreDeltasOnly) {
  Make({{kPump, {"u1", 7}}}, 10);
  OnTwin(Twin(7, "5"));
  OnTwin(Twin(8, "6"));
  EXPECT_THAT(Topics(), ElementsAre("delta"));
  EXPECT_EQ(metrics_.documents_skipped.Value(), 1);
  EXPECT_EQ(metrics_.twins_cached_bytes.Value(), 0);
}

TEST_F(AnnouncerTest, WhatTheDiskDidNotTakeIsToldLater) {
  Make({{kPump, {"u1", 7}}});
  OnTwin(Twin(7, "5"));
  disk_.FailIn(0, 1000000);
  OnTwin(Twin(8, "6"));
  EXPECT_TRUE(refetched_.empty());
  disk_.FailIn(0, 0);
  EXPECT_THAT(Topics(), IsEmpty());
  clock_.Advance(absl::Seconds(5));
  Settle();
  ASSERT_THAT(refetched_, ElementsAre(kPump));
  OnTwin(Twin(8, "6"));
  EXPECT_THAT(Topics(), ElementsAre("delta"));
  EXPECT_EQ(store_->ReadSeen()->at(kPump).version, 8u);
}

TEST_F(AnnouncerTest, WhatIsNotNamedIsGone) {
  Make({{kPump, {"u1", 7}}, {*DeviceName::Make("plant", "old"), {"u9", 1}}});
  executor_.Run([&] { announcer_->OnConnected(true); });
  OnTwin(Twin(7, "5"));
  executor_.Run([&] { announcer_->OnSynced(); });
  Settle();
  EXPECT_THAT(Topics(), ElementsAre("updated"));
  EXPECT_THAT(Waiting()[0], HasSubstr("plant/old"));
  EXPECT_TRUE(announcer_->synced());
  executor_.Run([&] { announcer_->OnTwinDeleted(*DeviceName::Make("plant", "never")); });
  Settle();
  EXPECT_THAT(Topics(), ElementsAre("updated"));
}

}  // namespace
}  // namespace skerry::eventbus
