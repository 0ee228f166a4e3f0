// What callers of TwinService ask for, checked.
#ifndef SKERRY_SERVICES_TWIN_SVC_SERVICE_REQUESTS_H_
#define SKERRY_SERVICES_TWIN_SVC_SERVICE_REQUESTS_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/store/reading_log.h"

namespace skerry::twin {

// INVALID_ARGUMENT names the field, the value and the fix.
absl::StatusOr<Write> WriteFrom(const v1::WriteTwinRequest& request, absl::Time now);
absl::StatusOr<Write> StateFrom(const v1::ReportStateRequest& request, absl::Time now);

// How much larger the writes of a call can make a twin, as a message. Not thread-safe.
class Growth {
 public:
  // Returns the properties that it names.
  std::set<std::string> Add(const v1::WriteTwinRequest& request);
  size_t bytes() const;
  size_t bytes(const std::set<std::string>& properties) const;

 private:
  std::map<std::string, size_t> bytes_;  // The largest that was written, by property.
};

// Of a page token.
std::string KeyOf(const ReadingPosition& position);
// INVALID_ARGUMENT / PAGE_TOKEN_INVALID.
absl::StatusOr<ReadingPosition> PositionFrom(absl::string_view key);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SERVICE_REQUESTS_H_
