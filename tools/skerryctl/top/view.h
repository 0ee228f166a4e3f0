// skerryctl top, as it is printed. Pure.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOP_VIEW_H_
#define SKERRY_TOOLS_SKERRYCTL_TOP_VIEW_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "tools/skerryctl/top/snapshot.h"

namespace skerry::skerryctl {

// What -o json and yaml have; rates are those between the two looks. What could not be seen is
// null, and `errors` says by service why.
nlohmann::json BoxView(const BoxSnapshot& before, const BoxSnapshot& now);
std::string BoxText(const nlohmann::json& view);

struct CloudSnapshot {
  absl::Time time;
  absl::Duration monotonic;
  std::vector<cloudhub::v1::NodeSessionInfo> sessions;
};
// The sessions that lag most first: by bytes that wait, then by silence.
nlohmann::json CloudView(const CloudSnapshot& before, const CloudSnapshot& now);
std::string CloudText(const nlohmann::json& view);

// `text` cut to what a terminal of that size shows: whole lines, none of them wrapped. Characters
// are those of UTF-8.
std::string Fitted(const std::string& text, size_t columns, size_t lines);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOP_VIEW_H_
