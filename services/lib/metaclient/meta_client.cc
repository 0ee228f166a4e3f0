#include "services/lib/metaclient/meta_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server_reader_client.h"

namespace skerry::metaclient {
namespace {

namespace meta = skerry::meta::v1;

constexpr absl::Duration kRetryMin = absl::Milliseconds(200);
constexpr absl::Duration kReportTimeout = absl::Seconds(10);
constexpr size_t kUnconsumedMax = 64;

using Name = std::pair<std::string, std::string>;  // Type and key.

}  // namespace

// All of it is used on the executor's thread only, but for Post.
struct MetaClient::Impl : std::enable_shared_from_this<MetaClient::Impl> {
  Impl(const Options& o, exec::SerialExecutor& e, MetaListener& l, log::Logger g)
      : options(o), executor(&e), listener(l), log(std::move(g)) {}

  Options options;
  absl::Mutex executor_mutex;
  // Null once it is closed: calls of gRPC's that end later find nothing to do.
  exec::SerialExecutor* executor ABSL_GUARDED_BY(executor_mutex);
  MetaListener& listener;
  log::Logger log;
  std::unique_ptr<meta::MetaService::Stub> stub;
  bool closed = false;

  std::shared_ptr<rpc::StreamControl> stream;
  std::string resume_token;
  bool full = true;             // The snapshot being read names everything.
  bool synced = false;          // On this connection.
  std::set<Name> known, named;  // Told to the listener; named by the snapshot being read.
  absl::Duration watch_backoff = absl::ZeroDuration();
  bool complained = false;

  std::map<Name, meta::PutReportRequest> reports;  // Not yet taken.
  bool sending = false;
  absl::Duration send_backoff = absl::ZeroDuration();
  grpc::ClientContext* open_call = nullptr;

  // Runs `work` on the executor unless the client is gone by then.
  template <typename Work>
  void Post(Work work) {
    absl::MutexLock lock(&executor_mutex);
    if (executor != nullptr) executor->Post(UnlessClosed(std::move(work)));
  }
  template <typename Work>
  void PostAfter(absl::Duration delay, Work work) {
    absl::MutexLock lock(&executor_mutex);
    if (executor != nullptr) executor->PostAfter(delay, UnlessClosed(std::move(work)));
  }
  template <typename Work>
  auto UnlessClosed(Work work) {
    return [self = shared_from_this(), work = std::move(work)]() mutable {
      if (!self->closed) work(*self);
    };
  }
  void Close();

  void Watch();
  void OnMessage(meta::WatchObjectsResponse response);
  void OnClosed(const absl::Status& status);
  void OnSnapshotEnd();
  void PutReport(meta::PutReportRequest request);
  void SendNext();
  void OnSent(const Name& name, const std::string& value, const absl::Status& status);
};

void MetaClient::Impl::Watch() {
  meta::WatchObjectsRequest request;
  for (const std::string& type : options.types) request.add_types(type);
  request.set_resume_token(resume_token);
  full = resume_token.empty();
  named.clear();
  synced = false;
  rpc::StreamEvents<meta::WatchObjectsResponse> events;
  events.on_message = [self = shared_from_this()](meta::WatchObjectsResponse response) {
    self->Post([response = std::move(response)](Impl& impl) mutable {
      impl.OnMessage(std::move(response));
    });
  };
  events.on_closed = [self = shared_from_this()](absl::Status status) {
    self->Post([status](Impl& impl) { impl.OnClosed(status); });
  };
  rpc::StreamOptions stream_options;
  stream_options.unconsumed_max = kUnconsumedMax;
  stream = rpc::DialReader<meta::WatchObjectsRequest, meta::WatchObjectsResponse>(
      std::move(request),
      [this](auto* context, const auto* req, auto* reactor) {
        stub->async()->WatchObjects(context, req, reactor);
      },
      stream_options, std::move(events));
}

void MetaClient::Impl::OnMessage(meta::WatchObjectsResponse response) {
  watch_backoff = absl::ZeroDuration();
  complained = false;
  if (!response.resume_token().empty()) resume_token = response.resume_token();
  switch (response.event_case()) {
    case meta::WatchObjectsResponse::kUpserted: {
      const Name name(response.upserted().type(), response.upserted().key());
      known.insert(name);
      if (!synced) named.insert(name);
      listener.OnObject(name.first, name.second, response.upserted().object());
      break;
    }
    case meta::WatchObjectsResponse::kDeleted: {
      const Name name(response.deleted().type(), response.deleted().key());
      known.erase(name);
      named.erase(name);
      listener.OnObjectDeleted(name.first, name.second);
      break;
    }
    case meta::WatchObjectsResponse::kSynced:
      OnSnapshotEnd();
      break;
    case meta::WatchObjectsResponse::kBookmark:
    case meta::WatchObjectsResponse::EVENT_NOT_SET:
      break;
  }
  if (stream != nullptr) stream->Consumed();
}

void MetaClient::Impl::OnSnapshotEnd() {
  if (full) {
    // What was deleted while nobody watched is what the snapshot does not name.
    std::set<Name> gone;
    std::set_difference(known.begin(), known.end(), named.begin(), named.end(),
                        std::inserter(gone, gone.end()));
    for (const Name& name : gone) {
      known.erase(name);
      listener.OnObjectDeleted(name.first, name.second);
    }
  }
  named.clear();
  synced = true;
  log.Info("objects of the box are known",
           {{"objects", static_cast<uint64_t>(known.size())}, {"resumed", !full}});
  listener.OnConnected(true);
  listener.OnSynced();
}

void MetaClient::Impl::OnClosed(const absl::Status& status) {
  stream = nullptr;
  if (synced) listener.OnConnected(false);
  synced = false;
  if (absl::IsOutOfRange(status)) {
    resume_token.clear();
    return Watch();
  }
  // A snapshot that broke off can't be resumed: its token speaks of what was not told yet.
  if (full && !named.empty()) resume_token.clear();
  if (!complained)
    log.Warning("edge-meta-svc can't be reached", status, {{"address", options.address}});
  complained = true;
  watch_backoff = std::clamp(watch_backoff * 2, kRetryMin, options.reconnect_max);
  PostAfter(watch_backoff, [](Impl& impl) { impl.Watch(); });
}

void MetaClient::Impl::PutReport(meta::PutReportRequest request) {
  reports[{request.type(), request.key()}] = std::move(request);
  SendNext();
}

void MetaClient::Impl::SendNext() {
  if (sending || reports.empty()) return;
  sending = true;
  struct Call {
    grpc::ClientContext context;
    meta::PutReportRequest request;
    meta::PutReportResponse response;
  };
  auto call = std::make_shared<Call>();
  call->request = reports.begin()->second;
  call->context.set_deadline(rpc::DeadlineIn(kReportTimeout));
  open_call = &call->context;
  stub->async()->PutReport(
      &call->context, &call->request, &call->response,
      [self = shared_from_this(), call](grpc::Status status) {
        self->Post([call, status = rpc::FromGrpc(status)](Impl& impl) {
          impl.OnSent({call->request.type(), call->request.key()}, call->request.value(), status);
        });
      });
}

void MetaClient::Impl::OnSent(const Name& name, const std::string& value,
                              const absl::Status& status) {
  open_call = nullptr;
  listener.OnReportSent(status.ok());
  const auto it = reports.find(name);
  // What edge-meta-svc refuses for good is dropped: it would hold up all others.
  const bool refused = absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
  if (refused)
    log.Error("report refused by edge-meta-svc", status,
              {{"type", name.first}, {"key", name.second}});
  if ((status.ok() || refused) && it != reports.end() && it->second.value() == value)
    reports.erase(it);
  if (status.ok() || refused) {
    send_backoff = absl::ZeroDuration();
    sending = false;
    return SendNext();
  }
  send_backoff = std::clamp(send_backoff * 2, kRetryMin, options.reconnect_max);
  PostAfter(send_backoff, [](Impl& impl) {
    impl.sending = false;
    impl.SendNext();
  });
}

absl::StatusOr<std::unique_ptr<MetaClient>> MetaClient::Create(const Options& options,
                                                               exec::SerialExecutor& executor,
                                                               MetaListener& listener,
                                                               log::Logger log) {
  auto impl = std::make_shared<Impl>(options, executor, listener, std::move(log));
  rpc::ChannelOptions channel;
  channel.target = options.address;
  channel.message_bytes_max = 16 << 20;
  channel.backoff_max = options.reconnect_max;
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> connection, rpc::MakeChannel(channel));
  impl->stub = meta::MetaService::NewStub(connection);
  return std::unique_ptr<MetaClient>(new MetaClient(std::move(impl)));
}

MetaClient::~MetaClient() { Close(); }

void MetaClient::Close() { impl_->Close(); }

void MetaClient::Impl::Close() {
  exec::SerialExecutor* running = nullptr;
  {
    absl::MutexLock lock(&executor_mutex);
    running = std::exchange(executor, nullptr);
  }
  if (running == nullptr) return;
  running->Run([this] {
    closed = true;
    if (stream != nullptr) stream->Close(absl::CancelledError("the watcher ends"));
    if (open_call != nullptr) open_call->TryCancel();
  });
}

void MetaClient::Start() {
  impl_->Post([](Impl& impl) { impl.Watch(); });
}

void MetaClient::Report(const std::string& type, const std::string& key, int64_t generation,
                        std::string value) {
  meta::PutReportRequest request;
  request.set_type(type);
  request.set_key(key);
  request.set_generation(generation);
  request.set_value(std::move(value));
  impl_->Post(
      [request = std::move(request)](Impl& impl) mutable { impl.PutReport(std::move(request)); });
}

}  // namespace skerry::metaclient
