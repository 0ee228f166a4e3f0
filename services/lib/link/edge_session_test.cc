// Runs testdata/edge/*.txt. Commands: new, start, stop, welcome, change, report-ack, resync,
// goaway, heartbeat, chunk, invalid, closed, attach, detach, subscribe, done, epoch-stored, stored,
// fetched, event-stored, events-fetched, event-ack, drained, wake, advance, status, tunnel-open,
// tunnel-data, tunnel-credit, tunnel-close, join, user.
#include "services/lib/link/edge_session.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/frame_bytes.h"
#include "services/lib/link/testing/frame_text.h"
#include "services/lib/testing/script_test.h"

namespace skerry::link {
namespace {

using skerry::testing::ScriptCommand;
using testing::AckOf;
using testing::ChangeOf;
using testing::EventsOf;
using testing::ListOf;
using testing::RejectionsOf;
using testing::SubscribeOf;
using testing::Text;

struct MessageWriter {
  std::string operator()(const edge::LinkState& m) const {
    return m.connected ? "LinkState up" : absl::StrCat("LinkState down: ", m.reason);
  }
  std::string operator()(const edge::SubscribeRequest& m) const {
    return absl::StrCat("SubscribeRequest ", m.type, " id=", m.subscription_id);
  }
  std::string operator()(const ResourceChange& m) const { return Text(m); }
  std::string operator()(const edge::CommandRequest& m) const {
    return absl::StrCat("CommandRequest ", m.key, " ", m.type, " bytes=", m.payload.size(),
                        " deadline=", absl::FormatDuration(m.deadline));
  }
  std::string operator()(const edge::TunnelRequest& m) const {
    return absl::StrCat("TunnelRequest ", m.epoch, "/", m.tunnel, " ", m.type,
                        " target=", m.target);
  }
};

struct EffectWriter {
  std::string operator()(const edge::Dial& e) const {
    return absl::StrCat("dial connection=", e.connection);
  }
  std::string operator()(const edge::Send& e) const { return absl::StrCat("send ", Text(e.frame)); }
  std::string operator()(const edge::CloseLink& e) const {
    return absl::StrCat("hang up ", Text(e.status));
  }
  std::string operator()(const edge::ToSpoke& e) const {
    return absl::StrCat("spoke ", e.spoke, ": ", std::visit(MessageWriter(), e.message));
  }
  std::string operator()(const edge::CloseSpoke& e) const {
    return absl::StrCat("close spoke ", e.spoke, " ", Text(e.status));
  }
  std::string operator()(const edge::FetchReports& e) const {
    return absl::StrCat("fetch ", e.type, " after=", e.after, " count=", e.count_max);
  }
  std::string operator()(const edge::TrimReports& e) const {
    return absl::StrCat("trim ", e.type, " up_to=", e.up_to,
                        e.rejections.empty() ? "" : " with rejections");
  }
  std::string operator()(const edge::FetchEvents& e) const {
    return absl::StrCat("fetch events ", e.stream, " after=", e.after, " count=", e.count_max,
                        " bytes=", e.bytes_max);
  }
  std::string operator()(const edge::TrimEvents& e) const {
    return absl::StrCat("trim events ", e.ack.stream, " up_to=", e.ack.sequence,
                        e.ack.rejections.empty() ? "" : " with rejections");
  }
  std::string operator()(const edge::BeginCommand& e) const {
    return absl::StrCat(e.may_start ? "begin " : "look up ", e.command.key);
  }
  std::string operator()(const edge::FinishCommand& e) const {
    return absl::StrCat("finish ", e.key, " ", Text(e.status));
  }
  std::string operator()(const edge::ForgetCommand& e) const {
    return absl::StrCat("forget ", e.key);
  }
  std::string operator()(const edge::ReadCommand& e) const { return absl::StrCat("read ", e.key); }
  std::string operator()(const edge::AwaitDrained&) const { return "await drained"; }
  std::string operator()(const edge::StoreEpoch& e) const {
    return absl::StrCat("store epoch=", e.epoch);
  }
  std::string operator()(const tunnel::ToUser& e) const { return Text(e); }
  std::string operator()(const edge::Connected& e) const {
    return absl::StrCat("connected epoch=", e.welcome.epoch);
  }
  std::string operator()(const edge::IntervalAdapted& e) const {
    return absl::StrCat("interval ", absl::FormatDuration(e.from), " -> ",
                        absl::FormatDuration(e.to));
  }
  std::string operator()(const CompressionBytes& e) const { return Text(e); }
  std::string operator()(const edge::Disconnected& e) const {
    // The wait itself is random; backoff_test checks its range.
    return absl::StrCat("disconnected ", Text(e.status),
                        e.was_connected ? "" : " (was not connected)");
  }
  std::string operator()(const edge::Count& e) const {
    static constexpr const char* kNames[] = {"stale change",     "stale subscribe", "stale done",
                                             "stale connection", "stale tunnel",    "stale command",
                                             "deferred"};
    return absl::StrCat("count ", kNames[static_cast<int>(e.incident)]);
  }
};

class Machine {
 public:
  std::string Run(const ScriptCommand& c) {
    if (c.name == "new") {
      EdgeSession::Config config;
      config.hello.protocol_version = 1;
      config.hello.stored_epoch = static_cast<uint64_t>(c.Int("stored_epoch", 0));
      config.seed = 7;
      config.compression = c.Has("deflate");
      config.transport_bytes_max = static_cast<size_t>(c.Int("transport_max", 256 << 10));
      config.up_limit = {static_cast<uint64_t>(c.Int("rate", 0)),
                         static_cast<uint64_t>(c.Int("burst", 0))};
      machine_ = std::make_unique<EdgeSession>(config);
      return "";
    }
    if (c.name == "advance") return Advance(absl::Seconds(c.Int("seconds")));
    if (c.name == "wake") {
      now_ = machine_->NextWake();
      return Step(edge::Tick{});
    }
    if (c.name == "status") return Status();
    return Step(EventOf(c));
  }

 private:
  CloudFrame CloudFrameOf(const ScriptCommand& c) {
    if (c.name == "welcome") {
      return Welcome{static_cast<uint64_t>(c.Int("epoch")), absl::Seconds(c.Int("heartbeat", 10)),
                     "hub-1", absl::UnixEpoch(), c.Has("deflate")};
    }
    if (c.name == "change") {
      CloudFrame frame = ResourceChange{c.Arg("type"), static_cast<uint64_t>(c.Int("id")),
                                        static_cast<uint64_t>(c.Int("seq")), ChangeOf(c)};
      return c.Has("deflate") ? Compress(Rank::kSync, std::move(frame)) : frame;
    }
    if (c.name == "report-ack") {
      return ReportAck{c.Arg("type"), static_cast<uint64_t>(c.Int("seq")), RejectionsOf(c)};
    }
    if (c.name == "event-ack") {
      return EventAck{c.Arg("stream"), static_cast<uint64_t>(c.Int("seq")), RejectionsOf(c)};
    }
    if (c.name == "resync") return Resync{c.Arg("type")};
    if (c.name == "chunk") return testing::ChunkOf(c);
    if (c.name == "command") return testing::CommandOf(c);
    if (c.name == "tunnel-open") {
      return TunnelOpen{static_cast<uint64_t>(c.Int("id")), c.Arg("type", "kubelet"),
                        c.Arg("target", ""), static_cast<uint64_t>(c.Int("credit", 0))};
    }
    if (auto frame = testing::TunnelFrameOf(c); frame.has_value()) {
      return std::visit([](auto& f) { return CloudFrame(std::move(f)); }, *frame);
    }
    if (c.name == "goaway") return GoAway{c.Arg("reason"), absl::Seconds(c.Int("retry", 0))};
    if (c.name != "heartbeat")
      ADD_FAILURE() << "unknown command in line " << c.line << ": " << c.text;
    return Heartbeat{absl::Seconds(c.Int("interval", 0))};
  }

  // Of the last BeginCommand of that key, or of the one that is so many before it.
  edge::CommandBegun BegunOf(const ScriptCommand& c) {
    const std::vector<uint64_t>& begins = begins_[c.Arg("key")];
    const auto before = static_cast<size_t>(c.Int("before", 0));
    const uint64_t begin = before < begins.size() ? begins[begins.size() - 1 - before] : 0;
    return {testing::CommandOf(c), c.Has("may"), begin, RecordOf(c)};
  }

  // state=absent|begun|started|done|refused [bytes=] of the response.
  static edge::CommandRecord RecordOf(const ScriptCommand& c) {
    using State = edge::CommandRecord::State;
    edge::CommandRecord record;
    const std::string state = c.Arg("state");
    record.state = state == "begun"     ? State::kBegun
                   : state == "started" ? State::kStarted
                   : state == "done"    ? State::kDone
                   : state == "refused" ? State::kRefused
                                        : State::kAbsent;
    if (record.state == State::kRefused)
      record.status = absl::InvalidArgumentError("other content");
    record.response.assign(static_cast<size_t>(c.Int("bytes", 0)), 'r');
    return record;
  }

  edge::Event EventOf(const ScriptCommand& c) {
    const uint64_t connection = static_cast<uint64_t>(c.Int("connection", 1));
    const SpokeId spoke = static_cast<SpokeId>(c.Int("spoke", 1));
    if (c.name == "start") return edge::Start{};
    if (c.name == "stop") return edge::Stop{};
    if (c.name == "closed") {
      return edge::LinkClosed{
          connection, Error(absl::StatusCode::kUnavailable, "gone").Reason(c.Arg("reason", ""))};
    }
    if (c.name == "invalid")
      return edge::InvalidFrame{connection, Violation("link-7.1", "a key is empty")};
    if (c.name == "attach")
      return edge::SpokeAttached{spoke, ListOf(c, "resources"), ListOf(c, "reports"),
                                 ListOf(c, "tunnels"), ListOf(c, "commands")};
    if (c.name == "detach") return edge::SpokeDetached{spoke};
    if (c.name == "begun") return BegunOf(c);
    if (c.name == "finished") {
      return edge::CommandFinished{
          c.Arg("key"), c.Has("error") ? absl::UnavailableError("full") : absl::OkStatus()};
    }
    if (c.name == "read") return edge::CommandRead{connection, c.Arg("key"), RecordOf(c)};
    if (c.name == "command-done") {
      absl::Status status;
      if (c.Has("reason"))
        status = Error(absl::StatusCode::kAborted, "no good").Reason(c.Arg("reason"));
      return edge::CommandDone{spoke, c.Arg("key"), std::move(status), "result"};
    }
    if (c.name == "join") return edge::JoinTunnel{static_cast<uint64_t>(c.Int("id"))};
    if (c.name == "user") return testing::FromUserOf(c);
    if (c.name == "subscribe") return edge::SpokeSubscribe{spoke, SubscribeOf(c)};
    if (c.name == "done") return edge::ResourceDone{spoke, AckOf(c)};
    if (c.name == "epoch-stored") return edge::EpochStored{static_cast<uint64_t>(c.Int("epoch"))};
    if (c.name == "stored")
      return edge::ReportStored{c.Arg("type"), static_cast<uint64_t>(c.Int("seq"))};
    if (c.name == "event-stored") {
      const std::string priority = c.Arg("priority", "telemetry");
      return edge::EventStored{c.Arg("stream"),
                               priority == "alarm"  ? EventPriority::kAlarm
                               : priority == "bulk" ? EventPriority::kBulk
                                                    : EventPriority::kTelemetry,
                               static_cast<uint64_t>(c.Int("seq"))};
    }
    if (c.name == "events-fetched")
      return edge::EventsFetched{connection, EventsOf(c), c.Has("more")};
    if (c.name == "drained") return edge::Drained{connection};
    if (c.name == "fetched") {
      edge::ReportsFetched event{connection, c.Arg("type"), {}, c.Has("more")};
      for (const std::string& text : ListOf(c, "seqs")) {
        Report report;
        EXPECT_TRUE(absl::SimpleAtoi(text, &report.sequence));
        report.type = c.Arg("type");
        report.key = absl::StrCat("default/r", text);
        report.value = testing::Filler(static_cast<size_t>(c.Int("bytes", 0)));
        event.reports.push_back(report);
      }
      return event;
    }
    return edge::FrameReceived{connection, CloudFrameOf(c)};
  }

  std::string Step(edge::Event event) {
    std::string out;
    for (const edge::Effect& effect : machine_->Step(std::move(event), now_)) {
      if (auto* begin = std::get_if<edge::BeginCommand>(&effect); begin != nullptr)
        begins_[begin->command.key].push_back(begin->begin);
      absl::StrAppend(&out, std::visit(EffectWriter(), effect), "\n");
    }
    return out;
  }

  // Ticks whenever the machine wants to be woken.
  std::string Advance(absl::Duration by) {
    std::string out;
    const absl::Duration end = now_ + by;
    while (machine_->NextWake() <= end) {
      now_ = machine_->NextWake();
      absl::StrAppend(&out, Step(edge::Tick{}));
    }
    now_ = end;
    return out;
  }

  std::string Status() {
    std::string out = absl::StrCat(machine_->connected() ? "connected" : machine_->down_reason(),
                                   " epoch=", machine_->epoch(), "\n");
    for (const EdgeSession::TypeStatus& type : machine_->types()) {
      absl::StrAppend(&out, type.type, " spoke=", type.spoke, " seq=", type.last_sequence,
                      type.synced ? " synced" : "", "\n");
    }
    return out;
  }

  absl::Duration now_ = absl::Seconds(1000);
  std::unique_ptr<EdgeSession> machine_;
  std::map<std::string, std::vector<uint64_t>> begins_;  // BeginCommands, by key.
};

TEST(EdgeSessionTest, FollowsTheScripts) {
  skerry::testing::RunScripts("services/lib/link/testdata/edge", [] {
    return [machine = std::make_shared<Machine>()](const ScriptCommand& command) {
      return machine->Run(command);
    };
  });
}

// link-6.3: the hub says when to come, and what failed before adds nothing to that.
TEST(EdgeSessionTest, AfterAGoAwayTheWaitIsTheHubsWithTheShortestJitter) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EdgeSession machine({.seed = seed});
    absl::Duration now = absl::Seconds(1000);
    machine.Step(edge::Start{}, now);
    for (uint64_t connection = 1; connection <= 10; ++connection) {
      machine.Step(edge::LinkClosed{connection, absl::UnavailableError("gone")}, now);
      now = machine.NextWake();
      machine.Step(edge::Tick{}, now);
    }
    machine.Step(edge::FrameReceived{11, GoAway{"OVERLOADED", absl::Seconds(20)}}, now);
    EXPECT_GE(machine.NextWake() - now, absl::Seconds(20)) << "seed=" << seed;
    EXPECT_LT(machine.NextWake() - now, absl::Seconds(21)) << "seed=" << seed;
  }
}

// link-6.5: a box that a hub sends to another replica dials soon, however often it failed before,
// and has failed no more often by that.
TEST(EdgeSessionTest, ToBeMovedIsNoFailure) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    EdgeSession::Config config;
    config.hello.protocol_version = 1;
    config.seed = seed;
    EdgeSession machine(config);
    absl::Duration now = absl::Seconds(1000);
    const auto wait = [&] { return machine.NextWake() - now; };
    const auto dial = [&] {
      now = machine.NextWake();
      machine.Step(edge::Tick{}, now);
    };
    uint64_t connection = 1;
    machine.Step(edge::Start{}, now);
    for (; connection < 7; ++connection) {
      machine.Step(edge::LinkClosed{connection, absl::UnavailableError("gone")}, now);
      dial();
    }
    machine.Step(
        edge::FrameReceived{connection, Welcome{5, absl::Seconds(10), "hub-1", absl::UnixEpoch()}},
        now);
    machine.Step(edge::FrameReceived{connection, GoAway{"DRAINING", absl::ZeroDuration()}}, now);
    EXPECT_LT(wait(), absl::Seconds(1)) << seed;
    dial();
    machine.Step(edge::LinkClosed{++connection, absl::UnavailableError("gone")}, now);
    EXPECT_LT(wait(), absl::Seconds(1)) << seed;
  }
}

}  // namespace
}  // namespace skerry::link
