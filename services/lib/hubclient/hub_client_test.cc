// A spoke's client against a hub that stores in memory, over real gRPC.
#include "services/lib/hubclient/hub_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/hubclient/testing/fake_edgehub.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::hubclient {
namespace {

namespace hub = skerry::edgehub::v1;
using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// How something ended, told once.
template <typename T>
class Ended {
 public:
  auto Done() {
    return [this](T end) {
      end_ = std::move(end);
      done_.Notify();
    };
  }
  const T& Await() {
    EXPECT_TRUE(done_.WaitForNotificationWithTimeout(absl::Seconds(20)));
    return end_;
  }
  bool over() const { return done_.HasBeenNotified(); }

 private:
  T end_;
  absl::Notification done_;
};

EventBatch Batch(uint64_t first, int count, const std::string& producer = "p") {
  EventBatch batch{"readings", producer, {}};
  for (int i = 0; i < count; ++i) {
    const uint64_t number = first + static_cast<uint64_t>(i);
    batch.events.push_back({number, absl::FromUnixSeconds(1), "d/k", absl::StrCat("v", number)});
  }
  return batch;
}

class HubClientTest : public ::testing::Test {
 protected:
  HubClientTest() { Make({}); }
  ~HubClientTest() override {
    client_.reset();
    executor_.Stop();
  }

  void Make(HubClient::Options options) {
    client_.reset();
    options.spoke = "twin-svc";
    options.report_types = {"twins"};
    options.event_streams = {{"readings"}};
    options.command_types = {"devicemethods"};
    options.reconnect_min = absl::Milliseconds(5);
    options.reconnect_max = absl::Milliseconds(50);
    options.store_retry = absl::Milliseconds(20);
    client_ = std::make_unique<HubClient>(
        options, *MakeHubDialer(address_), executor_,
        HubEvents{.on_attached =
                      [this](bool attached) {
                        absl::MutexLock lock(&mutex_);
                        told_.push_back(attached ? "attached" : "lost");
                      },
                  .on_link_state =
                      [this](bool connected, const std::string& reason) {
                        absl::MutexLock lock(&mutex_);
                        told_.push_back(connected ? "up" : "down: " + reason);
                      },
                  .on_command =
                      [this](Command command, CommandDone done) {
                        absl::MutexLock lock(&mutex_);
                        commands_.emplace_back(std::move(command), std::move(done));
                      }},
        metrics_, log::Logger::Null());
    client_->Start();
  }
  void Report(const std::string& key, const std::string& value, Ended<absl::Status>& ended) {
    client_->PutReport("twins", key, 3, value, ended.Done());
  }
  std::vector<std::string> told() {
    absl::MutexLock lock(&mutex_);
    return told_;
  }
  std::pair<Command, CommandDone> TakeCommand() {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return !commands_.empty(); };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
    auto command = std::move(commands_.front());
    commands_.erase(commands_.begin());
    return command;
  }

  testing::TempDir folder_;
  const std::string address_ = "unix:" + folder_.File("edgehub.sock");
  SystemClock clock_;
  metrics::Registry registry_{"test"};
  HubClientMetrics metrics_{registry_};
  absl::Mutex mutex_;
  std::vector<std::string> told_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<Command, CommandDone>> commands_ ABSL_GUARDED_BY(mutex_);
  exec::SerialExecutor executor_{"test", clock_};
  std::unique_ptr<HubClient> client_;
};

TEST_F(HubClientTest, RegistersAndTellsWhatItHears) {
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  const hub::Register registration = edgehub.registration();
  EXPECT_EQ(registration.spoke(), "twin-svc");
  EXPECT_EQ(registration.report_types(0), "twins");
  EXPECT_EQ(registration.event_streams(0).name(), "readings");
  EXPECT_EQ(registration.event_streams(0).priority(), hub::EventStream::PRIORITY_TELEMETRY);
  EXPECT_EQ(registration.event_streams(0).when_full(), hub::EventStream::WHEN_FULL_DROP_OLDEST);
  EXPECT_EQ(registration.command_types(0), "devicemethods");
  edgehub.SendLinkState(false, "no route");
  edgehub.SendLinkState(true, "");
  Ended<absl::Status> ended;
  Report("d/a", "1", ended);
  ASSERT_THAT(ended.Await(), IsOk());
  EXPECT_THAT(told(), ElementsAre("attached", "down: no route", "up"));
}

TEST_F(HubClientTest, WhatWasHandedInBeforeThereWasAHubGoesWhenThereIsOne) {
  Ended<absl::Status> older, newer;
  Report("d/a", "1", older);
  Report("d/a", "2", newer);
  Ended<EventsPut> put;
  client_->PutEvents(Batch(1, 3), put.Done());
  EXPECT_THAT(older.Await(), HasReason("REPORT_REPLACED"));
  FakeEdgehub edgehub(address_);
  EXPECT_THAT(newer.Await(), IsOk());
  EXPECT_THAT(put.Await().status, IsOk());
  EXPECT_EQ(put.Await().stored, 3u);
  const auto reports = edgehub.reports();
  EXPECT_EQ(reports.at({"twins", "d/a"}).value, "2");
  EXPECT_EQ(reports.at({"twins", "d/a"}).generation, 3);
  EXPECT_EQ(reports.at({"twins", "d/a"}).puts, 1);
  ASSERT_THAT(edgehub.events(), SizeIs(3));
  EXPECT_EQ(edgehub.events()[2].value, "v3");
  EXPECT_EQ(client_->waiting_bytes(), 0u);
}

TEST_F(HubClientTest, WhatWasNotAnsweredGoesAgainOverTheNextStream) {
  FakeEdgehub edgehub(address_, false);
  Ended<absl::Status> report;
  Report("d/a", "1", report);
  Ended<EventsPut> put;
  EXPECT_EQ(edgehub.Next().put_report().report().value(), "1");
  client_->PutEvents(Batch(1, 2), put.Done());
  EXPECT_EQ(edgehub.Next().put_events().events_size(), 2);
  edgehub.Cut();
  hub::SpokeFrame events = edgehub.Next();
  EXPECT_EQ(events.put_events().events(0).producer_sequence(), 1u);
  edgehub.AnswerEvents(events, 2, absl::OkStatus());
  hub::SpokeFrame again = edgehub.Next();
  EXPECT_EQ(again.put_report().report().value(), "1");
  edgehub.AnswerReport(again, absl::OkStatus());
  EXPECT_THAT(report.Await(), IsOk());
  EXPECT_THAT(put.Await().status, IsOk());
}

TEST_F(HubClientTest, WhatTheHubCannotStoreNowGoesAgainAfterAPause) {
  FakeEdgehub edgehub(address_, false);
  Ended<EventsPut> put;
  client_->PutEvents(Batch(1, 3), put.Done());
  edgehub.AnswerEvents(edgehub.Next(), 1, absl::ResourceExhaustedError("full"));
  hub::SpokeFrame rest = edgehub.Next();
  ASSERT_EQ(rest.put_events().events_size(), 2);
  EXPECT_EQ(rest.put_events().events(0).producer_sequence(), 2u);
  Ended<absl::Status> report;
  Report("d/a", "1", report);
  hub::SpokeFrame refused = edgehub.Next();
  edgehub.AnswerReport(refused, absl::ResourceExhaustedError("full"));
  edgehub.AnswerEvents(rest, 2, absl::OkStatus());
  edgehub.AnswerReport(edgehub.Next(), absl::OkStatus());
  EXPECT_THAT(report.Await(), IsOk());
  EXPECT_EQ(put.Await().stored, 3u);
  EXPECT_EQ(metrics_.retries.Value(), 2);
}

TEST_F(HubClientTest, WhatIsRefusedForGoodEnds) {
  FakeEdgehub edgehub(address_, false);
  Ended<EventsPut> put;
  client_->PutEvents(Batch(1, 3), put.Done());
  edgehub.AnswerEvents(edgehub.Next(), 1, absl::InvalidArgumentError("no"));
  EXPECT_EQ(put.Await().stored, 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(put.Await().status));
  Ended<absl::Status> report;
  Report("d/a", "1", report);
  edgehub.AnswerReport(edgehub.Next(), absl::InvalidArgumentError("no"));
  EXPECT_TRUE(absl::IsInvalidArgument(report.Await()));
}

// A hub whose disk was full when it was registered has no such stream: nothing may be lost by that.
TEST_F(HubClientTest, AStreamThatTheHubDoesNotHaveIsRegisteredAgain) {
  FakeEdgehub edgehub(address_, false);
  Ended<EventsPut> put;
  client_->PutEvents(Batch(1, 1), put.Done());
  edgehub.AnswerEvents(
      edgehub.Next(), 0,
      InvalidField("stream", "readings", "register it").Reason("STREAM_UNREGISTERED"));
  edgehub.AnswerEvents(edgehub.Next(), 1, absl::OkStatus());
  EXPECT_EQ(put.Await().stored, 1u);
  EXPECT_EQ(edgehub.registrations(), 2);
}

TEST_F(HubClientTest, OneBatchOfAProducerAtATime) {
  FakeEdgehub edgehub(address_, false);
  Ended<EventsPut> first, second, other;
  client_->PutEvents(Batch(1, 1), first.Done());
  client_->PutEvents(Batch(2, 1), second.Done());
  client_->PutEvents(Batch(1, 1, "q"), other.Done());
  EXPECT_THAT(second.Await().status, HasReason("PUT_OUTSTANDING"));
  edgehub.AnswerEvents(edgehub.Next(), 1, absl::OkStatus());
  edgehub.AnswerEvents(edgehub.Next(), 1, absl::OkStatus());
  EXPECT_THAT(first.Await().status, IsOk());
  EXPECT_THAT(other.Await().status, IsOk());
}

TEST_F(HubClientTest, BadBatchesAreRefusedHere) {
  const auto refused = [&](EventBatch batch) {
    Ended<EventsPut> put;
    client_->PutEvents(std::move(batch), put.Done());
    EXPECT_TRUE(absl::IsInvalidArgument(put.Await().status)) << put.Await().status;
  };
  refused(Batch(1, 0));
  refused(Batch(1, 1025));
  refused(Batch(0, 1));
  refused(Batch(1ull << 63, 1));
  EventBatch batch = Batch(1, 2);
  batch.events[1].producer_sequence = 1;
  refused(batch);
  batch = Batch(1, 1);
  batch.events[0].value = std::string((256 << 10) + 1, 'x');
  refused(batch);
  batch.events[0] = {1, absl::UnixEpoch(), std::string(321, 'k'), "v"};
  refused(batch);
  batch = Batch(1, 6);
  for (Event& event : batch.events) event.value = std::string(256 << 10, 'x');
  refused(batch);
}

TEST_F(HubClientTest, WhatWaitsIsBounded) {
  Make({.waiting_bytes_max = 3000});
  std::vector<Ended<absl::Status>> ended(5);
  int refused = 0;
  for (int i = 0; i < 5; ++i) {
    Report(absl::StrCat("d/", i), std::string(700, 'x'), ended[static_cast<size_t>(i)]);
    if (ended[static_cast<size_t>(i)].over()) {
      EXPECT_THAT(ended[static_cast<size_t>(i)].Await(), HasReason("HUB_BUSY"));
      ++refused;
    }
  }
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(metrics_.busy.Value(), 2);
  FakeEdgehub edgehub(address_);
  for (size_t i = 0; i < 3; ++i) EXPECT_THAT(ended[i].Await(), IsOk());
  Ended<absl::Status> later;
  Report("d/a", "1", later);
  EXPECT_THAT(later.Await(), IsOk());
}

TEST_F(HubClientTest, CommandsAreExecutedSideBySideAndAnsweredOnce) {
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  edgehub.SendCommand("k1", "devicemethods", "open", absl::Seconds(7));
  edgehub.SendCommand("k2", "devicemethods", "shut");
  auto first = TakeCommand();
  auto second = TakeCommand();
  EXPECT_EQ(first.first.payload, "open");
  EXPECT_EQ(first.first.deadline, absl::Seconds(7));
  second.second(absl::OkStatus(), "shut it");
  EXPECT_EQ(edgehub.AwaitCommand("k2").response(), "shut it");
  first.second(absl::NotFoundError("no such door"), "");
  EXPECT_EQ(edgehub.AwaitCommand("k1").status().message(), "no such door");
}

TEST_F(HubClientTest, ACommandThatIsDroppedIsAnswered) {
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  edgehub.SendCommand("k1", "devicemethods", "open");
  TakeCommand();
  EXPECT_EQ(edgehub.AwaitCommand("k1").status().code(),
            static_cast<int>(absl::StatusCode::kInternal));
}

TEST_F(HubClientTest, AResponseThatIsTooLargeIsSaidSo) {
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  edgehub.SendCommand("k1", "devicemethods", "open");
  TakeCommand().second(absl::OkStatus(), std::string((256 << 10) + 1, 'x'));
  const hub::CommandDone done = edgehub.AwaitCommand("k1");
  EXPECT_EQ(done.status().code(), static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(done.response().empty());
}

TEST_F(HubClientTest, CommandsUnderWayAreBounded) {
  Make({.commands_max = 1});
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  edgehub.SendCommand("k1", "devicemethods", "open");
  edgehub.SendCommand("k2", "devicemethods", "open");
  EXPECT_EQ(edgehub.AwaitCommand("k2").status().code(),
            static_cast<int>(absl::StatusCode::kResourceExhausted));
  TakeCommand().second(absl::OkStatus(), "");
  EXPECT_EQ(edgehub.AwaitCommand("k1").status().code(), 0);
  edgehub.SendCommand("k3", "devicemethods", "open");
  TakeCommand().second(absl::OkStatus(), "");
  EXPECT_EQ(edgehub.AwaitCommand("k3").status().code(), 0);
}

// The hub has told its sender that nobody knows; the same key by another stream is another
// execution.
TEST_F(HubClientTest, AnAnswerOfAnEarlierStreamIsNotGiven) {
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  edgehub.SendCommand("k1", "devicemethods", "open");
  auto first = TakeCommand();
  edgehub.Cut();
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 2; }));
  edgehub.SendCommand("k1", "devicemethods", "open");
  auto second = TakeCommand();
  first.second(absl::OkStatus(), "the first");
  second.second(absl::OkStatus(), "the second");
  EXPECT_EQ(edgehub.AwaitCommand("k1").response(), "the second");
  EXPECT_EQ(metrics_.commands_late.Value(), 1);
}

// A mapper may answer when all is over.
TEST_F(HubClientTest, ACommandMayEndAfterTheClientAndItsExecutor) {
  FakeEdgehub edgehub(address_);
  ASSERT_TRUE(edgehub.Await([&] { return edgehub.registrations() == 1; }));
  edgehub.SendCommand("k1", "devicemethods", "open");
  auto command = TakeCommand();
  client_.reset();
  executor_.Stop();
  command.second(absl::OkStatus(), "opened");
}

TEST_F(HubClientTest, WhatWaitsEndsWhenItStops) {
  Ended<absl::Status> report, later;
  Ended<EventsPut> put;
  Report("d/a", "1", report);
  client_->PutEvents(Batch(1, 1), put.Done());
  client_->Stop();
  Report("d/b", "1", later);
  EXPECT_THAT(report.Await(), HasReason("STOPPING"));
  EXPECT_THAT(put.Await().status, HasReason("STOPPING"));
  EXPECT_THAT(later.Await(), HasReason("STOPPING"));
  EXPECT_EQ(client_->waiting_bytes(), 0u);
}

}  // namespace
}  // namespace skerry::hubclient
