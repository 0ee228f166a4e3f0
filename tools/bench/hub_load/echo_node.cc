#include <deque>
#include <utility>

#include "services/lib/link/backoff.h"
#include "tools/bench/hub_load/node.h"

namespace skerry::bench {
namespace {

// As the link's defaults.
constexpr absl::Duration kHeartbeat = absl::Seconds(16);
constexpr absl::Duration kDialTimeout = absl::Seconds(15);
constexpr absl::Duration kBackoffBase = absl::Seconds(1);
constexpr absl::Duration kBackoffMax = absl::Seconds(60);
constexpr absl::string_view kHeartbeatBytes = "\x32";

class EchoNode final : public Node, private GrpcStream::Owner {
 public:
  explicit EchoNode(NodeParts parts)
      : parts_(std::move(parts)),
        backoff_(kBackoffBase, kBackoffMax, static_cast<uint64_t>(parts_.number)) {}
  ~EchoNode() override { parts_.loop.Cancel(timer_); }

  void Start() override {
    sent_.clear();
    stream_ = GrpcStream::Open(parts_.loop, parts_.target, parts_.certificate_der,
                               1 + parts_.number % 200, *this);
    SendUnmeasured();
    Arm(kDialTimeout, [this] { Again(); });
  }
  void Stop() override {
    parts_.loop.Cancel(timer_);
    stream_->Close();
    Lost();
  }
  void Send(absl::string_view payload) override {
    sent_.push_back(EventLoop::Now());
    stream_->Send(payload);
  }
  TcpBytes tcp() const override { return stream_ == nullptr ? TcpBytes{} : stream_->tcp(); }

 private:
  // The first message and heartbeats.
  void SendUnmeasured() {
    sent_.push_back(absl::InfiniteDuration());
    stream_->Send(kHeartbeatBytes);
  }
  void OnMessage(absl::string_view) override {
    const absl::Duration sent = sent_.front();
    sent_.pop_front();
    if (sent != absl::InfiniteDuration()) {
      parts_.observer.OnAnswered(parts_.number, EventLoop::Now() - sent);
    } else if (!in_sync_) {
      in_sync_ = true;
      backoff_.Reset();
      Heartbeat();
      parts_.observer.OnInSync(parts_.number);
    }
  }
  void OnClosed(absl::Status) override { Again(); }

  void Heartbeat() {
    Arm(kHeartbeat, [this] {
      SendUnmeasured();
      Heartbeat();
    });
  }
  void Again() {
    stream_->Close();
    Lost();
    Arm(backoff_.Next(), [this] { Start(); });
  }
  void Arm(absl::Duration delay, absl::AnyInvocable<void()> work) {
    parts_.loop.Cancel(timer_);
    timer_ = parts_.loop.After(delay, std::move(work));
  }
  void Lost() {
    if (std::exchange(in_sync_, false)) parts_.observer.OnLost(parts_.number);
  }

  const NodeParts parts_;
  link::Backoff backoff_;
  std::shared_ptr<GrpcStream> stream_;
  std::deque<absl::Duration> sent_;  // Infinite: not measured.
  bool in_sync_ = false;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace

std::unique_ptr<Node> MakeEchoNode(NodeParts parts) {
  return std::make_unique<EchoNode>(std::move(parts));
}

}  // namespace skerry::bench
