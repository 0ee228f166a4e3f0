#include "e2e/devices/object_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "absl/time/time.h"
#include "services/lib/base/check.h"

namespace skerry::e2e {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(50);  // After clients that are gone.

}  // namespace

ObjectServer::ObjectServer(const std::string& address) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  SKERRY_CHECK(server_ != nullptr);
}

ObjectServer::~ObjectServer() {
  {
    absl::MutexLock lock(&mutex_);
    over_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
}

void ObjectServer::Put(const std::string& type, const std::string& key, const std::string& json) {
  absl::MutexLock lock(&mutex_);
  if (json.empty()) {
    objects_.erase({type, key});
  } else {
    objects_[{type, key}] = json;
  }
}

grpc::Status ObjectServer::WatchObjects(
    grpc::ServerContext* context, const meta::v1::WatchObjectsRequest*,
    grpc::ServerWriter<meta::v1::WatchObjectsResponse>* writer) {
  Objects told;
  bool synced = false;
  while (!context->IsCancelled()) {
    Objects now;
    {
      absl::MutexLock lock(&mutex_);
      const auto changed = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return !synced || over_ || objects_ != told;
      };
      if (!mutex_.AwaitWithTimeout(absl::Condition(&changed), kLook)) continue;
      if (over_) break;
      now = objects_;
    }
    meta::v1::WatchObjectsResponse response;
    for (const auto& [name, json] : now) {
      const auto known = told.find(name);
      if (known != told.end() && known->second == json) continue;
      response.mutable_upserted()->set_type(name.first);
      response.mutable_upserted()->set_key(name.second);
      response.mutable_upserted()->set_object(json);
      writer->Write(response);
    }
    for (const auto& [name, json] : told) {
      if (now.count(name) > 0) continue;
      response.mutable_deleted()->set_type(name.first);
      response.mutable_deleted()->set_key(name.second);
      writer->Write(response);
    }
    told = std::move(now);
    if (std::exchange(synced, true)) continue;
    response.mutable_synced();
    writer->Write(response);
  }
  return grpc::Status::CANCELLED;
}

}  // namespace skerry::e2e
