// From the API server's answers to absl::Status.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_API_ERRORS_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_API_ERRORS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::kubeclient {

// For an HTTP status outside 2xx and its body (metav1.Status, or anything else). The ErrorInfo's
// reason is the Kubernetes reason in upper snake case ("ALREADY_EXISTS"), else "HTTP_<status>";
// metadata holds "http_status", "retry_after_seconds" where given, and for refused objects
// "cause.<field>".
absl::Status StatusFromAnswer(int http_status, absl::string_view body,
                              std::optional<absl::Duration> retry_after);

// For an ERROR event of a watch. As StatusFromAnswer, and metadata "watch_error".
absl::Status StatusFromWatchError(absl::string_view status_json);

// Whether a watch that ended with `status` may be tried again from the same version: only the
// connection failed, or the server could not answer for now. Anything that the server said about
// the watch means that the version may never be good again (410; 504 "Too large resource version"
// after the store was restored from an older copy): list anew.
bool MayResumeWatch(const absl::Status& status);

// What the server asked to wait, from a status made here.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_API_ERRORS_H_
