#include "services/edged-svc/service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::edged {
namespace {

constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr size_t kPageBytesMax = 2 << 20;  // Of statuses; one more may be on a page.
constexpr char kTokenScope[] = "pods";

class EdgedServiceImpl final : public v1::EdgedService::CallbackService {
 public:
  EdgedServiceImpl(EdgedAnswers answers, exec::ThreadPool& pool)
      : answers_(std::move(answers)), pool_(pool) {}

  // From memory: no pool is needed.
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::EdgedStatus* response) override {
    answers_.fill(*response);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListPods(grpc::CallbackServerContext* context,
                                     const v1::ListPodsRequest* request,
                                     v1::ListPodsResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return FillPods(*request, *response);
    });
  }

 private:
  absl::Status FillPods(const v1::ListPodsRequest& request, v1::ListPodsResponse& response) const {
    if (request.page_size() < 0) {
      return InvalidField("page_size", absl::StrCat(request.page_size()),
                          "give 0 for 50, or up to 1000");
    }
    const int size =
        request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
    std::string after;
    if (!request.page_token().empty()) {
      SKERRY_ASSIGN_OR_RETURN(after, watch::DecodePageToken(request.page_token(), kTokenScope));
    }
    size_t bytes = 0;
    for (PodManager::PodSummary& pod : answers_.pods()) {
      if (pod.key <= after) continue;
      if (response.pods_size() == size || bytes >= kPageBytesMax) {
        response.set_next_page_token(
            watch::EncodePageToken(kTokenScope, response.pods(response.pods_size() - 1).key()));
        break;
      }
      bytes += pod.status_json.size();
      Fill(std::move(pod), *response.add_pods());
    }
    return absl::OkStatus();
  }

  void Fill(PodManager::PodSummary pod, v1::RunningPod& out) const {
    out.set_key(std::move(pod.key));
    out.set_uid(std::move(pod.uid));
    out.set_status_json(std::move(pod.status_json));
    const std::optional<CgroupUsage> usage = answers_.usage(pod.cgroup);
    if (!usage.has_value()) return;
    absl::Duration nanos;
    v1::RunningPod::Usage& filled = *out.mutable_usage();
    filled.mutable_cpu_time()->set_seconds(
        absl::IDivDuration(usage->cpu_time, absl::Seconds(1), &nanos));
    filled.mutable_cpu_time()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(nanos)));
    filled.set_memory_bytes(usage->memory_bytes);
    *filled.mutable_read_time() = rpc::ToProto(usage->time);
  }

  const EdgedAnswers answers_;
  exec::ThreadPool& pool_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEdgedService(EdgedAnswers answers, exec::ThreadPool& pool) {
  return std::make_unique<EdgedServiceImpl>(std::move(answers), pool);
}

}  // namespace skerry::edged
