#include <deque>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "api/skerry/link/v1/link.pb.h"
#include "services/lib/link/edge_session.h"
#include "services/lib/link/tunnel_events.h"
#include "services/lib/link/wire.h"
#include "tools/bench/hub_load/node.h"

namespace skerry::bench {
namespace {

namespace edge = link::edge;

// As edge-meta-svc registers.
constexpr const char* kResourceTypes[] = {"pods", "configmaps", "secrets", "serviceaccounts",
                                          "nodes"};
constexpr link::SpokeId kSpoke = 1;
constexpr int kKeys = 32;  // Of reports: two of one key are never under way, so none is coalesced.

link::EdgeSession::Config SessionOf(int number) {
  return {.hello = {.protocol_version = link::kProtocolVersion,
                    .boot_id = absl::StrCat("boot-", number),
                    .journal_id = absl::StrCat("journal-", number),
                    .software_version = "bench"},
          .seed = static_cast<uint64_t>(number)};
}

class LinkNode final : public Node, private GrpcStream::Owner {
 public:
  explicit LinkNode(NodeParts parts)
      : parts_(std::move(parts)), machine_(SessionOf(parts_.number)) {}
  ~LinkNode() override { parts_.loop.Cancel(timer_); }

  void Start() override {
    Feed(edge::SpokeAttached{
        kSpoke, {std::begin(kResourceTypes), std::end(kResourceTypes)}, {"pods", "nodes"}});
    Feed(edge::Start{});
  }
  void Stop() override {
    Feed(edge::Stop{});
    Lost();
  }
  void Send(absl::string_view payload) override {
    link::Report report;
    report.sequence = ++last_sequence_;
    report.type = "pods";
    report.key = absl::StrCat("default/pod-", last_sequence_ % kKeys);
    report.value = std::string(payload);
    journal_.push_back({std::move(report), EventLoop::Now()});
    Feed(edge::ReportStored{"pods", last_sequence_});
  }
  TcpBytes tcp() const override { return stream_ == nullptr ? TcpBytes{} : stream_->tcp(); }

 private:
  struct Entry {
    link::Report report;
    absl::Duration stored;
  };

  void OnMessage(absl::string_view bytes) override {
    link::v1::CloudFrame message;
    absl::StatusOr<link::CloudFrame> frame = absl::InvalidArgumentError("no CloudFrame");
    if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      frame = link::FromWire(std::move(message));
    }
    if (!frame.ok()) return Feed(edge::InvalidFrame{connection_, frame.status()});
    Feed(edge::FrameReceived{connection_, *std::move(frame)});
  }
  void OnDrained() override { Feed(edge::Drained{connection_}); }
  void OnClosed(absl::Status status) override {
    Feed(edge::LinkClosed{connection_, std::move(status)});
  }

  void Feed(edge::Event event) {
    for (edge::Effect& effect : machine_.Step(std::move(event), EventLoop::Now())) {
      std::visit([this](auto& e) { Perform(std::move(e)); }, effect);
    }
    Arm();
  }
  // Timers are moved only to fire earlier, as cloudhub-svc does.
  void Arm() {
    const absl::Duration due = machine_.NextWake();
    if (due >= timer_due_) return;
    parts_.loop.Cancel(timer_);
    timer_due_ = due;
    timer_ = parts_.loop.After(due - EventLoop::Now(), [this] {
      timer_due_ = absl::InfiniteDuration();
      Feed(edge::Tick{});
    });
  }

  void Perform(edge::Dial effect) {
    if (stream_ != nullptr) stream_->Close();
    connection_ = effect.connection;
    synced_types_ = 0;
    stream_ = GrpcStream::Open(parts_.loop, parts_.target, parts_.certificate_der,
                               1 + parts_.number % 200, *this);
  }
  void Perform(edge::Send effect) {
    stream_->Send(link::ToWire(std::move(effect.frame)).SerializeAsString());
  }
  void Perform(edge::CloseLink) { stream_->Close(); }
  void Perform(edge::Disconnected) { Lost(); }
  void Perform(edge::ToSpoke effect) {
    if (auto* request = std::get_if<edge::SubscribeRequest>(&effect.message)) {
      Feed(edge::SpokeSubscribe{kSpoke, {request->type, request->subscription_id, {}, false}});
    } else if (auto* change = std::get_if<link::ResourceChange>(&effect.message)) {
      Feed(edge::ResourceDone{kSpoke,
                              {change->type, change->subscription_id, change->sequence, {}}});
      if (change->change.kind == link::Change::Kind::kSynced) Synced();
    }
  }
  void Perform(edge::FetchReports effect) {
    edge::ReportsFetched fetched{effect.connection, effect.type, {}, false};
    size_t bytes = 0;
    for (const Entry& entry : journal_) {
      if (effect.type != "pods" || entry.report.sequence <= effect.after) continue;
      fetched.more = fetched.reports.size() >= effect.count_max || bytes >= effect.bytes_max;
      if (fetched.more) break;
      bytes += link::ReportBytes(entry.report);
      fetched.reports.push_back(entry.report);
    }
    Feed(std::move(fetched));
  }
  void Perform(link::tunnel::ToUser) {}  // Nobody opens a tunnel to it.
  void Perform(edge::TrimReports effect) {
    const absl::Duration now = EventLoop::Now();
    while (!journal_.empty() && journal_.front().report.sequence <= effect.up_to) {
      const absl::Duration stored = journal_.front().stored;
      journal_.pop_front();
      parts_.observer.OnAnswered(parts_.number, now - stored);
    }
  }
  void Perform(edge::StoreEpoch effect) { Feed(edge::EpochStored{effect.epoch}); }
  void Perform(edge::AwaitDrained) { stream_->AwaitDrained(); }
  void Perform(const edge::FetchEvents&) {}  // It has none.
  void Perform(const edge::TrimEvents&) {}
  void Perform(const edge::BeginCommand&) {}  // It takes none, so none comes.
  void Perform(const edge::FinishCommand&) {}
  void Perform(const edge::ForgetCommand&) {}
  void Perform(const edge::ReadCommand&) {}
  void Perform(const edge::Connected&) {}
  void Perform(const edge::IntervalAdapted&) {}
  void Perform(edge::Count) {}
  void Perform(const link::CompressionBytes&) {}
  void Perform(edge::CloseSpoke) {}

  void Synced() {
    if (++synced_types_ != std::size(kResourceTypes)) return;
    in_sync_ = true;
    parts_.observer.OnInSync(parts_.number);
  }
  void Lost() {
    if (std::exchange(in_sync_, false)) parts_.observer.OnLost(parts_.number);
  }

  const NodeParts parts_;
  link::EdgeSession machine_;
  std::shared_ptr<GrpcStream> stream_;
  uint64_t connection_ = 0;
  size_t synced_types_ = 0;
  bool in_sync_ = false;
  uint64_t last_sequence_ = 0;
  std::deque<Entry> journal_;
  EventLoop::TimerId timer_ = 0;
  absl::Duration timer_due_ = absl::InfiniteDuration();
};

}  // namespace

std::unique_ptr<Node> MakeLinkNode(NodeParts parts) {
  return std::make_unique<LinkNode>(std::move(parts));
}

}  // namespace skerry::bench
