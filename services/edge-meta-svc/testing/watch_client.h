// WatchObjects as a client follows it.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_TESTING_WATCH_CLIENT_H_
#define SKERRY_SERVICES_EDGE_META_SVC_TESTING_WATCH_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edgemeta {

// A watch as a client has it, each event as a word. One thread uses it; the stub outlives it.
class WatchClient {
 public:
  WatchClient(meta::v1::MetaService::Stub& stub, std::vector<std::string> types,
              const std::string& token = "") {
    context_.set_deadline(rpc::DeadlineIn(absl::Seconds(20)));
    meta::v1::WatchObjectsRequest request;
    for (const std::string& type : types) request.add_types(type);
    request.set_resume_token(token);
    reader_ = stub.WatchObjects(&context_, request);
  }
  ~WatchClient() {
    context_.TryCancel();
    if (!finished_) reader_->Finish().error_code();
  }
  // "+d/a=v1", "-d/a=v1", "synced", "bookmark", or the reason of the end; once.
  std::string Next() {
    if (finished_) return "ended before";
    meta::v1::WatchObjectsResponse response;
    if (!reader_->Read(&response)) {
      finished_ = true;
      absl::Status status = rpc::FromGrpc(reader_->Finish());
      const std::string reason = GetErrorInfo(status).reason;
      return reason.empty() ? status.ToString() : reason;
    }
    token_ = response.resume_token();
    switch (response.event_case()) {
      case meta::v1::WatchObjectsResponse::kUpserted:
        return absl::StrCat("+", response.upserted().key(), "=", response.upserted().version());
      case meta::v1::WatchObjectsResponse::kDeleted:
        return absl::StrCat("-", response.deleted().key(), "=", response.deleted().version());
      case meta::v1::WatchObjectsResponse::kSynced:
        return "synced";
      case meta::v1::WatchObjectsResponse::kBookmark:
        return "bookmark";
      default:
        return "nothing";
    }
  }
  const std::string& token() const { return token_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<meta::v1::WatchObjectsResponse>> reader_;
  std::string token_;
  bool finished_ = false;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_TESTING_WATCH_CLIENT_H_
