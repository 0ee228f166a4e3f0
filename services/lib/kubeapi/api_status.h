// Errors of the Kubernetes API as absl::Status: the code, reason, message and details of a
// metav1.Status travel as a payload, so that everything below the HTTP edge uses StatusOr.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_API_STATUS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_API_STATUS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// One complaint about one field, in the words of k8s.io/apimachinery's field.Error.
struct FieldError {
  std::string reason;   // "FieldValueRequired", "FieldValueInvalid", …
  std::string field;    // "spec.containers[0].image"
  std::string message;  // "Required value"
};

FieldError FieldRequired(absl::string_view field, absl::string_view detail = "");
FieldError FieldInvalid(absl::string_view field, const Json& value, absl::string_view detail);
FieldError FieldNotSupported(absl::string_view field, absl::string_view value,
                             const std::vector<std::string>& supported);
FieldError FieldDuplicate(absl::string_view field, const Json& value);
FieldError FieldForbidden(absl::string_view field, absl::string_view detail);
FieldError FieldNotFound(absl::string_view field, const Json& value);
FieldError FieldTooLong(absl::string_view field, size_t limit);
FieldError FieldTypeInvalid(absl::string_view field, const Json& value, absl::string_view detail);

// What an error is about. resource may be a kind ("Pod") where Kubernetes says the kind.
struct Subject {
  std::string group;
  std::string resource;  // "pods"
  std::string kind;      // "Pod"
  std::string name;
};

absl::Status ApiError(int http_code, absl::string_view reason, absl::string_view message);
absl::Status BadRequestError(absl::string_view message);
absl::Status UnauthorizedError();
absl::Status ForbiddenError(const Subject& subject, absl::string_view why);
// A forbidden path outside the resources ("/metrics").
absl::Status ForbiddenPathError(absl::string_view user, absl::string_view verb,
                                absl::string_view path);
absl::Status NotFoundError(const Subject& subject);
absl::Status PathNotFoundError();
absl::Status AlreadyExistsError(const Subject& subject);
absl::Status ConflictError(const Subject& subject, absl::string_view why);
// The message of a lost optimistic lock, for ConflictError.
extern const char kObjectModified[];
absl::Status InvalidError(const Subject& subject, const std::vector<FieldError>& errors);
absl::Status MethodNotAllowedError(const Subject& subject, absl::string_view verb);
absl::Status ExpiredError(absl::string_view message);
absl::Status UnsupportedMediaTypeError(absl::string_view got,
                                       const std::vector<std::string>& supported);
absl::Status NotAcceptableError(const std::vector<std::string>& supported);

// The metav1.Status object of any error; one without the payload is mapped by its code (kInternal →
// 500 …).
Json StatusObject(const absl::Status& status);
// Its HTTP code.
int HttpCode(const absl::Status& status);
// "NotFound", "Conflict", …
std::string StatusReason(const absl::Status& status);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_API_STATUS_H_
