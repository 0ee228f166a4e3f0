#include "services/cloudhub-svc/service/session_page.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

constexpr absl::string_view kTokenPrefix = "1:";  // Version of the token.

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

}  // namespace

absl::StatusOr<v1::ListNodeSessionsResponse> PageOf(const std::vector<SessionInfo>& sessions,
                                                    const v1::ListNodeSessionsRequest& request) {
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat(request.page_size()), "give 0 to 1000")
        .ToStatus();
  }
  const size_t page_size = request.page_size() == 0 ? 50 : std::min(request.page_size(), 1000);
  absl::string_view after = request.page_token();
  if (!after.empty() && !absl::ConsumePrefix(&after, kTokenPrefix)) {
    return InvalidField("page_token", after, "give the next_page_token of an earlier answer")
        .ToStatus();
  }

  v1::ListNodeSessionsResponse response;
  auto it = std::upper_bound(
      sessions.begin(), sessions.end(), after,
      [](absl::string_view node, const SessionInfo& info) { return node < info.node; });
  for (; it != sessions.end() && static_cast<size_t>(response.sessions_size()) < page_size; ++it) {
    v1::NodeSessionInfo* out = response.add_sessions();
    out->set_node(it->node);
    out->set_epoch(it->epoch);
    SetTime(it->connect_time, out->mutable_connect_time());
    SetTime(it->last_receive_time, out->mutable_last_receive_time());
    out->set_peer(it->peer);
    out->set_software_version(it->software_version);
    out->set_pending_bytes(it->pending_bytes);
    for (const std::string& type : it->subscribed_types) out->add_subscribed_types(type);
  }
  if (it != sessions.end()) {
    response.set_next_page_token(absl::StrCat(kTokenPrefix, response.sessions().rbegin()->node()));
  }
  return response;
}

}  // namespace skerry::cloudhub
