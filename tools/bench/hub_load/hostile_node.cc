#include <cstddef>
#include <string>
#include <utility>

#include "api/skerry/link/v1/link.pb.h"
#include "services/lib/link/frames.h"
#include "tools/bench/hub_load/node.h"

namespace skerry::bench {
namespace {

constexpr absl::Duration kSilence = absl::Seconds(1);
constexpr size_t kHugeBytes = 5u << 20;

// Each session does one of these and the next follows at once: a frame that does not parse, one
// that is too large, subscriptions whose changes are never acknowledged.
class HostileNode final : public Node, private GrpcStream::Owner {
 public:
  explicit HostileNode(NodeParts parts) : parts_(std::move(parts)) {}
  ~HostileNode() override { Stop(); }

  void Start() override { Dial(); }
  void Stop() override {
    parts_.loop.Cancel(timer_);
    if (stream_ != nullptr) stream_->Close();
  }
  void Send(absl::string_view) override {}
  TcpBytes tcp() const override { return {}; }

 private:
  void Dial() {
    Stop();
    stream_ = GrpcStream::Open(parts_.loop, parts_.target, parts_.certificate_der,
                               1 + parts_.number % 200, *this);
    welcome_ = false;
    link::v1::EdgeFrame frame;
    frame.mutable_hello()->set_protocol_version(link::kProtocolVersion);
    frame.mutable_hello()->set_boot_id("hostile");
    frame.mutable_hello()->set_journal_id("hostile");
    stream_->Send(frame.SerializeAsString());
    DialIn(kSilence);
  }
  void DialIn(absl::Duration delay) {
    parts_.loop.Cancel(timer_);
    timer_ = parts_.loop.After(delay, [this] { Dial(); });
  }
  void OnMessage(absl::string_view) override {
    if (std::exchange(welcome_, true)) return;
    switch (sessions_++ % 3) {
      case 0:
        return stream_->Send("\xff\xff\xff");
      case 1:
        return stream_->Send(std::string(kHugeBytes, 'x'));
      default:
        for (const char* type : {"pods", "configmaps", "secrets", "serviceaccounts", "nodes"}) {
          link::v1::EdgeFrame frame;
          frame.mutable_subscribe()->set_type(type);
          frame.mutable_subscribe()->set_subscription_id(1);
          stream_->Send(frame.SerializeAsString());
        }
    }
  }
  void OnClosed(absl::Status) override { DialIn(absl::ZeroDuration()); }

  const NodeParts parts_;
  std::shared_ptr<GrpcStream> stream_;
  int sessions_ = 0;
  bool welcome_ = false;  // The answer has come, whatever it is.
  EventLoop::TimerId timer_ = 0;
};

}  // namespace

std::unique_ptr<Node> MakeHostileNode(NodeParts parts) {
  return std::make_unique<HostileNode>(std::move(parts));
}

}  // namespace skerry::bench
