#include "services/eventbus-svc/testing/fake_twin_service.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/proto_time.h"

namespace skerry::eventbus {
namespace {

namespace v1 = skerry::twin::v1;

std::string NameOf(const std::string& device) {
  const std::vector<std::string> parts = absl::StrSplit(device, '/');
  return absl::StrCat("namespaces/", parts[0], "/devices/", parts[1], "/twin");
}

absl::Status Unknown() {
  return Error(absl::StatusCode::kNotFound, "no such device").Reason("DEVICE_UNKNOWN");
}

void Fill(const std::string& value, const google::protobuf::Map<std::string, std::string>& metadata,
          v1::Value& message) {
  message.set_value(value);
  *message.mutable_metadata() = metadata;
  *message.mutable_write_time() = rpc::ToProto(absl::Now());
}

}  // namespace

FakeTwinService::FakeTwinService(const std::string& listen) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeTwinService::~FakeTwinService() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    held_ = false;
  }
  server_->Shutdown(std::chrono::system_clock::now());
}

void FakeTwinService::Change(const std::string& name, absl::FunctionRef<void(v1::Twin&)> change) {
  v1::Twin& twin = twins_.at(name);
  twin.set_version(twin.version() + 1);
  change(twin);
  changed_[name] = ++changes_;
}

void FakeTwinService::AddDevice(const std::string& device, const std::string& uid) {
  absl::MutexLock lock(&mutex_);
  const std::string name = NameOf(device);
  twins_[name].set_name(name);
  twins_[name].set_uid(uid);
  changed_[name] = ++changes_;
}

void FakeTwinService::RemoveDevice(const std::string& device) {
  absl::MutexLock lock(&mutex_);
  twins_.erase(NameOf(device));
  changed_[NameOf(device)] = ++changes_;
}

void FakeTwinService::SetReported(const std::string& device, const std::string& property,
                                  const std::string& value) {
  absl::MutexLock lock(&mutex_);
  Change(NameOf(device), [&](v1::Twin& twin) {
    Fill(value, {}, *(*twin.mutable_properties())[property].mutable_reported());
  });
}

void FakeTwinService::SetDesired(const std::string& device, const std::string& property,
                                 const std::string& value) {
  absl::MutexLock lock(&mutex_);
  Change(NameOf(device), [&](v1::Twin& twin) {
    Fill(value, {}, *(*twin.mutable_properties())[property].mutable_desired());
  });
}

v1::Twin FakeTwinService::Get(const std::string& device) {
  absl::MutexLock lock(&mutex_);
  return twins_.at(NameOf(device));
}

int FakeTwinService::writes() {
  absl::MutexLock lock(&mutex_);
  return writes_;
}

std::vector<int> FakeTwinService::calls() {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

void FakeTwinService::RefuseMany(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  many_ = std::move(status);
}

void FakeTwinService::LimitAnswers(int count) {
  absl::MutexLock lock(&mutex_);
  answers_max_ = count;
}

void FakeTwinService::Refuse(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  refusal_ = std::move(status);
}

void FakeTwinService::Hold(bool held) {
  absl::MutexLock lock(&mutex_);
  held_ = held;
}

bool FakeTwinService::AwaitHeld() {
  absl::MutexLock lock(&mutex_);
  const auto holding = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return holding_ > 0; };
  return mutex_.AwaitWithTimeout(absl::Condition(&holding), absl::Seconds(20));
}

grpc::Status FakeTwinService::GetTwin(grpc::ServerContext*, const v1::GetTwinRequest* request,
                                      v1::Twin* response) {
  absl::MutexLock lock(&mutex_);
  const auto it = twins_.find(request->name());
  if (it == twins_.end()) return rpc::ToGrpc(Unknown());
  *response = it->second;
  return grpc::Status::OK;
}

grpc::Status FakeTwinService::WriteTwin(grpc::ServerContext* context,
                                        const v1::WriteTwinRequest* request,
                                        v1::WriteTwinResponse* response) {
  absl::MutexLock lock(&mutex_);
  AwaitRelease();
  if (context->IsCancelled()) return grpc::Status::CANCELLED;
  calls_.push_back(1);
  return rpc::ToGrpc(WriteOne(*request, *response));
}

grpc::Status FakeTwinService::BatchWriteTwins(grpc::ServerContext* context,
                                              const v1::BatchWriteTwinsRequest* request,
                                              v1::BatchWriteTwinsResponse* response) {
  absl::MutexLock lock(&mutex_);
  if (!many_.ok()) return rpc::ToGrpc(many_);
  AwaitRelease();
  if (context->IsCancelled()) return grpc::Status::CANCELLED;
  calls_.push_back(request->requests_size());
  for (const v1::WriteTwinRequest& each : request->requests()) {
    auto* result = response->add_results();
    const absl::Status status =
        response->results_size() <= answers_max_
            ? WriteOne(each, *result->mutable_written())
            : Error(absl::StatusCode::kResourceExhausted, "no room").Reason("ANSWER_FULL");
    if (!status.ok()) *result->mutable_error() = rpc::ToProto(status);
  }
  return grpc::Status::OK;
}

void FakeTwinService::AwaitRelease() {
  ++holding_;
  const auto free = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !held_; };
  mutex_.Await(absl::Condition(&free));
  --holding_;
}

absl::Status FakeTwinService::WriteOne(const v1::WriteTwinRequest& request,
                                       v1::WriteTwinResponse& response) {
  if (!refusal_.ok()) return refusal_;
  const auto it = twins_.find(request.name());
  if (it == twins_.end()) return Unknown();
  ++writes_;
  *response.mutable_before() = it->second;
  const bool repeat =
      !request.request_id().empty() &&
      !write_ids_.insert(absl::StrCat(request.name(), " ", request.request_id())).second;
  if (!repeat && request.desired_size() + request.reported_size() + request.remove_size() > 0) {
    Change(request.name(), [&](v1::Twin& twin) {
      for (const auto& [name, each] : request.desired()) {
        Fill(each.value(), each.metadata(), *(*twin.mutable_properties())[name].mutable_desired());
      }
      for (const auto& [name, each] : request.reported()) {
        Fill(each.value(), each.metadata(), *(*twin.mutable_properties())[name].mutable_reported());
      }
      for (const std::string& name : request.remove()) twin.mutable_properties()->erase(name);
    });
  }
  *response.mutable_after() = it->second;
  return absl::OkStatus();
}

grpc::Status FakeTwinService::ReportState(grpc::ServerContext*,
                                          const v1::ReportStateRequest* request,
                                          v1::DeviceState* response) {
  absl::MutexLock lock(&mutex_);
  if (!refusal_.ok()) return rpc::ToGrpc(refusal_);
  if (twins_.count(request->name()) == 0) return rpc::ToGrpc(Unknown());
  Change(request->name(), [&](v1::Twin& twin) {
    twin.mutable_state()->set_state(request->state());
    *twin.mutable_state()->mutable_last_seen_time() = rpc::ToProto(absl::Now());
    *response = twin.state();
  });
  return grpc::Status::OK;
}

grpc::Status FakeTwinService::WatchTwins(grpc::ServerContext* context, const v1::WatchTwinsRequest*,
                                         grpc::ServerWriter<v1::WatchTwinsResponse>* writer) {
  uint64_t told = 0;
  for (bool synced = false;; synced = true) {
    std::vector<v1::WatchTwinsResponse> responses;
    {
      absl::MutexLock lock(&mutex_);
      const auto due = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return stopping_ || !synced || changes_ > told;
      };
      while (!mutex_.AwaitWithTimeout(absl::Condition(&due), absl::Milliseconds(50))) {
        if (context->IsCancelled()) return grpc::Status::CANCELLED;
      }
      if (stopping_) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
      for (const auto& [name, change] : changed_) {
        if (change <= told) continue;
        const auto it = twins_.find(name);
        if (it == twins_.end() && !synced) continue;
        v1::WatchTwinsResponse& response = responses.emplace_back();
        if (it == twins_.end()) {
          response.mutable_deleted()->set_name(name);
        } else {
          *response.mutable_upserted() = it->second;
        }
      }
      told = changes_;
      if (!synced) responses.emplace_back().mutable_synced();
    }
    for (const v1::WatchTwinsResponse& response : responses) {
      if (!writer->Write(response)) return grpc::Status::CANCELLED;
    }
  }
}

}  // namespace skerry::eventbus
