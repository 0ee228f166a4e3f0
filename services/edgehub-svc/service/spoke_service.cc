#include "services/edgehub-svc/service/spoke_service.h"

#include <utility>

#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/edgehub-svc/service/spoke_wire.h"
#include "services/lib/base/error.h"
#include "services/lib/link/wire.h"
#include "services/lib/rpc/bidi_server.h"

namespace skerry::edgehub {
namespace {

constexpr size_t kPendingBytesMax = 32u << 20;
// Taken ahead of the sessions; beyond, the transport holds the spoke back.
constexpr size_t kUnconsumedMax = 64;

using HubStream = rpc::Stream<v1::HubFrame>;

class StreamSpoke final : public SpokePort {
 public:
  explicit StreamSpoke(std::shared_ptr<HubStream> stream) : stream_(std::move(stream)) {}
  void Send(SpokeMessage message) override { stream_->Send(ToWire(std::move(message))); }
  void Close(absl::Status status) override { stream_->Close(std::move(status)); }

 private:
  const std::shared_ptr<HubStream> stream_;
};

// What one stream's reactions share; gRPC calls them one at a time.
struct Attachment {
  explicit Attachment(std::shared_ptr<HubStream> stream) : stream(std::move(stream)) {}
  const std::shared_ptr<HubStream> stream;
  link::SpokeId id = 0;  // 0 before Register.
  bool failed = false;
};

class SpokeServiceImpl final : public v1::SpokeService::CallbackService {
 public:
  SpokeServiceImpl(EdgeHub& hub, std::string node, log::Logger log)
      : hub_(hub), node_(std::move(node)), log_(std::move(log)) {}

  grpc::ServerBidiReactor<v1::SpokeFrame, v1::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return rpc::AcceptBidi<v1::SpokeFrame, v1::HubFrame>(
        context, {.pending_bytes_max = kPendingBytesMax, .unconsumed_max = kUnconsumedMax},
        [this](const rpc::CallScope&, std::shared_ptr<HubStream> stream) {
          auto attachment = std::make_shared<Attachment>(std::move(stream));
          return rpc::StreamEvents<v1::SpokeFrame>{
              .on_message =
                  [this, attachment](v1::SpokeFrame frame) { Read(*attachment, std::move(frame)); },
              .on_closed =
                  [this, attachment](absl::Status) {
                    if (attachment->id != 0) hub_.Detach(attachment->id);
                  }};
        });
  }

 private:
  void Read(Attachment& spoke, v1::SpokeFrame frame) {
    if (spoke.failed) return;
    absl::Status status = Handle(spoke, std::move(frame));
    if (status.ok()) return;
    log_.Warning("spoke cut off", status);
    spoke.failed = true;
    spoke.stream->Close(status);
  }

  absl::Status Handle(Attachment& spoke, v1::SpokeFrame frame) {
    if (frame.body_case() == v1::SpokeFrame::kRegister)
      return Register(spoke, *frame.mutable_register_());
    if (spoke.id == 0) return SpokeError("the first frame is not Register");
    auto done = [stream = spoke.stream] { stream->Consumed(); };
    switch (frame.body_case()) {
      case v1::SpokeFrame::kSubscribe: {
        absl::StatusOr<link::Subscribe> subscribe = FromWire(std::move(*frame.mutable_subscribe()));
        if (!subscribe.ok()) return subscribe.status();
        hub_.Subscribe(spoke.id, *std::move(subscribe), std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kResourceDone: {
        absl::StatusOr<link::ResourceAck> ack = FromWire(std::move(*frame.mutable_resource_done()));
        if (!ack.ok()) return ack.status();
        hub_.ResourceDone(spoke.id, *std::move(ack), std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kPutReport: {
        const uint64_t request_id = frame.put_report().request_id();
        absl::StatusOr<link::Report> report =
            link::FromWire(std::move(*frame.mutable_put_report()->mutable_report()));
        if (!report.ok()) {
          // One bad value must not cut off those of other keys.
          done();
          StreamSpoke(spoke.stream).Send(ReportStored{request_id, report.status()});
          return absl::OkStatus();
        }
        hub_.PutReport(spoke.id, request_id, *std::move(report), std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kPutEvents: {
        const uint64_t request_id = frame.put_events().request_id();
        absl::StatusOr<std::vector<NewEvent>> events =
            FromWire(std::move(*frame.mutable_put_events()));
        if (!events.ok()) {
          done();
          StreamSpoke(spoke.stream).Send(EventsStored{request_id, 0, events.status()});
          return absl::OkStatus();
        }
        hub_.PutEvents(spoke.id, request_id, *std::move(events), std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kCommandDone:
        hub_.CommandDone(spoke.id, FromWire(std::move(*frame.mutable_command_done())),
                         std::move(done));
        return absl::OkStatus();
      default:
        return SpokeError("a frame of a kind that is not known");
    }
  }

  absl::Status Register(Attachment& spoke, const v1::Register& message) {
    if (spoke.id != 0) return SpokeError("a second Register");
    absl::Status status = CheckRegister(message);
    if (!status.ok()) return status;
    v1::HubFrame registered;
    registered.mutable_registered()->set_node(node_);
    spoke.stream->Send(std::move(registered));
    spoke.stream->Consumed();
    spoke.id = hub_.Attach(message.spoke(),
                           {message.resource_types().begin(), message.resource_types().end()},
                           {message.report_types().begin(), message.report_types().end()},
                           std::make_shared<StreamSpoke>(spoke.stream), StreamsOf(message),
                           {message.tunnel_types().begin(), message.tunnel_types().end()},
                           {message.command_types().begin(), message.command_types().end()});
    return absl::OkStatus();
  }

  EdgeHub& hub_;
  const std::string node_;
  const log::Logger log_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSpokeService(EdgeHub& hub, const std::string& node,
                                                log::Logger log) {
  return std::make_unique<SpokeServiceImpl>(hub, node, std::move(log));
}

}  // namespace skerry::edgehub
