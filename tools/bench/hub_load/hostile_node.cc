#include <cstddef>
#include <string>
#include <utility>

#include "api/skerry/link/v1/link.pb.h"
#include "services/lib/link/frames.h"
#include "tools/bench/hub_load/node.h"

namespace skerry::bench {
namespace {

// A hub lets a node dial twice a second: who dials more often does less harm, but for kReconnects.
constexpr absl::Duration kRedial = absl::Milliseconds(500);
constexpr absl::Duration kResubscribe = absl::Seconds(5);
constexpr size_t kHugeBytes = 5u << 20;
constexpr absl::string_view kGarbage = "\xff\xff\xff";

class HostileNode final : public Node, private GrpcStream::Owner {
 public:
  HostileNode(NodeParts parts, Hostility kind) : parts_(std::move(parts)), kind_(kind) {}
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
  }
  void After(absl::Duration delay, void (HostileNode::*work)()) {
    parts_.loop.Cancel(timer_);
    timer_ = parts_.loop.After(delay, [this, work] { (this->*work)(); });
  }
  void OnMessage(absl::string_view) override {
    if (std::exchange(welcome_, true)) return;
    switch (kind_) {
      case Hostility::kHugeFrames:
        return stream_->Send(std::string(kHugeBytes, 'x'));
      case Hostility::kNeverAcks:
        return Subscribe();
      case Hostility::kReconnects:
        return After(absl::ZeroDuration(), &HostileNode::Dial);
      case Hostility::kGarbage:
        return stream_->Send(kGarbage);
    }
  }
  void OnClosed(absl::Status) override {
    After(kind_ == Hostility::kReconnects ? absl::ZeroDuration() : kRedial, &HostileNode::Dial);
  }
  // Again and again, so that all that its controller has for it is queued anew.
  void Subscribe() {
    link::v1::EdgeFrame frame;
    frame.mutable_subscribe()->set_type("pods");
    frame.mutable_subscribe()->set_subscription_id(++subscription_id_);
    stream_->Send(frame.SerializeAsString());
    After(kResubscribe, &HostileNode::Subscribe);
  }

  const NodeParts parts_;
  const Hostility kind_;
  std::shared_ptr<GrpcStream> stream_;
  bool welcome_ = false;  // The answer has come, whatever it is.
  uint64_t subscription_id_ = 0;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace

std::unique_ptr<Node> MakeHostileNode(NodeParts parts, Hostility kind) {
  return std::make_unique<HostileNode>(std::move(parts), kind);
}

}  // namespace skerry::bench
