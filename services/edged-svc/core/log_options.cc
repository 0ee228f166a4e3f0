#include "services/edged-svc/core/log_options.h"

#include "absl/strings/numbers.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

absl::StatusOr<int64_t> ParseCount(const std::string& name, const std::string& value, int64_t min) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number < min) {
    return InvalidField(
        name, value,
        min == 0 ? "must be a number of 0 or more" : "must be a number greater than 0");
  }
  return number;
}

// As Go's strconv.ParseBool; present without a value is true, as in Kubernetes' conversions.
absl::StatusOr<bool> ParseBool(const std::string& name, const std::string& value) {
  if (value.empty() || value == "1" || value == "t" || value == "true" || value == "True")
    return true;
  if (value == "0" || value == "f" || value == "false" || value == "False") return false;
  return InvalidField(name, value, "must be true or false");
}

}  // namespace

absl::StatusOr<LogOptions> ParseLogOptions(
    const std::vector<std::pair<std::string, std::string>>& query, absl::Time now) {
  LogOptions options;
  bool since_seconds = false, since_time = false;
  for (const auto& [name, value] : query) {
    if (name == "follow") {
      SKERRY_ASSIGN_OR_RETURN(options.follow, ParseBool(name, value));
    } else if (name == "previous") {
      SKERRY_ASSIGN_OR_RETURN(options.previous, ParseBool(name, value));
    } else if (name == "timestamps") {
      SKERRY_ASSIGN_OR_RETURN(options.timestamps, ParseBool(name, value));
    } else if (name == "tailLines") {
      if (value == "all") continue;  // The kubelet takes it so.
      SKERRY_ASSIGN_OR_RETURN(options.tail_lines, ParseCount(name, value, 0));
    } else if (name == "limitBytes") {
      SKERRY_ASSIGN_OR_RETURN(options.limit_bytes, ParseCount(name, value, 1));
    } else if (name == "sinceSeconds") {
      SKERRY_ASSIGN_OR_RETURN(const int64_t seconds, ParseCount(name, value, 1));
      options.since = now - absl::Seconds(seconds);
      since_seconds = true;
    } else if (name == "sinceTime") {
      std::string error;
      if (!absl::ParseTime(absl::RFC3339_full, value, &options.since, &error))
        return InvalidField(name, value, "must be a time as in 2006-01-02T15:04:05Z");
      since_time = true;
    }
  }
  if (since_seconds && since_time) {
    return InvalidField("sinceTime", "",
                        "at most one of `sinceTime` or `sinceSeconds` may be given");
  }
  return options;
}

}  // namespace skerry::edged
