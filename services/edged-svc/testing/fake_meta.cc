#include "services/edged-svc/testing/fake_meta.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/edged/v1/report.pb.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"

namespace skerry::edged {
namespace {

namespace meta = skerry::meta::v1;
using Name = std::pair<std::string, std::string>;

struct Change {
  int64_t number = 0;
  meta::Object object;
  bool deleted = false;
};

}  // namespace

struct FakeMeta::Impl final : meta::MetaService::Service {
  mutable absl::Mutex mutex;
  std::map<Name, meta::Object> objects;
  std::vector<Change> changes;
  int64_t last = 0, oldest_token = 0;
  std::map<Name, FakeReport> reports;
  int watchers = 0, epoch = 0;
  bool stopping = false;
  std::unique_ptr<grpc::Server> server;

  grpc::Status WatchObjects(grpc::ServerContext* context, const meta::WatchObjectsRequest* request,
                            grpc::ServerWriter<meta::WatchObjectsResponse>* writer) override {
    int64_t sent = 0;
    int mine;
    std::vector<meta::WatchObjectsResponse> out;
    {
      absl::MutexLock lock(&mutex);
      if (!request->resume_token().empty() &&
          (!absl::SimpleAtoi(request->resume_token(), &sent) || sent < oldest_token))
        return {grpc::StatusCode::OUT_OF_RANGE, "too old"};
      ++watchers;
      mine = epoch;
      if (request->resume_token().empty()) {
        sent = last;
        for (const auto& [name, object] : objects) *out.emplace_back().mutable_upserted() = object;
      } else {
        Collect(sent, out);
      }
      out.emplace_back().mutable_synced();
      out.back().set_resume_token(absl::StrCat(sent));
    }
    bool open = true;
    while (open) {
      for (const auto& response : out) writer->Write(response);
      out.clear();
      absl::MutexLock lock(&mutex);
      const auto wake = [&] { return stopping || epoch != mine || last > sent; };
      mutex.AwaitWithTimeout(absl::Condition(&wake), absl::Milliseconds(100));
      Collect(sent, out);
      open = !stopping && epoch == mine && !context->IsCancelled();
    }
    absl::MutexLock lock(&mutex);
    --watchers;
    return {grpc::StatusCode::UNAVAILABLE, "ended"};
  }

  void Collect(int64_t& sent, std::vector<meta::WatchObjectsResponse>& out) const {
    for (const Change& change : changes) {
      if (change.number <= sent) continue;
      meta::WatchObjectsResponse& response = out.emplace_back();
      *(change.deleted ? response.mutable_deleted() : response.mutable_upserted()) = change.object;
      response.set_resume_token(absl::StrCat(change.number));
      sent = change.number;
    }
  }

  grpc::Status PutReport(grpc::ServerContext*, const meta::PutReportRequest* request,
                         meta::PutReportResponse*) override {
    absl::MutexLock lock(&mutex);
    FakeReport& report = reports[{request->type(), request->key()}];
    ++report.count;
    v1::PodReport pod;
    v1::NodeReport node;
    if (request->type() == "pods" && pod.ParseFromString(request->value())) {
      report.uid = pod.uid();
      report.status_json = pod.status_json();
      report.gone = pod.gone();
    } else if (request->type() == "nodes" && node.ParseFromString(request->value())) {
      report.status_json = node.status_json();
    }
    return grpc::Status::OK;
  }
};

FakeMeta::FakeMeta(const std::string& socket) : impl_(std::make_unique<Impl>()) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(impl_.get());
  impl_->server = builder.BuildAndStart();
}

FakeMeta::~FakeMeta() {
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->stopping = true;
  }
  impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

void FakeMeta::Put(absl::string_view type, absl::string_view key, absl::string_view json) {
  meta::Object object;
  object.set_type(std::string(type));
  object.set_key(std::string(key));
  object.set_object(std::string(json));
  absl::MutexLock lock(&impl_->mutex);
  impl_->objects[{object.type(), object.key()}] = object;
  impl_->changes.push_back({++impl_->last, object, false});
}

void FakeMeta::Delete(absl::string_view type, absl::string_view key) {
  absl::MutexLock lock(&impl_->mutex);
  const auto it = impl_->objects.find({std::string(type), std::string(key)});
  if (it == impl_->objects.end()) return;
  impl_->changes.push_back({++impl_->last, it->second, true});
  impl_->objects.erase(it);
}

FakeReport FakeMeta::Report(absl::string_view type, absl::string_view key) const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->reports[{std::string(type), std::string(key)}];
}

bool FakeMeta::Await(absl::string_view key,
                     const std::function<bool(const FakeReport&)>& good) const {
  absl::MutexLock lock(&impl_->mutex);
  const FakeReport& report = impl_->reports[{"pods", std::string(key)}];
  const auto holds = [&] { return good(report); };
  return impl_->mutex.AwaitWithTimeout(absl::Condition(&holds), absl::Seconds(60));
}

int FakeMeta::watchers() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->watchers;
}

void FakeMeta::Disconnect() {
  absl::MutexLock lock(&impl_->mutex);
  ++impl_->epoch;
  impl_->oldest_token = ++impl_->last;
  impl_->changes.clear();
}

}  // namespace skerry::edged
