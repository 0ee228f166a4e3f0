// Readings and reports from the store to a hub, over real gRPC and real SQLite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/hubclient/testing/fake_edgehub.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/twin-svc/runner/reading_forwarder.h"
#include "services/twin-svc/runner/twin_reporter.h"
#include "services/twin-svc/store/sqlite_twin_store.h"

namespace skerry::twin {
namespace {

using hubclient::FakeEdgehub;
using skerry::testing::IsOk;
using ::testing::ElementsAre;

const DeviceName kPump = *DeviceName::Parse("plant/pump-1");
const DeviceName kValve = *DeviceName::Parse("plant/valve");

Write Report(const std::string& value) {
  return {.reported = {{"level", {.value = value, .writer = "mapper", .time = absl::Now()}}}};
}

// The parts as the app wires them.
class Box {
 public:
  Box(const std::string& folder, const std::string& hub, Clock& clock)
      : executor_("hub", clock),
        store_(*SqliteTwinStore::Open(folder + "/twins.db", {}, clock)),
        log_(*ReadingLog::Open(folder + "/twins.db")),
        hub_({.spoke = "twin-svc",
              .report_types = {kTwinReports},
              .event_streams = {{kReadingStream}},
              .reconnect_min = absl::Milliseconds(5),
              .reconnect_max = absl::Milliseconds(50),
              .store_retry = absl::Milliseconds(20)},
             *hubclient::MakeHubDialer(hub), executor_,
             {.on_attached =
                  [this](bool) {
                    forwarder_->Wake();
                    reporter_->Wake();
                  }},
             hub_metrics_, log::Logger::Null()) {
    const ReadingState readings = store_->readings();  // From here on the store is the desk's.
    desk_ = *TwinDesk::Create(*store_, {.progress_interval = absl::Milliseconds(1)}, clock,
                              metrics_, [this](const std::vector<TwinEvent>& events) {
                                reporter_->OnEvents(events);
                                forwarder_->Wake();
                              });
    forwarder_ = std::make_unique<ReadingForwarder>(
        ReadingForwarder::Options{
            .producer = readings.producer, .sent = readings.sent, .linger = absl::Milliseconds(1)},
        *log_, hub_, executor_, [this](uint64_t sequence) { desk_->NoteReadingsSent(sequence); },
        metrics_, log::Logger::Null());
    reporter_ = std::make_unique<TwinReporter>(
        TwinReporter::Options{.interval = absl::Milliseconds(1)}, *desk_, hub_, executor_, clock,
        metrics_, log::Logger::Null());
    reporter_->Changed(desk_->TakeUnreported());
    hub_.Start();
  }
  ~Box() {
    hub_.Stop();
    executor_.Stop();
    desk_.reset();
  }

  void Declare(const DeviceName& device, const std::string& uid = "u1") {
    desk_->Declare(device, {.uid = uid, .generation = 1, .properties = {{"level", {}}}}, nullptr);
  }
  absl::Status Do(const DeviceName& device, Write write) {
    absl::Status status;
    absl::Notification done;
    desk_->Submit(device, std::move(write), false, [&](const absl::StatusOr<Written>& written) {
      status = written.status();
      done.Notify();
    });
    done.WaitForNotification();
    return status;
  }
  TwinDesk& desk() { return *desk_; }
  // The box knows that the hub has all. False after 20 s.
  bool AwaitAllSent() {
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    while (metrics_.reports_due.Value() > 0 || metrics_.readings_unsent.Value() > 0) {
      if (absl::Now() > limit) return false;
      std::this_thread::yield();
    }
    return true;
  }

 private:
  metrics::Registry registry_{"twin-svc"};
  TwinMetrics metrics_{registry_};
  hubclient::HubClientMetrics hub_metrics_{registry_};
  exec::SerialExecutor executor_;
  std::unique_ptr<SqliteTwinStore> store_;
  std::unique_ptr<ReadingLog> log_;
  hubclient::HubClient hub_;
  std::unique_ptr<TwinDesk> desk_;
  std::unique_ptr<ReadingForwarder> forwarder_;
  std::unique_ptr<TwinReporter> reporter_;
};

class WayUpTest : public ::testing::Test {
 protected:
  void Start() { box_ = std::make_unique<Box>(folder_.path(), address_, clock_); }
  void StartHub() { hub_ = std::make_unique<FakeEdgehub>(address_); }
  // "device/uid property=value" of each reading that the hub has.
  std::vector<std::string> Readings() {
    std::vector<std::string> out;
    for (const FakeEdgehub::Event& event : hub_->events()) {
      v1::Readings readings;
      EXPECT_EQ(event.stream, "readings");
      EXPECT_TRUE(readings.ParseFromString(event.value));
      for (const v1::Reading& reading : readings.readings()) {
        out.push_back(absl::StrCat(event.key, "/", readings.uid(), " ", reading.property(), "=",
                                   reading.value()));
      }
    }
    return out;
  }
  v1::Twin Reported(const DeviceName& device) {
    v1::TwinReport report;
    EXPECT_TRUE(report.ParseFromString(hub_->reports()[{"twins", device.value()}].value));
    return report.twin();
  }
  bool AwaitLevel(const DeviceName& device, const std::string& value) {
    return hub_->Await([&] {
      const v1::Twin twin = Reported(device);
      const auto it = twin.properties().find("level");
      return it != twin.properties().end() && it->second.reported().value() == value;
    });
  }

  testing::TempDir folder_;
  const std::string address_ = "unix:" + folder_.File("edgehub.sock");
  SystemClock clock_;
  std::unique_ptr<FakeEdgehub> hub_;
  std::unique_ptr<Box> box_;
};

TEST_F(WayUpTest, WhatIsReportedGoesUpAsReadingsAndAsTwin) {
  StartHub();
  Start();
  box_->Declare(kPump);
  for (int i = 1; i <= 5; ++i) ASSERT_THAT(box_->Do(kPump, Report(absl::StrCat(i))), IsOk());
  ASSERT_TRUE(hub_->Await([&] { return Readings().size() == 5; }));
  EXPECT_THAT(Readings(), ElementsAre("plant/pump-1/u1 level=1", "plant/pump-1/u1 level=2",
                                      "plant/pump-1/u1 level=3", "plant/pump-1/u1 level=4",
                                      "plant/pump-1/u1 level=5"));
  ASSERT_TRUE(AwaitLevel(kPump, "5"));
  EXPECT_EQ(Reported(kPump).uid(), "u1");
  EXPECT_EQ((hub_->reports()[{"twins", "plant/pump-1"}].generation), 1);
}

TEST_F(WayUpTest, AStateGoesUpWithTheTwin) {
  StartHub();
  Start();
  box_->Declare(kPump);
  ASSERT_THAT(box_->Do(kPump, {.state = StateReport{.state = "online", .time = absl::Now()}}),
              IsOk());
  EXPECT_TRUE(hub_->Await([&] { return Reported(kPump).state().state() == "online"; }));
  EXPECT_TRUE(hub_->events().empty());
}

TEST_F(WayUpTest, WhatWaitedWhileTheHubWasAwayGoesInOrderAndTheTwinOnce) {
  Start();
  box_->Declare(kPump);
  for (int i = 1; i <= 3000; ++i) {
    box_->desk().Submit(
        kPump, Report(absl::StrCat(i)), false,
        [](const absl::StatusOr<Written>& written) { EXPECT_THAT(written, IsOk()); });
  }
  ASSERT_THAT(box_->Do(kPump, Report("last")), IsOk());
  StartHub();
  ASSERT_TRUE(hub_->Await([&] { return hub_->events().size() == 3001; }));
  EXPECT_EQ(Readings()[2999], "plant/pump-1/u1 level=3000");
  ASSERT_TRUE(AwaitLevel(kPump, "last"));
  EXPECT_EQ((hub_->reports()[{"twins", "plant/pump-1"}].puts), 1);
}

TEST_F(WayUpTest, ReadingsOfADeviceThatIsGoneGoUpUnderItsUid) {
  Start();
  box_->Declare(kPump);
  ASSERT_THAT(box_->Do(kPump, Report("1")), IsOk());
  box_->desk().Undeclare(kPump);
  box_->Declare(kPump, "u2");
  ASSERT_THAT(box_->Do(kPump, Report("2")), IsOk());
  box_->desk().Undeclare(kPump);
  box_->Declare(kValve);
  ASSERT_THAT(box_->Do(kValve, Report("3")), IsOk());
  StartHub();
  ASSERT_TRUE(hub_->Await([&] { return Readings().size() == 3; }));
  EXPECT_THAT(Readings(), ElementsAre("plant/pump-1/u1 level=1", "plant/pump-1/u2 level=2",
                                      "plant/valve/u1 level=3"));
  ASSERT_TRUE(AwaitLevel(kValve, "3"));
  EXPECT_EQ((hub_->reports().count({"twins", "plant/pump-1"})), 0u);
}

TEST_F(WayUpTest, ARestartReportsOnlyWhatTheHubMayNotHave) {
  StartHub();
  Start();
  box_->Declare(kPump);
  box_->Declare(kValve);
  ASSERT_THAT(box_->Do(kValve, Report("1")), IsOk());
  ASSERT_THAT(box_->Do(kPump, Report("1")), IsOk());
  ASSERT_TRUE(AwaitLevel(kPump, "1"));
  ASSERT_TRUE(AwaitLevel(kValve, "1"));
  ASSERT_TRUE(box_->AwaitAllSent());
  box_.reset();
  hub_ = nullptr;
  Start();
  ASSERT_THAT(box_->Do(kPump, Report("2")), IsOk());
  box_.reset();
  StartHub();
  Start();
  ASSERT_TRUE(AwaitLevel(kPump, "2"));
  ASSERT_TRUE(hub_->Await([&] { return Readings().size() == 1; }));
  EXPECT_THAT(Readings(), ElementsAre("plant/pump-1/u1 level=2"));
  EXPECT_EQ(hub_->reports().size(), 1u) << "the valve has not changed";
}

// What the hub has, and the box does not know of any more.
TEST_F(WayUpTest, ReadingsThatArePutAgainAfterACrashAreKnownByTheirSequence) {
  StartHub();
  Start();
  box_->Declare(kPump);
  ASSERT_THAT(box_->Do(kPump, Report("1")), IsOk());
  ASSERT_TRUE(hub_->Await([&] { return Readings().size() == 1; }));
  box_.reset();
  {
    // As if the process had been killed before it stored how far the hub was.
    constexpr const char* kAsItIs[] = {"SELECT 1", "SELECT 1"};  // Its migrations.
    auto database = *sqlite::Database::Open(
        {.path = folder_.File("twins.db"), .check_integrity = false}, kAsItIs);
    ASSERT_THAT(database->Execute("UPDATE reading_store SET sent = 0, checksum = -1"), IsOk());
  }
  Start();
  ASSERT_THAT(box_->Do(kPump, Report("2")), IsOk());
  ASSERT_TRUE(hub_->Await([&] { return Readings().size() == 2; }));
  EXPECT_EQ(hub_->repeats(), 1u);
  EXPECT_THAT(Readings(), ElementsAre("plant/pump-1/u1 level=1", "plant/pump-1/u1 level=2"));
}

TEST_F(WayUpTest, AHubThatCannotStoreGetsAllLater) {
  StartHub();
  hub_->Refuse(absl::ResourceExhaustedError("disk full"));
  Start();
  box_->Declare(kPump);
  for (int i = 1; i <= 3; ++i) ASSERT_THAT(box_->Do(kPump, Report(absl::StrCat(i))), IsOk());
  hub_->Refuse(absl::OkStatus());
  ASSERT_TRUE(hub_->Await([&] { return Readings().size() == 3; }));
  ASSERT_TRUE(AwaitLevel(kPump, "3"));
}

}  // namespace
}  // namespace skerry::twin
