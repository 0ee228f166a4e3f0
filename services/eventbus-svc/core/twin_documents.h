// What is published in answer to devices, from values to KubeEdge's JSON. Members have KubeEdge's
// order, properties that of their names. Text that is not UTF-8 comes out with U+FFFD.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_DOCUMENTS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_DOCUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/eventbus-svc/core/twin_values.h"

namespace skerry::eventbus {

// The head of every document.
struct DocumentHead {
  std::string event_id;  // The request's, or a new one where there was none.
  int64_t timestamp_ms = 0;
};

// For twin/update/result.
std::string UpdateResultJson(const DocumentHead& head, const TwinChanges& changes);

// For twin/update/result and twin/get/result: why a request failed. `error` is not OK.
std::string ErrorResultJson(const DocumentHead& head, const absl::Status& error);

// The code that ErrorResultJson writes: 400, 404, 409, or 500 for all that the client cannot mend.
int ResultCode(absl::StatusCode code);

// NOT_FOUND with KubeEdge's text, for twin/get.
absl::Status GetOfUnknownDevice(const DeviceName& device);
// And for twin/update.
absl::Status UpdateOfUnknownDevice(const DeviceName& device);

// For twin/update/document.
std::string UpdateDocumentJson(const DocumentHead& head,
                               const std::map<std::string, PropertyTransition>& properties);

// For twin/update/delta, of the whole twin: nullopt where each expected value is the actual one. It
// lists all properties with an expected value that is not empty, and the values that differ.
std::optional<std::string> DeltaJson(const DocumentHead& head, const TwinProperties& twin);

// For twin/get/result.
std::string GetResultJson(const DocumentHead& head, const TwinProperties& twin);

// For state/update/result.
std::string StateResultJson(const DocumentHead& head, const DeviceSummary& device);

// For membership/get/result.
std::string MembershipResultJson(const DocumentHead& head,
                                 const std::vector<DeviceSummary>& devices);

// For membership/updated. KubeEdge sends one device at a time, and null for an empty list.
std::string MembershipUpdatedJson(const DocumentHead& head, const std::vector<DeviceSummary>& added,
                                  const std::vector<DeviceSummary>& removed);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_DOCUMENTS_H_
