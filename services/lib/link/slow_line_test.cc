// Both session machines at the ends of a line that is slow, or paid by the byte, in virtual time:
// link-12, link-14, L3. Longer than most: all of it needs the same two ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/link/cloud_session.h"
#include "services/lib/link/edge_session.h"
#include "services/lib/link/wire.h"

namespace skerry::link {
namespace {

constexpr size_t kWindowBytes = 64u << 10;  // What the transport may have under way (link-3.4).

// One way of the line: a transport that takes frames in order and hands them to the line as its
// window allows.
template <typename Frame>
class Way {
 public:
  void Send(Frame frame, absl::Duration now) {
    const size_t bytes = ToWire(Frame(frame)).ByteSizeLong();
    sent_bytes_ += bytes;
    waiting_.push_back({std::move(frame), bytes});
    Fill(now);
  }
  absl::Duration NextArrival() const {
    return dead_ || path_.empty() ? absl::InfiniteDuration() : path_.front().arrival;
  }
  Frame Take(absl::Duration now) {
    Item item = std::move(path_.front());
    path_.pop_front();
    path_bytes_ -= item.bytes;
    Fill(now);
    return std::move(item.frame);
  }
  bool drained() const { return waiting_.empty(); }
  size_t sent_bytes() const { return sent_bytes_; }
  void set_rate(double bytes_per_second) { rate_ = bytes_per_second; }
  // From now on nothing arrives, and nobody is told.
  void Die() { dead_ = true; }

 private:
  struct Item {
    Frame frame;
    size_t bytes = 0;
    absl::Duration arrival;
  };

  void Fill(absl::Duration now) {
    while (!waiting_.empty() &&
           (path_.empty() || path_bytes_ + waiting_.front().bytes <= kWindowBytes)) {
      Item item = std::move(waiting_.front());
      waiting_.pop_front();
      free_at_ = std::max(free_at_, now) + absl::Seconds(static_cast<double>(item.bytes) / rate_);
      item.arrival = free_at_;
      path_bytes_ += item.bytes;
      path_.push_back(std::move(item));
    }
  }

  double rate_ = 1e9;
  size_t sent_bytes_ = 0;
  bool dead_ = false;
  std::deque<Item> waiting_;
  std::deque<Item> path_;
  size_t path_bytes_ = 0;
  absl::Duration free_at_;
};

class SlowLineTest : public ::testing::Test {
 protected:
  // A session over a line of this rate, with a subscription of each type.
  void Connect(double bytes_per_second, absl::Duration heartbeat_interval) {
    up_.set_rate(bytes_per_second);
    down_.set_rate(bytes_per_second);
    cloud_config_.heartbeat_interval = heartbeat_interval;
    cloud_config_.compression = compression_;
    cloud_ = std::make_unique<CloudSession>(cloud_config_, now_);
    EdgeSession::Config config;
    config.hello.protocol_version = kProtocolVersion;
    config.compression = compression_;
    config.up_limit = config.hello.down_limit = limit_;
    edge_ = std::make_unique<EdgeSession>(config);
    FeedCloud(cloud::SpokeAttached{
        1, {"configmaps", "pods"}, {"nodes", "pods"}, {"alarms", "telemetry", "bulk"}});
    edge::SpokeAttached spoke{1, {"configmaps", "pods"}, {"nodes", "pods"}};
    spoke.command_types = {"method"};
    FeedEdge(std::move(spoke));
    FeedEdge(edge::Start{});
    ASSERT_TRUE(RunUntil(absl::Minutes(1), [&] { return subscriptions_.size() == 2; }));
  }

  void Push(const std::string& type, const std::string& key, const std::string& version,
            size_t bytes) {
    Push(type, key, version, std::string(bytes, 'x'));
  }
  void Push(const std::string& type, const std::string& key, const std::string& version,
            std::string object) {
    FeedCloud(cloud::Push{1,
                          type,
                          subscriptions_.at(type),
                          {Change::Kind::kUpsert, key, version, std::move(object)}});
  }
  void PutReport(const std::string& type, size_t bytes) {
    reports_[type].push_back({++last_sequence_, type, "a", 0, {}, std::string(bytes, 'r')});
    FeedEdge(edge::ReportStored{type, last_sequence_});
  }
  void PutEvent(const std::string& stream, EventPriority priority, size_t bytes) {
    StreamEvent event;
    event.sequence = ++last_events_[stream];
    event.value.assign(bytes, 'e');
    events_[stream].push_back(std::move(event));
    FeedEdge(edge::EventStored{stream, priority, last_events_[stream]});
  }

  // Its payload and its response have this many bytes.
  void QueueCommand(const std::string& key, size_t bytes) {
    commands_[key] = bytes;
    FeedCloud(cloud::QueueCommand{key, "method", bytes});
  }

  // False where that takes longer, or an end gives the session up.
  bool RunUntil(absl::Duration within, const std::function<bool()>& done) {
    const absl::Duration deadline = now_ + within;
    TellDrained();
    while (ends_.empty() && !done()) {
      const absl::Duration next = std::min({edge_->NextWake(), cloud_->NextWake(),
                                            up_.NextArrival(), down_.NextArrival(), deadline});
      now_ = std::max(now_, next);
      if (now_ >= deadline) return false;
      if (up_.NextArrival() <= now_) {
        last_arrival_up_ = now_;
        FeedCloud(cloud::FrameReceived{up_.Take(now_)});
      } else if (down_.NextArrival() <= now_) {
        last_arrival_down_ = now_;
        FeedEdge(edge::FrameReceived{1, down_.Take(now_)});
      } else {
        FeedEdge(edge::Tick{});
        FeedCloud(cloud::Tick{});
      }
      TellDrained();
    }
    return ends_.empty();
  }
  bool RunUntilDone(absl::Duration within, const std::string& what) {
    return RunUntil(within, [&] { return done_.count(what) != 0; });
  }

  // Burst + rate x time since `since`, a frame and a read under way, and what goes always.
  size_t BytesMax(absl::Duration since, size_t always) const {
    return always + limit_.burst_bytes + 2 * kChunkBytesMax +
           static_cast<size_t>(absl::ToDoubleSeconds(now_ - since) *
                               static_cast<double>(limit_.bytes_per_second));
  }

  ByteLimit limit_;           // Each way, from Connect on.
  bool compression_ = false;  // At both ends, from Connect on.
  absl::Duration now_ = absl::Seconds(1000);
  Way<EdgeFrame> up_;
  Way<CloudFrame> down_;
  std::map<std::string, absl::Duration> done_;  // When what was done.
  std::vector<std::string> ends_;               // Who ended the session.
  int due_ = 0;                                 // Commands that the hub was asked for.
  absl::Duration last_arrival_up_;
  absl::Duration last_arrival_down_;

 private:
  void TellDrained() {
    while (down_.drained() && std::exchange(cloud_awaits_drained_, false))
      FeedCloud(cloud::Drained{});
    while (up_.drained() && std::exchange(edge_awaits_drained_, false)) FeedEdge(edge::Drained{1});
  }
  void FeedCloud(cloud::Event event) {
    for (cloud::Effect& effect : cloud_->Step(std::move(event), now_)) {
      std::visit([&](auto& e) { Perform(std::move(e)); }, effect);
    }
  }
  void Perform(cloud::Admit) { FeedCloud(cloud::Admitted{1, absl::UnixEpoch()}); }
  void Perform(cloud::Send effect) { down_.Send(std::move(effect.frame), now_); }
  void Perform(cloud::AwaitSync) { FeedCloud(cloud::SyncTurn{}); }
  void Perform(cloud::AwaitDrained) { cloud_awaits_drained_ = true; }
  void Perform(cloud::Close effect) { ends_.push_back("cloud " + effect.reason); }
  void Perform(cloud::ToSpoke effect) {
    if (auto* subscribed = std::get_if<cloud::Subscribed>(&effect.message)) {
      subscriptions_[subscribed->subscribe.type] = subscribed->subscribe.subscription_id;
    } else if (auto* pushed = std::get_if<cloud::PushDone>(&effect.message)) {
      for (const PushOutcome& outcome : pushed->outcomes)
        done_[absl::StrCat(pushed->type, " ", outcome.key, "@", outcome.version)] = now_;
    } else if (auto* report = std::get_if<cloud::NodeReport>(&effect.message)) {
      done_[absl::StrCat("report ", report->report.type)] = now_;
      FeedCloud(cloud::ReportDone{1, report->report.sequence, absl::OkStatus()});
    } else if (auto* events = std::get_if<cloud::NodeEvents>(&effect.message)) {
      const EventBatch& batch = events->batch;
      done_[absl::StrCat(batch.stream, " ", batch.events.back().sequence)] = now_;
      FeedCloud(cloud::EventsDone{1, {batch.stream, batch.events.back().sequence, {}}});
    }
  }
  void Perform(cloud::EpochStored) {}
  void Perform(cloud::CommandDue effect) {
    ++due_;
    FeedCloud(cloud::SendCommand{{effect.key, "method", std::string(commands_.at(effect.key), 'p'),
                                  absl::Minutes(1), absl::Minutes(1)}});
  }
  void Perform(cloud::CommandReceived effect) {
    if (effect.receipt.stage == CommandReceipt::Stage::kDone)
      done_[absl::StrCat("command ", effect.receipt.key)] = now_;
  }
  void Perform(cloud::Count) {}

  void FeedEdge(edge::Event event) {
    for (edge::Effect& effect : edge_->Step(std::move(event), now_)) {
      std::visit([&](auto& e) { Perform(std::move(e)); }, effect);
    }
  }
  void Perform(edge::Send effect) { up_.Send(std::move(effect.frame), now_); }
  void Perform(edge::AwaitDrained) { edge_awaits_drained_ = true; }
  void Perform(edge::Disconnected effect) {
    ends_.push_back(absl::StrCat("edge ", effect.status.ToString()));
  }
  void Perform(edge::StoreEpoch effect) { FeedEdge(edge::EpochStored{effect.epoch}); }
  void Perform(edge::ToSpoke effect) {
    if (auto* request = std::get_if<edge::SubscribeRequest>(&effect.message)) {
      FeedEdge(edge::SpokeSubscribe{1, {request->type, request->subscription_id, {}, false}});
    } else if (auto* command = std::get_if<edge::CommandRequest>(&effect.message)) {
      done_[absl::StrCat("request ", command->key)] = now_;
      FeedEdge(edge::CommandDone{1, command->key, absl::OkStatus(), ""});
    } else if (auto* change = std::get_if<ResourceChange>(&effect.message)) {
      FeedEdge(
          edge::ResourceDone{1, {change->type, change->subscription_id, change->sequence, {}}});
    }
  }
  void Perform(edge::FetchReports effect) {
    edge::ReportsFetched fetched{effect.connection, effect.type, {}, false};
    for (const Report& report : reports_[effect.type]) {
      if (report.sequence > effect.after) fetched.reports.push_back(report);
    }
    FeedEdge(std::move(fetched));
  }
  void Perform(edge::FetchEvents effect) {
    edge::EventsFetched fetched{effect.connection, {effect.stream, {}}, false};
    size_t bytes = 0;
    for (const StreamEvent& event : events_[effect.stream]) {
      if (event.sequence <= effect.after) continue;
      fetched.more = bytes >= effect.bytes_max;
      if (fetched.more) break;
      bytes += EventBytes(event);
      fetched.batch.events.push_back(event);
    }
    FeedEdge(std::move(fetched));
  }
  void Perform(edge::BeginCommand effect) {
    FeedEdge(edge::CommandBegun{std::move(effect.command),
                                effect.may_start,
                                effect.begin,
                                {edge::CommandRecord::State::kBegun}});
  }
  void Perform(edge::FinishCommand effect) {
    FeedEdge(edge::CommandFinished{effect.key, absl::OkStatus()});
  }
  void Perform(edge::ForgetCommand) {}
  void Perform(edge::ReadCommand effect) {
    edge::CommandRecord record{edge::CommandRecord::State::kDone};
    record.response.assign(commands_.at(effect.key), 'r');
    FeedEdge(edge::CommandRead{effect.connection, effect.key, std::move(record)});
  }
  void Perform(edge::TrimReports) {}
  void Perform(edge::TrimEvents) {}
  void Perform(edge::Dial) {}
  void Perform(edge::CloseLink) {}
  void Perform(edge::CloseSpoke) { ends_.push_back("spoke"); }
  void Perform(edge::Connected) {}
  void Perform(edge::IntervalAdapted) {}
  void Perform(edge::Count) {}
  void Perform(CompressionBytes) {}
  void Perform(tunnel::ToUser) {}

  CloudSession::Config cloud_config_;
  std::unique_ptr<CloudSession> cloud_;
  std::unique_ptr<EdgeSession> edge_;
  bool cloud_awaits_drained_ = false;
  bool edge_awaits_drained_ = false;
  std::map<std::string, uint64_t> subscriptions_;
  std::map<std::string, std::vector<Report>> reports_;
  uint64_t last_sequence_ = 0;
  std::map<std::string, size_t> commands_;
  std::map<std::string, std::vector<StreamEvent>> events_;
  std::map<std::string, uint64_t> last_events_;
};

TEST_F(SlowLineTest, TheLargestObjectGoesDownAtTenKilobytesASecond) {
  Connect(10'000, absl::Seconds(15));
  Push("configmaps", "d/large", "1", kObjectBytesMax);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(170), "configmaps d/large@1")) << ends_.size();
}

TEST_F(SlowLineTest, ALargeObjectGoesDownWithinShortHeartbeats) {
  Connect(100'000, absl::Seconds(1));
  Push("configmaps", "d/large", "1", 512 << 10);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(6), "configmaps d/large@1"));
}

TEST_F(SlowLineTest, ASmallObjectOfAnotherTypeDoesNotWaitForALargeOne) {
  Connect(10'000, absl::Seconds(15));
  Push("configmaps", "d/large", "1", kObjectBytesMax);
  Push("configmaps", "d/after", "1", 100);
  ASSERT_FALSE(RunUntil(absl::Seconds(20), [] { return false; }));
  Push("pods", "d/small", "1", 2000);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(15), "pods d/small@1"));
  EXPECT_TRUE(RunUntilDone(absl::Seconds(170), "configmaps d/after@1"));
}

// link-4.5 holds for what waits behind a large object, which at this rate it does for minutes.
TEST_F(SlowLineTest, WhatWaitsBehindALargeObjectIsCoalesced) {
  Connect(10'000, absl::Seconds(15));
  Push("configmaps", "d/large", "1", kObjectBytesMax);
  for (const char* version : {"1", "2", "3"}) Push("configmaps", "d/small", version, 9000);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(180), "configmaps d/small@3"));
  EXPECT_EQ(done_.count("configmaps d/small@1"), 0u);
  EXPECT_EQ(done_.count("configmaps d/small@2"), 0u);
}

// link-12.4: what an alarm waits for is 64 KiB in the transport's window and 32 KiB before it.
TEST_F(SlowLineTest, AnAlarmPassesALargeReport) {
  Connect(10'000, absl::Seconds(15));
  PutReport("pods", kObjectBytesMax);
  ASSERT_FALSE(RunUntil(absl::Seconds(20), [] { return false; }));
  PutEvent("alarms", EventPriority::kAlarm, 500);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(10), "alarms 1"));
  EXPECT_EQ(done_.count("report pods"), 0u);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(170), "report pods"));
}

TEST_F(SlowLineTest, ALargeAlarmPassesTelemetry) {
  Connect(10'000, absl::Seconds(15));
  for (int i = 0; i < 20; ++i) PutEvent("telemetry", EventPriority::kTelemetry, 100 << 10);
  ASSERT_FALSE(RunUntil(absl::Seconds(20), [] { return false; }));
  PutEvent("alarms", EventPriority::kAlarm, 100 << 10);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(21), "alarms 1"));
  EXPECT_EQ(done_.count("telemetry 20"), 0u);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(250), "telemetry 20"));
}

TEST_F(SlowLineTest, AReportOfAnotherTypeDoesNotWaitForALargeOne) {
  Connect(10'000, absl::Seconds(15));
  PutReport("pods", kObjectBytesMax);
  ASSERT_FALSE(RunUntil(absl::Seconds(20), [] { return false; }));
  PutReport("nodes", 2000);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(15), "report nodes"));
  EXPECT_TRUE(RunUntilDone(absl::Seconds(170), "report pods"));
}

// link-10.13: neither heartbeats nor what is more urgent wait for a large payload or response.
TEST_F(SlowLineTest, LargeCommandsHoldUpNothingUrgent) {
  Connect(10'000, absl::Seconds(15));
  for (const char* key : {"a", "b", "c"}) QueueCommand(key, kCommandBytesMax);
  ASSERT_FALSE(RunUntil(absl::Seconds(10), [] { return false; }));
  Push("pods", "d/small", "1", 2000);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(15), "pods d/small@1"));
  EXPECT_EQ(done_.count("request a"), 0u);
  ASSERT_TRUE(RunUntilDone(absl::Seconds(30), "request a"));
  ASSERT_FALSE(RunUntil(absl::Seconds(5), [] { return false; }));  // Its response goes up.
  PutEvent("alarms", EventPriority::kAlarm, 500);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(10), "alarms 1"));
  EXPECT_EQ(done_.count("command a"), 0u);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(120), "command c"));
}

// link-14.4: an alarm passes what waits for the budget, and even its debt.
TEST_F(SlowLineTest, AnAlarmPassesASpentBudget) {
  limit_ = {1000, 4096};
  Connect(1e6, absl::Seconds(15));
  const absl::Duration since = now_;
  const size_t up = up_.sent_bytes();
  const size_t down = down_.sent_bytes();
  PutReport("pods", 200 << 10);
  PutEvent("bulk", EventPriority::kBulk, 100 << 10);
  Push("configmaps", "d/large", "1", 200 << 10);
  for (uint64_t alarm = 1; alarm <= 5; ++alarm) {
    ASSERT_FALSE(RunUntil(absl::Seconds(7), [] { return false; }));
    PutEvent("alarms", EventPriority::kAlarm, 500);
    EXPECT_TRUE(RunUntilDone(absl::Milliseconds(10), absl::StrCat("alarms ", alarm)));
  }
  EXPECT_LE(up_.sent_bytes() - up, BytesMax(since, 5 * 600));
  EXPECT_LE(down_.sent_bytes() - down, BytesMax(since, 5 * 100));
  EXPECT_EQ(ends_, std::vector<std::string>());
  // Telemetry comes before what has waited for longer.
  PutEvent("telemetry", EventPriority::kTelemetry, 2000);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(25), "telemetry 1"));
  EXPECT_EQ(done_.count("report pods"), 0u);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(220), "report pods"));
  EXPECT_EQ(done_.count("bulk 1"), 0u);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(130), "bulk 1"));
  EXPECT_TRUE(RunUntilDone(absl::Seconds(60), "configmaps d/large@1"));
  EXPECT_LE(up_.sent_bytes() - up, BytesMax(since, 5 * 600));
  EXPECT_LE(down_.sent_bytes() - down, BytesMax(since, 5 * 100));
}

// At the least rate there is, the session stays, and what is small comes through.
TEST_F(SlowLineTest, TheLeastBudgetKeepsTheSession) {
  limit_ = {kBudgetRateMin, kBudgetBurstMin};
  Connect(1e6, absl::Seconds(15));
  PutReport("pods", 500);
  Push("configmaps", "d/small", "1", 500);
  QueueCommand("a", 20);
  ASSERT_FALSE(RunUntil(absl::Minutes(5), [] { return false; }));
  EXPECT_EQ(ends_, std::vector<std::string>());
  for (const char* what : {"report pods", "configmaps d/small@1", "command a"})
    EXPECT_EQ(done_.count(what), 1u) << what;
}

TEST_F(SlowLineTest, CommandsGoOneByOneWithinABudget) {
  limit_ = {1000, 4096};
  Connect(1e6, absl::Seconds(15));
  const absl::Duration since = now_;
  const size_t down = down_.sent_bytes();
  for (const char* key : {"a", "b", "c", "d"}) QueueCommand(key, 12 << 10);
  Push("configmaps", "d/large", "1", 50 << 10);
  ASSERT_TRUE(RunUntilDone(absl::Seconds(20), "request a"));
  EXPECT_EQ(due_, 1);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(100), "command d"));
  EXPECT_TRUE(RunUntilDone(absl::Seconds(60), "configmaps d/large@1"));
  EXPECT_LE(down_.sent_bytes() - down, BytesMax(since, 500));
}

// link-13.6: the budget pays what is on the line, about half of what digits have without an order.
TEST_F(SlowLineTest, ABudgetPaysCompressedBytes) {
  compression_ = true;
  limit_ = {1000, 4096};
  Connect(1e6, absl::Seconds(15));
  const absl::Duration since = now_;
  const size_t down = down_.sent_bytes();
  std::mt19937 rng(1);
  std::string digits;
  while (digits.size() < 200'000) absl::StrAppend(&digits, rng());
  Push("configmaps", "d/large", "1", digits);
  ASSERT_FALSE(RunUntil(absl::Seconds(60), [] { return false; }));
  EXPECT_EQ(done_.count("configmaps d/large@1"), 0u);
  EXPECT_TRUE(RunUntilDone(absl::Seconds(60), "configmaps d/large@1"));
  EXPECT_LE(down_.sent_bytes() - down, BytesMax(since, 500));
  EXPECT_GT(down_.sent_bytes() - down, 60'000u);
}

// L3: a peer that dies amid a large object is noticed within two intervals of its last byte.
TEST_F(SlowLineTest, ADeadPeerIsNoticedAmidALargeObject) {
  Connect(10'000, absl::Seconds(15));
  Push("configmaps", "d/large", "1", kObjectBytesMax);
  PutReport("pods", kObjectBytesMax);
  ASSERT_FALSE(RunUntil(absl::Seconds(40), [] { return false; }));
  ASSERT_EQ(ends_, std::vector<std::string>());
  up_.Die();
  down_.Die();
  ASSERT_FALSE(RunUntil(absl::Minutes(2), [] { return false; }));
  EXPECT_FALSE(ends_.empty());
  EXPECT_EQ(now_ - std::min(last_arrival_up_, last_arrival_down_), absl::Seconds(30));
}

}  // namespace
}  // namespace skerry::link
