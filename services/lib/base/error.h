// Domain errors: an absl::Status that carries a machine-readable reason (google.rpc.ErrorInfo on
// the wire, see services/lib/rpc/grpc_status.h) beside its message.
#ifndef SKERRY_SERVICES_LIB_BASE_ERROR_H_
#define SKERRY_SERVICES_LIB_BASE_ERROR_H_

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry {

// `ErrorInfo.domain` of every error made here.
inline constexpr char kErrorDomain[] = "skerry.io";

struct ErrorInfo {
  std::string reason;  // UPPER_SNAKE_CASE, at most 63 characters (AIP-193).
  std::map<std::string, std::string> metadata;
};

// Builds a status: return Error(absl::StatusCode::kNotFound, "no such
// node").Reason("NODE_UNKNOWN").Meta("node", n);
class Error {
 public:
  Error(absl::StatusCode code, absl::string_view message) : code_(code), message_(message) {}

  Error& Reason(absl::string_view reason) {
    info_.reason = std::string(reason);
    return *this;
  }
  // Everything in the message that varies belongs in the metadata too.
  Error& Meta(absl::string_view key, absl::string_view value) {
    info_.metadata[std::string(key)] = std::string(value);
    return *this;
  }

  absl::Status ToStatus() const;
  operator absl::Status() const { return ToStatus(); }  // NOLINT: made to be returned
  template <typename T>
  operator absl::StatusOr<T>() const {  // NOLINT: made to be returned
    return ToStatus();
  }

 private:
  absl::StatusCode code_;
  std::string message_;
  ErrorInfo info_;
};

// The reason and metadata of `status`; both empty where none were attached.
ErrorInfo GetErrorInfo(const absl::Status& status);

// Replaces the error info of `status`, which must not be OK.
void SetErrorInfo(absl::Status& status, const ErrorInfo& info);

// "context: message", with code and payloads kept. OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

// An InvalidArgument that names what a user must mend: field `field` has `value`; `fix`.
Error InvalidField(absl::string_view field, absl::string_view value, absl::string_view fix);

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_ERROR_H_
