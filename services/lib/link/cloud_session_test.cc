// Runs testdata/cloud/*.txt. Commands: new, hello, admit, refuse, deny, invalid, superseded,
// closed, fence, drain, attach, detach, push, done, resync, subscribe, unsubscribe, ack, report,
// events, events-done, heartbeat, chunk, epoch-stored, advance, open, user, drained, tunnel-accept,
// tunnel-data, tunnel-credit, tunnel-close, turn, queue, send-command, drop, receipt, takers.
// "await sync" is answered at once, unless hold-turns was said.
#include "services/lib/link/cloud_session.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/lib/link/chunks.h"
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
  std::string operator()(const cloud::NodeConnected&) const { return "NodeConnected"; }
  std::string operator()(const cloud::NodeDisconnected& m) const {
    return absl::StrCat("NodeDisconnected ", m.reason);
  }
  std::string operator()(const cloud::Subscribed& m) const { return Text(m.subscribe); }
  std::string operator()(const cloud::Unsubscribed& m) const {
    return absl::StrCat("Unsubscribed ", m.type, " id=", m.subscription_id);
  }
  std::string operator()(const cloud::PushDone& m) const {
    std::string text = absl::StrCat("PushDone ", m.type, " id=", m.subscription_id);
    for (const PushOutcome& outcome : m.outcomes) {
      absl::StrAppend(&text, " ", outcome.key.empty() ? "(synced)" : outcome.key, "@",
                      outcome.version, outcome.status.ok() ? "" : "!");
    }
    return text;
  }
  std::string operator()(const cloud::NodeReport& m) const { return Text(m.report); }
  std::string operator()(const cloud::NodeEvents& m) const {
    return absl::StrCat("Events ", Text(m.batch));
  }
};

struct EffectWriter {
  std::string operator()(const cloud::Admit&) const { return "admit?"; }
  std::string operator()(const cloud::Send& e) const {
    return absl::StrCat("send ", Text(e.frame));
  }
  std::string operator()(const cloud::ToSpoke& e) const {
    return absl::StrCat("spoke ", e.spoke, ": ", std::visit(MessageWriter(), e.message));
  }
  std::string operator()(const cloud::EpochStored&) const { return "epoch stored"; }
  std::string operator()(const cloud::AwaitDrained&) const { return "await drained"; }
  std::string operator()(const cloud::AwaitSync&) const { return "await sync"; }
  std::string operator()(const cloud::CommandDue& e) const { return absl::StrCat("due ", e.key); }
  std::string operator()(const cloud::CommandReceived& e) const {
    return absl::StrCat("hears ", Text(e.receipt));
  }
  std::string operator()(const tunnel::ToUser& e) const { return Text(e); }
  std::string operator()(const CompressionBytes& e) const { return Text(e); }
  std::string operator()(const cloud::Close& e) const {
    return absl::StrCat("close ", e.reason, " ", Text(e.status));
  }
  std::string operator()(const cloud::Count& e) const {
    static constexpr const char* kNames[] = {"stale push",        "invalid push",      "stale ack",
                                             "stale report done", "stale events done", "overflow",
                                             "stale tunnel",      "deferred"};
    return absl::StrCat("count ", kNames[static_cast<int>(e.incident)]);
  }
};

class Machine {
 public:
  std::string Run(const ScriptCommand& c) {
    if (c.name == "new") {
      config_.hub = "hub-1";
      config_.heartbeat_interval = absl::Seconds(10);
      config_.compression = c.Has("deflate");
      config_.unsent_bytes_max = static_cast<size_t>(c.Int("unsent_max", 1 << 20));
      config_.transport_bytes_max =
          static_cast<size_t>(c.Int("transport_max", kTransportUnsentBytesMax));
      joined_ = c.Arg("chunks", "") == "joined";
      machine_ = std::make_unique<CloudSession>(config_, now_);
      return "";
    }
    if (c.name == "advance") {
      return Advance(absl::Seconds(c.Int("seconds", 0)) +
                     absl::Milliseconds(c.Int("milliseconds", 0)));
    }
    if (c.name == "hold-turns") {
      hold_turns_ = true;
      return "";
    }
    if (c.name == "sync") {
      static constexpr const char* kNames[] = {"awaited", "under way", "done"};
      return kNames[static_cast<int>(machine_->sync())];
    }
    if (c.name == "pending") return absl::StrCat(machine_->unsent_bytes(), " bytes");
    return Step(EventOf(c));
  }

 private:
  cloud::Event EventOf(const ScriptCommand& c) {
    const SpokeId spoke = static_cast<SpokeId>(c.Int("spoke", 1));
    if (c.name == "hello") {
      Hello hello{static_cast<uint32_t>(c.Int("version", 1)), "boot", "journal", "v1"};
      hello.heartbeat_interval_max = absl::Seconds(c.Int("interval", 0));
      hello.accepts_deflate = c.Has("deflate");
      hello.down_limit = {static_cast<uint64_t>(c.Int("rate", 0)),
                          static_cast<uint64_t>(c.Int("burst", 0))};
      return cloud::FrameReceived{std::move(hello)};
    }
    if (c.name == "admit")
      return cloud::Admitted{static_cast<uint64_t>(c.Int("epoch")), absl::UnixEpoch()};
    if (c.name == "refuse")
      return cloud::Refused{absl::UnavailableError("no"), c.Arg("reason"), absl::Seconds(5)};
    if (c.name == "deny") return cloud::Denied{absl::PermissionDeniedError("never")};
    if (c.name == "invalid") return cloud::InvalidFrame{Violation("link-7.1", "a key is empty")};
    if (c.name == "superseded") return cloud::Superseded{};
    if (c.name == "closed") return cloud::LinkClosed{};
    if (c.name == "fence") return cloud::Fence{};
    if (c.name == "drain") return cloud::Drain{absl::Seconds(1)};
    if (c.name == "attach")
      return cloud::SpokeAttached{spoke, ListOf(c, "resources"), ListOf(c, "reports"),
                                  ListOf(c, "events")};
    if (c.name == "detach") return cloud::SpokeDetached{spoke};
    if (c.name == "push")
      return cloud::Push{spoke, c.Arg("type"), static_cast<uint64_t>(c.Int("id")), ChangeOf(c)};
    if (c.name == "done") {
      return cloud::ReportDone{
          spoke, static_cast<uint64_t>(c.Int("seq")),
          c.Has("error") ? absl::InvalidArgumentError("no good") : absl::OkStatus()};
    }
    if (c.name == "events-done") {
      return cloud::EventsDone{
          spoke, {c.Arg("stream"), static_cast<uint64_t>(c.Int("seq")), RejectionsOf(c)}};
    }
    if (c.name == "events") return cloud::FrameReceived{EventsOf(c)};
    if (c.name == "resync") return cloud::SpokeResync{spoke, c.Arg("type")};
    if (c.name == "subscribe") return cloud::FrameReceived{SubscribeOf(c)};
    if (c.name == "unsubscribe") {
      return cloud::FrameReceived{Unsubscribe{c.Arg("type"), static_cast<uint64_t>(c.Int("id"))}};
    }
    if (c.name == "ack") return cloud::FrameReceived{AckOf(c)};
    if (c.name == "report") {
      EdgeFrame frame = Report{static_cast<uint64_t>(c.Int("seq")),
                               c.Arg("type"),
                               c.Arg("key"),
                               0,
                               {},
                               testing::Filler(static_cast<size_t>(c.Int("bytes", 1)))};
      if (c.Has("deflate")) frame = Compress(Rank::kState, std::move(frame));
      return cloud::FrameReceived{std::move(frame)};
    }
    if (c.name == "heartbeat")
      return cloud::FrameReceived{Heartbeat{absl::Seconds(c.Int("interval", 0))}};
    if (c.name == "chunk") return cloud::FrameReceived{testing::ChunkOf(c)};
    if (c.name == "epoch-stored") return cloud::FrameReceived{EpochStored{}};
    if (c.name == "open") {
      return cloud::OpenTunnel{static_cast<uint64_t>(c.Int("id")), c.Arg("type", "kubelet"),
                               c.Arg("target", "")};
    }
    if (c.name == "queue") {
      return cloud::QueueCommand{c.Arg("key"), c.Arg("type", "method"),
                                 static_cast<size_t>(c.Int("bytes", 1)), c.Has("now"),
                                 c.Has("ask")};
    }
    if (c.name == "send-command") return cloud::SendCommand{testing::CommandOf(c)};
    if (c.name == "drop") return cloud::DropCommand{c.Arg("key")};
    if (c.name == "receipt") return cloud::FrameReceived{testing::ReceiptOf(c)};
    if (c.name == "takers") return cloud::FrameReceived{CommandTakers{ListOf(c, "types")}};
    if (c.name == "user") return testing::FromUserOf(c);
    if (c.name == "drained") return cloud::Drained{};
    if (c.name == "turn") return cloud::SyncTurn{};
    if (c.name == "tunnel-accept") {
      return cloud::FrameReceived{
          TunnelAccept{static_cast<uint64_t>(c.Int("id")), static_cast<uint64_t>(c.Int("credit"))}};
    }
    if (auto frame = testing::TunnelFrameOf(c); frame.has_value()) {
      return std::visit([](auto& f) { return cloud::Event(cloud::FrameReceived{std::move(f)}); },
                        *frame);
    }
    ADD_FAILURE() << "unknown command in line " << c.line << ": " << c.text;
    return cloud::Tick{};
  }

  std::string Step(cloud::Event event) {
    std::string out;
    bool drained = false;
    for (const cloud::Effect& effect : machine_->Step(std::move(event), now_)) {
      const auto* send = std::get_if<cloud::Send>(&effect);
      if (!hold_turns_ && std::holds_alternative<cloud::AwaitSync>(effect)) {
        absl::StrAppend(&out, Step(cloud::SyncTurn{}));
      } else if (joined_ && std::holds_alternative<cloud::AwaitDrained>(effect)) {
        drained = true;
      } else if (joined_ && send != nullptr && std::holds_alternative<Chunk>(send->frame)) {
        absl::StrAppend(&out, Join(std::get<Chunk>(send->frame)));
      } else {
        absl::StrAppend(&out, std::visit(EffectWriter(), effect), "\n");
      }
    }
    return drained ? out + Step(cloud::Drained{}) : out;
  }

  // With chunks=joined the transport takes all at once, and frames are shown when they are
  // complete.
  std::string Join(const Chunk& chunk) {
    absl::StatusOr<std::optional<std::string>> bytes = chunks_.Receive(chunk);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok() || !bytes->has_value()) return "";
    absl::StatusOr<CloudFrame> frame = ParseCloudFrame(**bytes);
    EXPECT_TRUE(frame.ok()) << frame.status();
    return frame.ok() ? absl::StrCat("send in chunks ", Text(*frame), "\n") : "";
  }

  // Ticks whenever the machine wants to be woken.
  std::string Advance(absl::Duration by) {
    std::string out;
    const absl::Duration end = now_ + by;
    while (machine_->NextWake() <= end) {
      now_ = machine_->NextWake();
      absl::StrAppend(&out, Step(cloud::Tick{}));
    }
    now_ = end;
    return out;
  }

  absl::Duration now_ = absl::Seconds(1000);
  bool hold_turns_ = false;
  CloudSession::Config config_;
  bool joined_ = false;
  ChunkReceiver chunks_;
  std::unique_ptr<CloudSession> machine_;
};

TEST(CloudSessionTest, FollowsTheScripts) {
  skerry::testing::RunScripts("services/lib/link/testdata/cloud", [] {
    return [machine = std::make_shared<Machine>()](const ScriptCommand& command) {
      return machine->Run(command);
    };
  });
}

}  // namespace
}  // namespace skerry::link
