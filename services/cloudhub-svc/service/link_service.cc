#include "services/cloudhub-svc/service/link_service.h"

#include <functional>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/link/v1/link.grpc.pb.h"
#include "services/cloudhub-svc/service/node_identity.h"
#include "services/lib/base/error.h"
#include "services/lib/link/wire.h"
#include "services/lib/rpc/awaited_answers.h"
#include "services/lib/rpc/bidi_server.h"

namespace skerry::cloudhub {
namespace {

namespace v1 = skerry::link::v1;

// Twelve subscriptions with a window and a message each, and the reports' acks.
constexpr size_t kPendingBytesMax = 32u << 20;
// Taken ahead of the node's shard; beyond, the transport holds the node back.
constexpr size_t kUnconsumedMax = 8;

// A node that has sent nothing for so long will hardly send more before it is answered.
constexpr absl::Duration kQuiet = absl::Milliseconds(5);

bool IsAnswered(const link::EdgeFrame& frame) {
  return std::holds_alternative<link::Report>(frame) ||
         std::holds_alternative<link::EventBatch>(frame) ||
         std::holds_alternative<link::Heartbeat>(frame);
}

class StreamLink final : public NodeLink {
 public:
  StreamLink(std::shared_ptr<rpc::Stream<v1::CloudFrame>> stream, CloudHubMetrics& metrics)
      : stream_(std::move(stream)), metrics_(metrics) {}

  void Send(link::CloudFrame frame) override {
    const absl::string_view frame_class = link::ClassOf(frame);
    v1::CloudFrame message = link::ToWire(std::move(frame));
    metrics_.BytesDown(frame_class, message.ByteSizeLong());
    stream_->Send(std::move(message));
  }
  void Close(absl::Status status) override { stream_->Close(std::move(status)); }
  void AwaitDrained(std::function<void()> drained) override {
    {
      absl::MutexLock lock(&mutex_);
      drained_ = std::move(drained);
    }
    // It may have drained before it was asked.
    if (stream_->pending_bytes() == 0) Drained();
  }

  // The stream has taken all that was sent.
  void Drained() {
    std::function<void()> drained;
    {
      absl::MutexLock lock(&mutex_);
      drained = std::exchange(drained_, nullptr);
    }
    if (drained) drained();
  }

 private:
  const std::shared_ptr<rpc::Stream<v1::CloudFrame>> stream_;
  CloudHubMetrics& metrics_;
  absl::Mutex mutex_;
  std::function<void()> drained_ ABSL_GUARDED_BY(mutex_);
};

// What one stream's reactions share; gRPC calls them one at a time.
struct Reader {
  Reader(SessionHub::Connection connection, std::shared_ptr<rpc::Stream<v1::CloudFrame>> stream)
      : connection(std::move(connection)), stream(std::move(stream)) {}
  const SessionHub::Connection connection;
  const std::shared_ptr<rpc::Stream<v1::CloudFrame>> stream;
  bool closing = false;         // Nothing more is read.
  absl::Duration last_message;  // Monotonic.
};

class LinkServiceImpl final : public v1::LinkService::CallbackService {
 public:
  LinkServiceImpl(SessionHub& hub, NodeGate& gate, rpc::Listener& listener, Clock& clock,
                  CloudHubMetrics& metrics, log::Logger log)
      : hub_(hub),
        gate_(gate),
        listener_(listener),
        clock_(clock),
        metrics_(metrics),
        log_(std::move(log)),
        answers_(clock) {}

  grpc::ServerBidiReactor<v1::EdgeFrame, v1::CloudFrame>* Connect(
      grpc::CallbackServerContext* context) override {
    return rpc::AcceptBidi<v1::EdgeFrame, v1::CloudFrame>(
        context, {.pending_bytes_max = kPendingBytesMax, .unconsumed_max = kUnconsumedMax},
        [this](const rpc::CallScope& scope, std::shared_ptr<rpc::Stream<v1::CloudFrame>> stream) {
          return Accept(scope.peer, std::move(stream));
        });
  }

 private:
  rpc::StreamEvents<v1::EdgeFrame> Accept(const rpc::PeerIdentity& peer,
                                          std::shared_ptr<rpc::Stream<v1::CloudFrame>> stream) {
    listener_.Arrived(peer.address);
    absl::StatusOr<NodeName> node = NodeOf(peer);
    if (!node.ok()) {
      log_.Warning("connection refused", node.status(), {{"peer", peer.address}});
      metrics_.Refused("IDENTITY");
      listener_.Refused(peer.address);
      stream->Close(node.status());
      return {};
    }
    auto link = std::make_shared<StreamLink>(stream, metrics_);
    absl::StatusOr<SessionHub::Connection> connection =
        hub_.Open({.node = *node, .key_hash = peer.key_hash}, peer.address, link);
    if (!connection.ok()) {
      if (GetErrorInfo(connection.status()).reason == "DIALS_TOO_OFTEN")
        listener_.Refused(peer.address);
      stream->Close(connection.status());
      return {};
    }
    auto reader = std::make_shared<Reader>(*std::move(connection), stream);
    // Asked once it is open: who disables a node says so first, and then ends what is open.
    const absl::Status admitted = gate_.Admit(*node);
    if (!admitted.ok()) {
      log_.Warning("connection refused", admitted, {{"peer", peer.address}});
      metrics_.Refused("DISABLED");
      reader->closing = true;
      stream->Close(admitted);
    }
    return {
        .on_message = [this, reader](v1::EdgeFrame message) { Read(reader, std::move(message)); },
        .on_closed = [this, reader](absl::Status) { hub_.Closed(reader->connection); },
        .on_drained = [link] { link->Drained(); }};
  }

  void Read(const std::shared_ptr<Reader>& reader, v1::EdgeFrame message) {
    if (reader->closing) return;
    const size_t bytes = message.ByteSizeLong();
    absl::StatusOr<link::EdgeFrame> frame = link::FromWire(std::move(message));
    if (!frame.ok()) {
      reader->closing = true;
      return hub_.Invalid(reader->connection, frame.status());
    }
    metrics_.BytesUp(link::ClassOf(*frame), bytes);
    const absl::Duration now = clock_.Monotonic();
    if (now - std::exchange(reader->last_message, now) > kQuiet && IsAnswered(*frame))
      answers_.Expect(reader->stream);
    hub_.Frame(reader->connection, *std::move(frame),
               [stream = reader->stream] { stream->Consumed(); });
  }

  SessionHub& hub_;
  NodeGate& gate_;
  rpc::Listener& listener_;
  Clock& clock_;
  CloudHubMetrics& metrics_;
  const log::Logger log_;
  rpc::AwaitedAnswers answers_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeLinkService(SessionHub& hub, NodeGate& gate,
                                               rpc::Listener& listener, Clock& clock,
                                               CloudHubMetrics& metrics, log::Logger log) {
  return std::make_unique<LinkServiceImpl>(hub, gate, listener, clock, metrics, std::move(log));
}

}  // namespace skerry::cloudhub
