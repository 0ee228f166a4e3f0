#include "services/twin-svc/runner/twin_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "services/lib/base/error.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/testing/fake_twin_store.h"
#include "services/twin-svc/wire/reading_wire.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;

const DeviceName kPump = *DeviceName::Parse("plant/pump-1");
const DeviceName kValve = *DeviceName::Parse("plant/valve");

Declaration Device(int64_t generation, const std::string& target) {
  return {
      "u1", generation, {{"target", {Value{.value = target, .writer = "cloud"}}}, {"level", {}}}};
}
std::shared_ptr<const Models> PumpModel() {
  return std::make_shared<const Models>(Models{
      {"target",
       {.name = "target", .type = device::ValueType::kInt, .writable = true, .maximum = "100"}},
      {"level", {.name = "level", .type = device::ValueType::kFloat}}});
}
Write Report(const std::string& property, const std::string& value) {
  return {.reported = {{property, Value{.value = value, .writer = "mapper"}}}};
}
Write Desire(const std::string& property, const std::string& value) {
  return {.desired = {{property, Value{.value = value, .writer = "panel"}}}};
}

class TwinDeskTest : public ::testing::Test {
 protected:
  TwinDeskTest() { Start({}); }

  void Start(const TwinDesk::Bounds& bounds) {
    desk_.reset();
    auto desk = TwinDesk::Create(
        store_, bounds, clock_, metrics_, [this](const std::vector<TwinEvent>& all) {
          absl::MutexLock lock(&mutex_);
          for (const TwinEvent& event : all) {
            events_.push_back(event.device.name() + (event.twin == nullptr ? " gone" : ""));
          }
        });
    ASSERT_THAT(desk, IsOk());
    desk_ = *std::move(desk);
  }
  absl::StatusOr<Written> DoWrite(const DeviceName& device, Write write, bool whole = false) {
    absl::StatusOr<Written> result;
    absl::Notification done;
    desk_->Submit(device, std::move(write), whole, [&](absl::StatusOr<Written> written) {
      result = std::move(written);
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }
  // Whatever was asked of the desk before has been done.
  void Settle() { DoWrite(kPump, {}).IgnoreError(); }
  void DeclarePump(int64_t generation = 1, const std::string& target = "20") {
    desk_->Declare(kPump, Device(generation, target), PumpModel());
    Settle();
  }
  std::vector<std::string> events() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(events_, {});
  }
  std::string Desired(const DeviceName& device, const std::string& property) {
    return (*desk_->Get(device))->properties.at(property).desired()->value;
  }

  testing::FakeClock clock_;
  metrics::Registry registry_{"twin-svc"};
  TwinMetrics metrics_{registry_};
  FakeTwinStore store_;
  absl::Mutex mutex_;
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<TwinDesk> desk_;
};

TEST_F(TwinDeskTest, WhatIsDeclaredIsThereAndStored) {
  DeclarePump();
  EXPECT_EQ(Desired(kPump, "target"), "20");
  EXPECT_EQ((*desk_->Get(kPump))->properties.count("level"), 1u);
  EXPECT_EQ(store_.Load()->twins.at(kPump), **desk_->Get(kPump));
  EXPECT_THAT(desk_->Get(kValve).status(), HasReason("DEVICE_UNKNOWN"));
}

TEST_F(TwinDeskTest, ARestartChangesNothing) {
  DeclarePump();
  ASSERT_THAT(DoWrite(kPump, Report("level", "1.5")), IsOk());
  const Twin before = **desk_->Get(kPump);
  Start({});
  EXPECT_EQ(**desk_->Get(kPump), before);
}

TEST_F(TwinDeskTest, AConflictThatWasSettledStaysSettled) {
  DeclarePump();
  ASSERT_THAT(DoWrite(kPump, Desire("target", "25")), IsOk());
  DeclarePump(2, "30");
  ASSERT_TRUE((*desk_->Get(kPump))->properties.at("target").conflict.has_value());
  ASSERT_THAT(DoWrite(kPump, {.desired = {{"target", std::nullopt}}}), IsOk());
  Start({});
  EXPECT_FALSE((*desk_->Get(kPump))->properties.at("target").conflict.has_value());
}

TEST_F(TwinDeskTest, AWriteIsAnsweredWithWhatItFoundAndMade) {
  DeclarePump();
  const absl::StatusOr<Written> written = DoWrite(kPump, Report("level", "1.5"));
  ASSERT_THAT(written, IsOk());
  EXPECT_FALSE(written->before->properties.at("level").reported.has_value());
  EXPECT_EQ(written->after->properties.at("level").reported->value, "1.5");
  EXPECT_EQ(written->after->properties.count("target"), 0u);
  EXPECT_THAT(written->changes, ElementsAre(Change{Change::Kind::kReported, "level"}));
  EXPECT_EQ(DoWrite(kPump, Report("level", "2"), true)->after->properties.count("target"), 1u);
}

TEST_F(TwinDeskTest, ValuesFollowTheModel) {
  DeclarePump();
  EXPECT_THAT(DoWrite(kPump, Report("level", "high")).status(), HasReason("VALUE_TYPE"));
  EXPECT_THAT(DoWrite(kPump, Desire("target", "101")).status(), HasReason("VALUE_RANGE"));
  EXPECT_THAT(DoWrite(kPump, Desire("level", "1")).status(), HasReason("READ_ONLY"));
  EXPECT_THAT(DoWrite(kPump, Report("bad name", "1")).status(), HasReason("PROPERTY_NAME"));
  EXPECT_THAT(DoWrite(kPump, Report("", "1")).status(), HasReason("PROPERTY_NAME"));
  EXPECT_THAT(DoWrite(kPump, Report("made_here", "anything")), IsOk());
  EXPECT_THAT(DoWrite(kValve, Report("level", "1")).status(), HasReason("DEVICE_UNKNOWN"));
}

TEST_F(TwinDeskTest, ADeviceWithoutAModelTakesWhatComes) {
  desk_->Declare(kPump, Device(1, "20"), nullptr);
  EXPECT_THAT(DoWrite(kPump, Report("level", "high")), IsOk());
}

TEST_F(TwinDeskTest, WritesThatWaitAreOneCommit) {
  DeclarePump();
  const int before = store_.saves();
  store_.SetOpen(false);
  absl::BlockingCounter done(101);
  for (int i = 0; i <= 100; ++i) {
    desk_->Submit(kPump, Report("level", std::to_string(i)), false,
                  [&](absl::StatusOr<Written> written) {
                    EXPECT_THAT(written, IsOk());
                    done.DecrementCount();
                  });
  }
  store_.SetOpen(true);
  done.Wait();
  EXPECT_LE(store_.saves() - before, 3) << "the first may have gone alone";
  EXPECT_EQ((*desk_->Get(kPump))->properties.at("level").reported->value, "100");
}

TEST_F(TwinDeskTest, WhatCouldNotBeStoredHasNotHappened) {
  DeclarePump();
  store_.Fail(absl::ResourceExhaustedError("disk full"));
  events();
  const Twin before = **desk_->Get(kPump);
  EXPECT_FALSE(DoWrite(kPump, Report("level", "1")).ok());
  EXPECT_EQ(**desk_->Get(kPump), before);
  EXPECT_THAT(events(), ElementsAre());
  store_.Fail(absl::OkStatus());
  EXPECT_THAT(DoWrite(kPump, Report("level", "1")), IsOk());
}

TEST_F(TwinDeskTest, ADeclarationIsTriedUntilItIsStored) {
  store_.Fail(absl::ResourceExhaustedError("disk full"));
  desk_->Declare(kPump, Device(1, "20"), PumpModel());
  desk_->Declare(kPump, Device(2, "21"), PumpModel());
  Settle();
  EXPECT_THAT(desk_->Get(kPump).status(), HasReason("DEVICE_UNKNOWN"));
  store_.Fail(absl::OkStatus());
  while (!desk_->Get(kPump).ok()) clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Desired(kPump, "target"), "21");
}

TEST_F(TwinDeskTest, WhatComesAgainIsNotStoredAgain) {
  DeclarePump();
  const int saves = store_.saves();
  events();
  DeclarePump();
  EXPECT_THAT(events(), ElementsAre());
  EXPECT_EQ(store_.saves(), saves);
}

TEST_F(TwinDeskTest, ADeviceThatGoesAndComesBackBeginsAboveItsVersions) {
  DeclarePump();
  ASSERT_THAT(DoWrite(kPump, Report("level", "1")), IsOk());
  const uint64_t version = (*desk_->Get(kPump))->version;
  desk_->Undeclare(kPump);
  DeclarePump();
  EXPECT_GT((*desk_->Get(kPump))->properties.at("target").desired_version, version);
  desk_->Undeclare(kPump);
  Settle();
  Start({});
  DeclarePump();
  EXPECT_GT((*desk_->Get(kPump))->properties.at("target").desired_version, version + 1);
  EXPECT_EQ(store_.Load()->twins.at(kPump), **desk_->Get(kPump));
}

TEST_F(TwinDeskTest, GoneAndBackInOneCommitIsANewTwin) {
  DeclarePump();
  ASSERT_THAT(DoWrite(kPump, Report("level", "1")), IsOk());
  store_.SetOpen(false);
  desk_->Submit(kPump, Report("level", "2"), false, [](const absl::StatusOr<Written>&) {});
  desk_->Undeclare(kPump);
  desk_->Declare(kPump, Device(1, "30"), PumpModel());
  store_.SetOpen(true);
  Settle();
  EXPECT_FALSE((*desk_->Get(kPump))->properties.at("level").reported.has_value());
  EXPECT_EQ(Desired(kPump, "target"), "30");
  EXPECT_EQ(store_.Load()->twins.at(kPump), **desk_->Get(kPump));
}

TEST_F(TwinDeskTest, KeepsOnlyWhatIsBound) {
  DeclarePump();
  desk_->Declare(kValve, Device(1, "1"), nullptr);
  Settle();
  events();
  desk_->KeepOnly({kValve});
  Settle();
  EXPECT_THAT(events(), ElementsAre("pump-1 gone"));
  EXPECT_THAT(desk_->Get(kPump).status(), HasReason("DEVICE_UNKNOWN"));
  EXPECT_EQ(store_.Load()->twins.size(), 1u);
}

TEST_F(TwinDeskTest, ListsInOrderOfName) {
  DeclarePump();
  desk_->Declare(kValve, Device(1, "1"), nullptr);
  desk_->Declare(*DeviceName::Parse("hall/lamp"), Device(1, "1"), nullptr);
  Settle();
  EXPECT_EQ(desk_->List("", std::nullopt, 10).size(), 3u);
  const auto page = desk_->List("", std::nullopt, 2);
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].first.value(), "hall/lamp");
  EXPECT_EQ(desk_->List("", page[1].first, 10).size(), 1u);
  EXPECT_EQ(desk_->List("plant", std::nullopt, 10).size(), 2u);
}

TEST_F(TwinDeskTest, RefusesWhatIsTooMuchToWait) {
  DeclarePump();
  Start({.waiting_bytes_max = 20'000});
  DeclarePump();
  store_.SetOpen(false);
  std::atomic<int> stored = 0;
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    desk_->Submit(kPump, Report("made_here", std::string(5000, 'x')), false,
                  [&](const absl::StatusOr<Written>& written) {
                    if (written.ok()) {
                      ++stored;
                    } else {
                      EXPECT_THAT(written.status(), HasReason("TWINS_BUSY"));
                      ++refused;
                    }
                  });
  }
  EXPECT_EQ(refused, 7);
  store_.SetOpen(true);
  Settle();
  EXPECT_EQ(stored, 3);
  EXPECT_THAT(DoWrite(kPump, Report("level", "1")), IsOk());
}

// However long the disk is full and however often the cloud changes its mind meanwhile.
TEST_F(TwinDeskTest, OfDeclarationsThatWaitOneRemainsOfEachDevice) {
  DeclarePump();
  store_.Fail(absl::ResourceExhaustedError("disk full"));
  for (int i = 2; i <= 500; ++i) {
    desk_->Declare(kPump, Device(i, std::to_string(i)), PumpModel());
    desk_->Declare(kValve, Device(i, std::to_string(i)), nullptr);
    if (i % 3 == 0) desk_->Undeclare(kValve);
    if (i % 50 == 0) Settle();
  }
  // An earlier generation, which the box must not go back to.
  desk_->Declare(kPump, Device(3, "3"), PumpModel());
  Settle();
  EXPECT_LE(desk_->waiting(), 2u);
  store_.Fail(absl::OkStatus());
  while (!desk_->Get(kValve).ok()) clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Desired(kPump, "target"), "500");
  EXPECT_EQ(Desired(kValve, "target"), "500");
  EXPECT_EQ(desk_->waiting(), 0u);
}

// A write that came between two declarations of its device is done between them.
TEST_F(TwinDeskTest, AWriteKeepsItsPlaceAmongDeclarations) {
  DeclarePump();
  store_.SetOpen(false);
  desk_->Submit(kPump, Report("level", "0"), false, [](const absl::StatusOr<Written>&) {});
  desk_->Declare(kPump, Device(2, "30"), PumpModel());
  desk_->Submit(kPump, Desire("target", "40"), false, [](const absl::StatusOr<Written>&) {});
  desk_->Declare(kPump, Device(3, "50"), PumpModel());
  desk_->Declare(kPump, Device(4, "60"), PumpModel());
  store_.SetOpen(true);
  Settle();
  const Property target = (*desk_->Get(kPump))->properties.at("target");
  EXPECT_EQ(target.desired()->value, "60");
  ASSERT_TRUE(target.conflict.has_value());
  EXPECT_EQ(target.conflict->local.value, "40");
}

TEST_F(TwinDeskTest, WhatIsReportedIsAReadingOnce) {
  DeclarePump();
  Write write = Report("level", "1.5");
  write.id = 1;
  ASSERT_THAT(DoWrite(kPump, write), IsOk());
  ASSERT_THAT(DoWrite(kPump, write), IsOk()) << "a redelivery";
  ASSERT_THAT(DoWrite(kPump, Desire("target", "30")), IsOk());
  store_.Fail(absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(DoWrite(kPump, Report("level", "2")).ok());
  store_.Fail(absl::OkStatus());
  const auto readings = store_.stored_readings();
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].first, "plant/pump-1");
  EXPECT_EQ(readings[0].second, ReadingsOf("u1", write)[0]);
}

TEST_F(TwinDeskTest, AReadingOutlivesItsDeviceInOneCommit) {
  DeclarePump();
  store_.SetOpen(false);
  desk_->Submit(kPump, Report("level", "1"), false, [](const absl::StatusOr<Written>&) {});
  desk_->Submit(kPump, Report("level", "2"), false, [](const absl::StatusOr<Written>&) {});
  desk_->Undeclare(kPump);
  store_.SetOpen(true);
  Settle();
  EXPECT_THAT(desk_->Get(kPump).status(), HasReason("DEVICE_UNKNOWN"));
  EXPECT_EQ(store_.stored_readings().size(), 2u);
}

TEST_F(TwinDeskTest, AStateIsStoredAndToldWhenItIsAnother) {
  DeclarePump();
  events();
  const Write online = {.state = StateReport{.state = "online", .time = clock_.Now()}};
  EXPECT_EQ(DoWrite(kPump, online)->after->state.state, "online");
  EXPECT_THAT(events(), ElementsAre("pump-1"));
  const int saves = store_.saves();
  EXPECT_EQ(DoWrite(kPump, online)->after->state.state, "online");
  EXPECT_EQ(store_.saves(), saves);
  EXPECT_THAT(events(), ElementsAre());
  Start({});
  EXPECT_EQ((*desk_->Get(kPump))->state.state, "online");
  EXPECT_FALSE(DoWrite(kPump, {.state = StateReport{.state = ""}}).ok());
}

TEST_F(TwinDeskTest, WhatMqttClientsMadeCanBeRemoved) {
  DeclarePump();
  ASSERT_THAT(DoWrite(kPump, Report("made_here", "1")), IsOk());
  const auto written = DoWrite(kPump, {.remove = {"made_here"}});
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->before->properties.count("made_here"), 1u);
  EXPECT_EQ(written->after->properties.count("made_here"), 0u);
  EXPECT_EQ(store_.Load()->twins.at(kPump), **desk_->Get(kPump));
  EXPECT_THAT(DoWrite(kPump, {.remove = {"level"}}).status(), HasReason("PROPERTY_DECLARED"));
}

TEST_F(TwinDeskTest, KnowsAfterARestartOfWhatTheHubMayNotHave) {
  DeclarePump();
  desk_->Declare(kValve, Device(1, "1"), nullptr);
  Settle();
  EXPECT_THAT(desk_->TakeUnreported(), ElementsAre()) << "their commits were told";
  desk_->NoteReported(kPump, (*desk_->Get(kPump))->revision);
  desk_->NoteReported(kValve, (*desk_->Get(kValve))->revision - 1);
  Start({});
  EXPECT_THAT(desk_->TakeUnreported(), ElementsAre(kValve));
  EXPECT_THAT(desk_->TakeUnreported(), ElementsAre());
  desk_->NoteReported(kValve, (*desk_->Get(kValve))->revision);
  Start({});
  EXPECT_THAT(desk_->TakeUnreported(), ElementsAre());
  ASSERT_THAT(DoWrite(kPump, Report("level", "1")), IsOk());
  Start({});
  EXPECT_THAT(desk_->TakeUnreported(), ElementsAre(kPump));
}

// Made anew: what was reported of the former one says nothing of it.
TEST_F(TwinDeskTest, ARevisionNeverComesAgain) {
  DeclarePump();
  const uint64_t former = (*desk_->Get(kPump))->revision;
  desk_->Undeclare(kPump);
  DeclarePump();
  EXPECT_GT((*desk_->Get(kPump))->revision, former);
  desk_->NoteReported(kPump, former);
  Start({});
  EXPECT_THAT(desk_->TakeUnreported(), ElementsAre(kPump));
}

TEST_F(TwinDeskTest, ProgressIsStoredNowAndThenAndAgainAfterAFailure) {
  DeclarePump();
  ASSERT_THAT(DoWrite(kPump, Report("level", "1")), IsOk());
  desk_->NoteReadingsSent(1);
  Settle();
  EXPECT_EQ(metrics_.readings_unsent.Value(), 1);
  store_.Fail(absl::ResourceExhaustedError("disk full"));
  clock_.Advance(absl::Seconds(10));
  Settle();
  EXPECT_EQ(metrics_.readings_unsent.Value(), 1);
  store_.Fail(absl::OkStatus());
  clock_.Advance(absl::Seconds(10));
  Settle();
  EXPECT_EQ(metrics_.readings_unsent.Value(), 0);
}

TEST_F(TwinDeskTest, ProgressOfManyTwinsIsStoredInPartsAndWhole) {
  constexpr int kMany = 2500;
  for (int i = 0; i < kMany; ++i) {
    desk_->Declare(*DeviceName::Make("plant", absl::StrCat("d-", i)), Device(1, "1"), nullptr);
  }
  Settle();
  const auto all = desk_->List("", std::nullopt, kMany);
  ASSERT_EQ(all.size(), static_cast<size_t>(kMany));
  for (const auto& [device, twin] : all) desk_->NoteReported(device, twin->revision);
  clock_.Advance(absl::Seconds(10));
  for (int i = 0; i < 4; ++i) Settle();
  EXPECT_EQ(store_.Load()->reported.size(), static_cast<size_t>(kMany));
  for (const auto& [device, twin] : all) desk_->NoteReported(device, twin->revision + 1);
  desk_.reset();
  EXPECT_EQ(store_.Load()->reported.at(all[0].first), all[0].second->revision + 1);
  EXPECT_EQ(store_.Load()->reported.at(all[kMany - 1].first), all[kMany - 1].second->revision + 1);
}

TEST_F(TwinDeskTest, WhatWaitsAtTheEndIsAnswered) {
  DeclarePump();
  store_.Fail(absl::ResourceExhaustedError("disk full"));
  desk_->Declare(kPump, Device(2, "21"), PumpModel());
  int answers = 0;
  for (int i = 0; i < 3; ++i) {
    desk_->Submit(kPump, Report("level", "1"), false, [&](const absl::StatusOr<Written>& written) {
      EXPECT_FALSE(written.ok());
      ++answers;
    });
  }
  desk_.reset();
  EXPECT_EQ(answers, 3);
}

}  // namespace
}  // namespace skerry::twin
