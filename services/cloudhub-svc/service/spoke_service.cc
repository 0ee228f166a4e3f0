#include "services/cloudhub-svc/service/spoke_service.h"

#include <utility>

#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "services/cloudhub-svc/service/spoke_wire.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::cloudhub {
namespace {

constexpr size_t kPendingBytesMax = 128u << 20;
// Taken ahead of the sessions; beyond, the transport holds the spoke back.
constexpr size_t kUnconsumedMax = 256;

using HubStream = rpc::Stream<v1::HubFrame>;

class StreamSpoke final : public SpokeLink {
 public:
  explicit StreamSpoke(std::shared_ptr<HubStream> stream) : stream_(std::move(stream)) {}

  void Send(SpokeMessage message) override { stream_->Send(ToWire(std::move(message))); }
  void SendNodesSynced() override {
    v1::HubFrame frame;
    frame.mutable_nodes_synced();
    stream_->Send(std::move(frame));
  }
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
  SpokeServiceImpl(SessionHub& hub, std::string hub_name, log::Logger log)
      : hub_(hub), hub_name_(std::move(hub_name)), log_(std::move(log)) {}

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
                  [this, attachment](absl::Status status) {
                    if (!status.ok() && !absl::IsCancelled(status))
                      log_.Warning("spoke cut off", status);
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
      case v1::SpokeFrame::kPush: {
        const v1::NodeSession session = frame.push().session();
        absl::StatusOr<link::cloud::Push> push =
            FromWire(spoke.id, std::move(*frame.mutable_push()));
        if (!push.ok()) return push.status();
        hub_.ToNode(session.node(), session.epoch(), *std::move(push), std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kReportDone: {
        const v1::ReportDone& report = frame.report_done();
        hub_.ToNode(
            report.session().node(), report.session().epoch(),
            link::cloud::ReportDone{spoke.id, report.sequence(), rpc::FromProto(report.status())},
            std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kEventsDone: {
        const v1::NodeSession session = frame.events_done().session();
        absl::StatusOr<link::cloud::EventsDone> events =
            FromWire(spoke.id, std::move(*frame.mutable_events_done()));
        if (!events.ok()) return events.status();
        hub_.ToNode(session.node(), session.epoch(), *std::move(events), std::move(done));
        return absl::OkStatus();
      }
      case v1::SpokeFrame::kResync: {
        const v1::Resync& resync = frame.resync();
        hub_.ToNode(resync.session().node(), resync.session().epoch(),
                    link::cloud::SpokeResync{spoke.id, resync.type()}, std::move(done));
        return absl::OkStatus();
      }
      default:
        return SpokeError("a frame of a kind that is not known");
    }
  }

  absl::Status Register(Attachment& spoke, const v1::Register& message) {
    if (spoke.id != 0) return SpokeError("a second Register");
    absl::Status status = CheckRegister(message);
    if (!status.ok()) return status;
    v1::HubFrame registered;
    registered.mutable_registered()->set_hub(hub_name_);
    registered.mutable_registered()->set_takes_following(true);
    if (message.takes_following()) spoke.stream->SendBundles();
    spoke.stream->Send(std::move(registered));
    spoke.stream->Consumed();
    spoke.id = hub_.Attach(message.spoke(),
                           {message.resource_types().begin(), message.resource_types().end()},
                           {message.report_types().begin(), message.report_types().end()},
                           std::make_shared<StreamSpoke>(spoke.stream),
                           {message.event_streams().begin(), message.event_streams().end()});
    return absl::OkStatus();
  }

  SessionHub& hub_;
  const std::string hub_name_;
  const log::Logger log_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSpokeService(SessionHub& hub, const std::string& hub_name,
                                                log::Logger log) {
  return std::make_unique<SpokeServiceImpl>(hub, hub_name, std::move(log));
}

}  // namespace skerry::cloudhub
