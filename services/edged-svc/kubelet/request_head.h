// The head of one HTTP/1.1 request, from bytes as they come.
#ifndef SKERRY_SERVICES_EDGED_SVC_KUBELET_REQUEST_HEAD_H_
#define SKERRY_SERVICES_EDGED_SVC_KUBELET_REQUEST_HEAD_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

struct RequestHead {
  std::string method;
  std::string path;                                        // Decoded.
  std::vector<std::pair<std::string, std::string>> query;  // Decoded, in order.
  std::vector<std::pair<std::string, std::string>> headers;

  std::optional<std::string> Query(absl::string_view name) const;
};

// At most 64 KiB. One thread.
class HeadReader {
 public:
  // The head once its last line is in, nothing before. INVALID_ARGUMENT for what is none.
  absl::StatusOr<std::optional<RequestHead>> Put(absl::string_view bytes);
  // What came after the head.
  const std::string& rest() const { return rest_; }

 private:
  std::string bytes_;
  std::string rest_;
};

// The request line and headers, for another server at `host`.
std::string RenderRequest(const RequestHead& head, absl::string_view target,
                          absl::string_view host);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_KUBELET_REQUEST_HEAD_H_
