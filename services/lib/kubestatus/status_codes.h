// The one mapping between the Kubernetes API's HTTP codes and reasons, and absl::StatusCode.
#ifndef SKERRY_SERVICES_LIB_KUBESTATUS_STATUS_CODES_H_
#define SKERRY_SERVICES_LIB_KUBESTATUS_STATUS_CODES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::kubestatus {

// As in a metav1.Status.
struct HttpAnswer {
  int code = 0;             // 404
  const char* reason = "";  // "NotFound"
};

// What an answer outside 2xx means to who asked. kUnavailable: the same request may succeed later
// (429, 5xx). kInvalidArgument: it never will.
absl::StatusCode StatusCodeOf(int http_code, absl::string_view reason);

// How a server answers a status that no Kubernetes error was made of.
HttpAnswer AnswerTo(absl::StatusCode code);

}  // namespace skerry::kubestatus

#endif  // SKERRY_SERVICES_LIB_KUBESTATUS_STATUS_CODES_H_
