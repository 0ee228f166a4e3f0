#include "services/router-svc/core/topic.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"

namespace skerry::router {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view topic, absl::string_view fix) {
  return InvalidField(field, topic.substr(0, 256), fix).Reason("TOPIC_INVALID");
}

absl::Status CheckText(absl::string_view field, absl::string_view topic) {
  if (topic.empty() || topic.size() > kTopicBytesMax)
    return Invalid(field, topic, absl::StrCat("use 1 to ", kTopicBytesMax, " bytes"));
  for (const char c : topic) {
    if (absl::ascii_iscntrl(c)) return Invalid(field, topic, "leave out control characters");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTopic(absl::string_view field, absl::string_view topic) {
  if (absl::Status valid = CheckText(field, topic); !valid.ok()) return valid;
  if (absl::StrContains(topic, '+') || absl::StrContains(topic, '#'))
    return Invalid(field, topic, "leave out + and #: this is one topic");
  return absl::OkStatus();
}

absl::Status CheckTopicFilter(absl::string_view field, absl::string_view filter) {
  if (absl::Status valid = CheckText(field, filter); !valid.ok()) return valid;
  const std::vector<absl::string_view> levels = absl::StrSplit(filter, '/');
  for (size_t i = 0; i < levels.size(); ++i) {
    const bool wild = absl::StrContains(levels[i], '+') || absl::StrContains(levels[i], '#');
    if (!wild || levels[i] == "+" || (levels[i] == "#" && i + 1 == levels.size())) continue;
    return Invalid(field, filter, "use + as a whole level, and # as the last one");
  }
  return absl::OkStatus();
}

bool MatchesTopic(absl::string_view filter, absl::string_view topic) {
  const std::vector<absl::string_view> wanted = absl::StrSplit(filter, '/');
  const std::vector<absl::string_view> levels = absl::StrSplit(topic, '/');
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;
    if (i == levels.size() || (wanted[i] != "+" && wanted[i] != levels[i])) return false;
  }
  return wanted.size() == levels.size();
}

}  // namespace skerry::router
