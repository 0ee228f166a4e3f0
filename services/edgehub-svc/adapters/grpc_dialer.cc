#include "services/edgehub-svc/adapters/grpc_dialer.h"

#include <atomic>
#include <functional>
#include <utility>

#include "api/skerry/link/v1/link.grpc.pb.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/wire.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/channel.h"

namespace skerry::edgehub {
namespace {

namespace v1 = skerry::link::v1;

constexpr size_t kPendingBytesMax = 32u << 20;
constexpr size_t kUnconsumedMax = 16;

class GrpcLink final : public CloudLink {
 public:
  GrpcLink(std::shared_ptr<grpc::Channel> channel, EdgeHubMetrics& metrics)
      : channel_(std::move(channel)), metrics_(metrics) {}

  // Before anything else.
  void Open(LinkEvents events) {
    on_drained_ = std::move(events.on_drained);
    std::unique_ptr<v1::LinkService::Stub> stub = v1::LinkService::NewStub(channel_);
    stream_ = rpc::DialBidi<v1::CloudFrame, v1::EdgeFrame>(
        [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); },
        {.pending_bytes_max = kPendingBytesMax, .unconsumed_max = kUnconsumedMax},
        {.on_message =
             [on_frame = std::move(events.on_frame),
              on_invalid = std::move(events.on_invalid)](v1::CloudFrame message) {
               const size_t bytes = message.ByteSizeLong();
               absl::StatusOr<link::CloudFrame> frame = link::FromWire(std::move(message));
               if (!frame.ok()) return on_invalid(frame.status());
               on_frame(*std::move(frame), bytes);
             },
         .on_closed = std::move(events.on_closed),
         .on_drained =
             [awaited = awaited_, on_drained = on_drained_] {
               if (awaited->exchange(false)) on_drained();
             }});
  }

  void Send(link::EdgeFrame frame) override {
    const absl::string_view frame_class = link::ClassOf(frame);
    v1::EdgeFrame message = link::ToWire(std::move(frame));
    metrics_.BytesUp(frame_class, message.ByteSizeLong());
    stream_->Send(std::move(message));
  }
  void Close(absl::Status status) override { stream_->Close(std::move(status)); }
  void Consumed() override { stream_->Consumed(); }
  void AwaitDrained() override {
    awaited_->store(true);
    // It may have drained before it was asked.
    if (stream_->pending_bytes() == 0 && awaited_->exchange(false)) on_drained_();
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  EdgeHubMetrics& metrics_;
  std::function<void()> on_drained_;
  const std::shared_ptr<std::atomic<bool>> awaited_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<rpc::Stream<v1::EdgeFrame>> stream_;
};

// What could not be dialled at all.
class DeadLink final : public CloudLink {
 public:
  void Send(link::EdgeFrame) override {}
  void Close(absl::Status) override {}
  void Consumed() override {}
  void AwaitDrained() override {}
};

}  // namespace

GrpcDialer::GrpcDialer(std::string target, std::string server_name,
                       std::shared_ptr<grpc::ChannelCredentials> credentials,
                       EdgeHubMetrics& metrics)
    : target_(std::move(target)),
      server_name_(std::move(server_name)),
      credentials_(std::move(credentials)),
      metrics_(metrics) {}

std::shared_ptr<CloudLink> GrpcDialer::Dial(LinkEvents events) {
  rpc::ChannelOptions options;
  options.target = target_;
  options.server_name = server_name_;
  options.credentials = credentials_;
  options.own_connection = true;
  options.window_bytes = link::kTransportWindowBytes;
  options.message_bytes_max = link::kFrameBytesMax;
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = rpc::MakeChannel(options);
  if (!channel.ok()) {
    events.on_closed(channel.status());
    return std::make_shared<DeadLink>();
  }
  auto link = std::make_shared<GrpcLink>(*std::move(channel), metrics_);
  link->Open(std::move(events));
  return link;
}

}  // namespace skerry::edgehub
