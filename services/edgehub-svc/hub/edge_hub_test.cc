#include "services/edgehub-svc/hub/edge_hub.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "services/edgehub-svc/store/sqlite_command_store.h"
#include "services/edgehub-svc/store/sqlite_event_store.h"
#include "services/edgehub-svc/store/sqlite_journal.h"
#include "services/edgehub-svc/testing/fakes.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

using testing::FakeDialer;
using testing::FakeSpoke;
using testing::FakeTunnelUser;

class EdgeHubTest : public ::testing::Test {
 protected:
  EdgeHubTest() : registry_("edgehub-svc"), metrics_(registry_) { Restart(); }
  ~EdgeHubTest() override { hub_ = nullptr; }

  void Restart() {
    hub_ = nullptr;
    journal_ = nullptr;
    journal_ = *SqliteJournal::Open(folder_.File("edgehub.db"), {.size_bytes_max = 3000},
                                    "journal-1", clock_);
    events_ = nullptr;
    events_ = *SqliteEventStore::Open(folder_.File("events.db"), {.stream_bytes_max = 3000},
                                      "events-1", clock_);
    commands_ = nullptr;
    commands_ = *SqliteCommandStore::Open(folder_.File("commands.db"), {}, clock_);
    EdgeHub::Config config;
    config.session.hello.protocol_version = 1;
    config.session.hello.journal_id = journal_->id();
    config.session.hello.stored_epoch = journal_->stored_epoch();
    config.session.compression = true;
    hub_ = std::make_unique<EdgeHub>(config, *journal_, *events_, *commands_, dialer_, clock_,
                                     metrics_, log::Logger::Null());
    hub_->Start();
    Settle();
  }

  // Everything that was posted, and what that posted, has run.
  void Settle() {
    for (int i = 0; i < 4; ++i) hub_->TakeSnapshot();
  }

  void Connect(uint64_t epoch) {
    dialer_.last()->events.on_frame(link::Welcome{epoch, absl::Seconds(10), "hub-1", clock_.Now()},
                                    10);
    Settle();
  }

  void Put(link::SpokeId spoke, uint64_t request_id, const std::string& key,
           const std::string& value, const std::string& type = "pods") {
    link::Report report;
    report.type = type;
    report.key = key;
    report.time = {static_cast<int64_t>(request_id), 0};
    report.value = value;
    hub_->PutReport(spoke, request_id, std::move(report), [] {});
  }

  link::SpokeId AttachStreams(const std::shared_ptr<FakeSpoke>& spoke) {
    return hub_->Attach(
        "twin-svc", {}, {}, spoke,
        {{"alarms", link::EventPriority::kAlarm, WhenFull::kRefuse}, {"telemetry"}});
  }
  void PutEvents(
      link::SpokeId spoke, uint64_t request_id, const std::string& stream,
      const std::vector<std::string>& values, absl::AnyInvocable<void()> after = [] {}) {
    std::vector<NewEvent> events;
    for (const std::string& value : values)
      events.push_back({stream, "twin-1", ++produced_, clock_.Now(), "device-1", value});
    hub_->PutEvents(spoke, request_id, std::move(events), std::move(after));
  }
  // "telemetry: a b", one for each frame.
  std::vector<std::string> SentEvents() {
    std::vector<std::string> found;
    for (const link::EdgeFrame& frame : dialer_.last()->TakeSent()) {
      const auto* batch = std::get_if<link::EventBatch>(&frame);
      if (batch == nullptr) continue;
      found.push_back(batch->stream + ":");
      for (const link::StreamEvent& event : batch->events)
        absl::StrAppend(&found.back(), " ", event.value);
    }
    return found;
  }

  template <typename T>
  static std::vector<T> Only(const std::vector<SpokeMessage>& messages) {
    std::vector<T> found;
    for (const SpokeMessage& message : messages) {
      if (const T* t = std::get_if<T>(&message)) found.push_back(*t);
    }
    return found;
  }
  std::vector<link::Report> SentReports() {
    std::vector<link::Report> found;
    for (const link::EdgeFrame& frame : dialer_.last()->TakeSent()) {
      if (const auto* report = std::get_if<link::Report>(&frame)) found.push_back(*report);
    }
    return found;
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_;
  EdgeHubMetrics metrics_;
  FakeDialer dialer_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteEventStore> events_;
  std::unique_ptr<SqliteCommandStore> commands_;
  uint64_t produced_ = 0;
  std::unique_ptr<EdgeHub> hub_;
};

TEST_F(EdgeHubTest, ReportsAreAnsweredWhenDurableAndGoOutWhenThereIsALink) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-meta-svc", {}, {"pods"}, spoke);
  Put(id, 1, "default/a", "one");
  Put(id, 2, "default/b", "two");
  Settle();
  std::vector<ReportStored> stored = Only<ReportStored>(spoke->Take());
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].request_id, 1u);
  EXPECT_TRUE(stored[0].status.ok());

  Restart();  // As after a crash: only the journal is left.
  Connect(1);
  std::vector<link::Report> sent = SentReports();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].value, "two");

  clock_.Advance(absl::Seconds(3));
  dialer_.last()->events.on_frame(link::ReportAck{"pods", sent[1].sequence, {}}, 10);
  Settle();
  EXPECT_EQ(hub_->TakeSnapshot().journal.entries, 0);
  EXPECT_NE(registry_.Render().find("skerry_edgehub_report_round_trip_seconds_sum 3\n"),
            std::string::npos);
}

// link-5.9
TEST_F(EdgeHubTest, WhatTheCloudRefusesForGoodLeavesTheJournalAndIsCounted) {
  const link::SpokeId id =
      hub_->Attach("edge-meta-svc", {}, {"pods"}, std::make_shared<FakeSpoke>());
  Connect(1);
  Put(id, 1, "default/a", "one");
  Settle();
  const std::vector<link::Report> sent = SentReports();
  ASSERT_EQ(sent.size(), 1u);
  dialer_.last()->events.on_frame(
      link::ReportAck{
          "pods", sent[0].sequence, {{sent[0].sequence, absl::InvalidArgumentError("no pod")}}},
      10);
  Settle();
  EXPECT_EQ(hub_->TakeSnapshot().journal.entries, 0);
  EXPECT_NE(registry_.Render().find("skerry_edgehub_journal_drops_total{reason=\"rejected\"} 1\n"),
            std::string::npos);
}

// link-13.1
TEST_F(EdgeHubTest, CompressionIsCounted) {
  const link::SpokeId id =
      hub_->Attach("edge-meta-svc", {}, {"pods"}, std::make_shared<FakeSpoke>());
  dialer_.last()->events.on_frame(
      link::Welcome{1, absl::Seconds(10), "hub-1", clock_.Now(), /*accepts_deflate=*/true}, 10);
  Settle();
  dialer_.last()->TakeSent();
  Put(id, 1, "default/a", std::string(2500, 'a'));
  Settle();
  const std::vector<link::EdgeFrame> sent = dialer_.last()->TakeSent();
  ASSERT_EQ(sent.size(), 1u);
  const auto* compressed = std::get_if<link::Compressed>(&sent[0]);
  ASSERT_NE(compressed, nullptr);
  const std::string name = "skerry_edgehub_link_compressed_bytes_total{direction=\"up\",form=";
  EXPECT_NE(registry_.Render().find(absl::StrCat(name, "\"plain\"} ", compressed->size, "\n")),
            std::string::npos);
  EXPECT_NE(registry_.Render().find(
                absl::StrCat(name, "\"compressed\"} ", compressed->bytes.size(), "\n")),
            std::string::npos);
}

TEST_F(EdgeHubTest, AReportThatCannotBeStoredIsRefusedWithItsReason) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-meta-svc", {}, {"pods"}, spoke);
  Put(id, 1, "default/a", std::string(2500, 'a'));
  Put(id, 2, "default/b", std::string(2500, 'b'));
  Put(id, 3, "edge-1", "n", "nodes");
  Settle();
  std::vector<ReportStored> stored = Only<ReportStored>(spoke->Take());
  ASSERT_EQ(stored.size(), 3u);
  for (const ReportStored& answer : stored) {
    if (answer.request_id == 1) {
      EXPECT_TRUE(answer.status.ok());
    }
    if (answer.request_id == 2) {
      EXPECT_EQ(GetErrorInfo(answer.status).reason, "JOURNAL_FULL");
    }
    if (answer.request_id == 3) {
      EXPECT_EQ(answer.status.code(), absl::StatusCode::kInvalidArgument);
    }
  }
  EXPECT_NE(registry_.Render().find("skerry_edgehub_journal_drops_total{reason=\"full\"} 1"),
            std::string::npos);
}

TEST_F(EdgeHubTest, EventsAreAnsweredWhenDurableAndGoOutAlarmsFirst) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachStreams(spoke);
  PutEvents(id, 1, "telemetry", {"t1", "t2"});
  PutEvents(id, 2, "alarms", {"a1"});
  Settle();
  std::vector<EventsStored> stored = Only<EventsStored>(spoke->Take());
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].stored, 2u);
  EXPECT_TRUE(stored[0].status.ok()) << stored[0].status;

  Restart();  // As after a crash: no spoke is there, only the store.
  Connect(1);
  Settle();
  EXPECT_EQ(SentEvents(), (std::vector<std::string>{"alarms: a1", "telemetry: t1 t2"}));

  dialer_.last()->events.on_frame(link::EventAck{"telemetry", 2, {}}, 10);
  dialer_.last()->events.on_frame(link::EventAck{"alarms", 1, {}}, 10);
  Settle();
  for (const auto& [stream, stats] : hub_->TakeSnapshot().streams) EXPECT_EQ(stats.entries, 0);
}

TEST_F(EdgeHubTest, AFullStreamSaysHowFarItCame) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachStreams(spoke);
  PutEvents(id, 1, "alarms", {std::string(2000, 'a'), std::string(2000, 'b'), "c"});
  PutEvents(id, 2, "telemetry", {std::string(2000, 'a'), std::string(2000, 'b'), "c"});
  Settle();
  std::vector<EventsStored> stored = Only<EventsStored>(spoke->Take());
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].stored, 1u);
  EXPECT_EQ(GetErrorInfo(stored[0].status).reason, "STREAM_FULL");
  EXPECT_EQ(stored[1].stored, 3u);
  const std::string page = registry_.Render();
  EXPECT_NE(page.find("skerry_edgehub_event_drops_total{reason=\"full\"} 1"), std::string::npos);
  EXPECT_NE(page.find("skerry_edgehub_event_puts_refused_total 1"), std::string::npos);
}

// The last registration decides, also for what waits.
TEST_F(EdgeHubTest, AStreamRegisteredAnewGoesByItsNewPriority) {
  const link::SpokeId id = AttachStreams(std::make_shared<FakeSpoke>());
  PutEvents(id, 1, "telemetry", {"t1"});
  PutEvents(id, 2, "alarms", {"a1"});
  Settle();
  hub_->Attach(
      "twin-svc", {}, {}, std::make_shared<FakeSpoke>(),
      {{"alarms", link::EventPriority::kBulk}, {"telemetry", link::EventPriority::kAlarm}});
  Connect(1);
  Settle();
  EXPECT_EQ(SentEvents(), (std::vector<std::string>{"telemetry: t1", "alarms: a1"}));
}

TEST_F(EdgeHubTest, EventsThatCannotBePutAreRefusedWithTheReason) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachStreams(spoke);
  absl::Notification all_put;
  PutEvents(id, 1, "measurements", {"m"}, [&] { all_put.WaitForNotification(); });
  PutEvents(id, 2, "telemetry", {"t"});
  PutEvents(id, 3, "telemetry", {"t"});  // Before the answer.
  all_put.Notify();
  Settle();
  std::vector<EventsStored> stored = Only<EventsStored>(spoke->Take());
  ASSERT_EQ(stored.size(), 3u);
  for (const EventsStored& answer : stored) {
    if (answer.request_id == 1) {
      EXPECT_EQ(answer.status.code(), absl::StatusCode::kInvalidArgument);
    }
    if (answer.request_id == 2) {
      EXPECT_TRUE(answer.status.ok()) << answer.status;
    }
    if (answer.request_id == 3) {
      EXPECT_EQ(GetErrorInfo(answer.status).reason, "PUT_OUTSTANDING");
    }
  }
}

TEST_F(EdgeHubTest, DialsAgainAfterALossAndTellsTheSpokes) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-meta-svc", {"pods"}, {}, spoke);
  Connect(1);
  std::vector<LinkStateChange> states = Only<LinkStateChange>(spoke->Take());
  ASSERT_EQ(states.size(), 2u);
  EXPECT_FALSE(states[0].connected);
  EXPECT_TRUE(states[1].connected);

  dialer_.last()->events.on_closed(absl::UnavailableError("gone"));
  Settle();
  states = Only<LinkStateChange>(spoke->Take());
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states[0].reason, "gone");
  EXPECT_LT(hub_->TakeSnapshot().next_dial_time, clock_.Now() + absl::Seconds(2));
  clock_.Advance(absl::Seconds(2));
  Settle();
  EXPECT_EQ(dialer_.dials(), 2u);
}

// edgehub-1.7
TEST_F(EdgeHubTest, TheEpochIsOnTheDiskBeforeTheHubIsToldSo) {
  const auto stored_epoch = [this] {
    return std::get<link::Hello>(dialer_.last()->TakeSent().at(0)).stored_epoch;
  };
  EXPECT_EQ(stored_epoch(), 0u);
  Connect(5);
  std::vector<link::EdgeFrame> sent = dialer_.last()->TakeSent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<link::EpochStored>(sent[0]));
  Restart();  // As after a crash.
  EXPECT_EQ(stored_epoch(), 5u);
}

// L3
TEST_F(EdgeHubTest, ASilentHubIsLeftAfterTwoHeartbeats) {
  Connect(1);
  clock_.Advance(absl::Seconds(11));
  Settle();
  bool heartbeat = false;
  for (const link::EdgeFrame& frame : dialer_.last()->TakeSent()) {
    heartbeat |= std::holds_alternative<link::Heartbeat>(frame);
  }
  EXPECT_TRUE(heartbeat);
  std::shared_ptr<testing::FakeCloudLink> first = dialer_.last();
  clock_.Advance(absl::Seconds(10));
  Settle();
  EXPECT_TRUE(first->closed());
  EXPECT_EQ(hub_->TakeSnapshot().reason, "HEARTBEAT_LOST");
}

// link-3.7
TEST_F(EdgeHubTest, AnIdleIntervalThatEndsTheSessionShortensTheNext) {
  Connect(1);
  clock_.Advance(absl::Seconds(10));
  Settle();
  clock_.Advance(absl::Seconds(10));
  Settle();
  ASSERT_EQ(hub_->TakeSnapshot().reason, "HEARTBEAT_LOST");
  const std::string metrics = registry_.Render();
  EXPECT_NE(metrics.find("skerry_edgehub_heartbeat_interval_seconds 5"), std::string::npos);
  EXPECT_NE(metrics.find("skerry_edgehub_heartbeat_adaptations_total{direction=\"shorter\"} 1"),
            std::string::npos);
  std::shared_ptr<testing::FakeCloudLink> first = dialer_.last();
  clock_.Advance(absl::Seconds(1));  // The longest wait before a first dial.
  Settle();
  ASSERT_NE(dialer_.last(), first);
  const std::vector<link::EdgeFrame> sent = dialer_.last()->TakeSent();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(std::get<link::Hello>(sent[0]).heartbeat_interval_max, absl::Seconds(5));
}

TEST_F(EdgeHubTest, ResourcesReachTheSpokeAndItsWordReachesTheCloud) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-meta-svc", {"pods"}, {}, spoke);
  Connect(1);
  std::vector<link::edge::SubscribeRequest> requests =
      Only<link::edge::SubscribeRequest>(spoke->Take());
  ASSERT_EQ(requests.size(), 1u);
  int done = 0;
  hub_->Subscribe(id, {"pods", requests[0].subscription_id, {}, false}, [&] { ++done; });
  dialer_.last()->events.on_frame(
      link::ResourceChange{"pods",
                           requests[0].subscription_id,
                           1,
                           {link::Change::Kind::kUpsert, "default/a", "1", "{}"}},
      50);
  Settle();
  std::vector<link::ResourceChange> changes = Only<link::ResourceChange>(spoke->Take());
  ASSERT_EQ(changes.size(), 1u);
  hub_->ResourceDone(id, {"pods", requests[0].subscription_id, 1, {}}, [&] { ++done; });
  Settle();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(dialer_.last()->consumed(), 2);  // Welcome and the change.
  std::vector<link::EdgeFrame> sent = dialer_.last()->TakeSent();
  ASSERT_FALSE(sent.empty());
  ASSERT_TRUE(std::holds_alternative<link::ResourceAck>(sent.back()));
}

// What a transport says after the end goes nowhere.
TEST_F(EdgeHubTest, ALateTransportHarmsNobody) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-meta-svc", {"pods"}, {}, spoke);
  Connect(1);
  std::shared_ptr<testing::FakeCloudLink> link = dialer_.last();
  hub_->Stop();
  EXPECT_TRUE(link->closed());
  EXPECT_EQ(GetErrorInfo(spoke->closed()).reason, "DRAINING");
  hub_ = nullptr;
  link->events.on_frame(link::Heartbeat{}, 2);
  link->events.on_closed(absl::OkStatus());
}

TEST_F(EdgeHubTest, OldReportsAreDroppedAndCounted) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-meta-svc", {}, {"pods"}, spoke);
  Put(id, 1, "default/a", "one");
  Settle();
  clock_.Advance(absl::Hours(24 * 31));
  Settle();
  EXPECT_EQ(hub_->TakeSnapshot().journal.entries, 0);
  EXPECT_NE(registry_.Render().find("skerry_edgehub_journal_drops_total{reason=\"expired\"} 1"),
            std::string::npos);
}

// [edgehub-2.7]
TEST_F(EdgeHubTest, StepsOfTheClockDropNothing) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-meta-svc", {}, {"pods"}, spoke);
  Put(id, 1, "default/a", "one");
  Settle();
  for (const absl::Duration step : {absl::Hours(24 * 365 * 50), -absl::Hours(24 * 365 * 60)}) {
    clock_.SetNow(clock_.Now() + step);
    clock_.Advance(absl::Minutes(11));  // The hub looks for what has expired.
    Settle();
    EXPECT_EQ(hub_->TakeSnapshot().journal.entries, 1);
  }
  Restart();
  EXPECT_EQ(hub_->TakeSnapshot().journal.entries, 1);
}

// [edgehub-2.2] A spoke whose store is new, or whose clock was set back, is heard.
TEST_F(EdgeHubTest, TheLastReportGoesOutWhateverItsTime) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-meta-svc", {}, {"pods"}, spoke);
  Put(id, 9, "default/a", "ahead");
  Put(id, 2, "default/a", "after");  // Its time is its number: earlier.
  Settle();
  Connect(1);
  std::vector<link::Report> sent = SentReports();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].value, "after");
}

// link-8.2, link-8.7: offered to who takes the type, joined once, told of the end of the link.
TEST_F(EdgeHubTest, ATunnelIsOfferedJoinedAndEndsWithTheLink) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edged-svc", {}, {}, spoke, {}, {"kubelet"});
  Connect(7);
  dialer_.last()->events.on_frame(link::TunnelOpen{1, "kubelet", "target", 100}, 10);
  Settle();
  std::vector<link::edge::TunnelRequest> offers = Only<link::edge::TunnelRequest>(spoke->Take());
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_EQ(offers[0].target, "target");
  EXPECT_EQ(offers[0].epoch, 7u);

  auto stale = std::make_shared<FakeTunnelUser>();
  hub_->JoinTunnel(6, 1, stale);
  auto user = std::make_shared<FakeTunnelUser>();
  const auto input = hub_->JoinTunnel(7, 1, user);
  auto second = std::make_shared<FakeTunnelUser>();
  hub_->JoinTunnel(7, 1, second);
  input(link::tunnel::Bytes{"up"});
  dialer_.last()->events.on_frame(link::TunnelData{1, "down"}, 10);
  Settle();
  EXPECT_EQ(stale->ended_reason(), "TUNNEL_UNKNOWN");
  EXPECT_EQ(second->ended_reason(), "TUNNEL_UNKNOWN");
  EXPECT_EQ(user->received(), "down");
  std::string sent;
  for (const link::EdgeFrame& frame : dialer_.last()->TakeSent()) {
    if (const auto* data = std::get_if<link::TunnelData>(&frame)) sent += data->bytes;
  }
  EXPECT_EQ(sent, "up");

  dialer_.last()->events.on_closed(absl::UnavailableError("cut"));
  Settle();
  EXPECT_EQ(user->ended_reason(), "TUNNEL_LINK_LOST");
  input(link::tunnel::Bytes{"late"});
  Settle();
  EXPECT_NE(registry_.Render().find("skerry_edgehub_tunnels 0"), std::string::npos);
}

}  // namespace
}  // namespace skerry::edgehub
