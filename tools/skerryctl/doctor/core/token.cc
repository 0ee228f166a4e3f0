#include "tools/skerryctl/doctor/core/token.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::skerryctl {
namespace {

// What the hub would refuse it for, in the order in which the hub looks; at most one.
std::vector<TokenFault> FaultsOf(const GivenToken& token, const TokenRecord& known,
                                 absl::Time now) {
  const std::string name = absl::StrCat("token ", token.id);
  const std::string times =
      absl::StrCat(name, ": good until ",
                   absl::FormatTime(absl::RFC3339_sec, known.expire_time, absl::UTCTimeZone()),
                   ", and it is ", absl::FormatTime(absl::RFC3339_sec, now, absl::UTCTimeZone()));
  if (known.revoked) return {{"TOKEN_REVOKED", name}};
  if (known.expire_time <= now) return {{"TOKEN_EXPIRED", times}};
  if (known.single_use && known.uses > 0) {
    return {{"TOKEN_USED", absl::StrCat(name, ": for a single use, and used")}};
  }
  if (!known.node.empty() && known.node != token.node) {
    return {{"TOKEN_WRONG_NODE", absl::StrCat(name, ": for '", known.node,
                                              "', and this box would join as '", token.node, "'")}};
  }
  const absl::Duration soon = std::min(kTokenSoon, (known.expire_time - known.create_time) / 4);
  if (known.expire_time - now < soon) return {{"TOKEN_EXPIRING", times}};
  return {};
}

// What the hub's join port answered instead of a record.
TokenFault FaultOf(const GivenToken& token, const absl::Status& refused) {
  constexpr absl::string_view kCodes[] = {"TOKEN_UNKNOWN", "TOKEN_REVOKED", "TOKEN_EXPIRED",
                                          "TOKEN_USED", "RATE_LIMITED"};
  const std::string reason = GetErrorInfo(refused).reason;
  std::string seen = absl::StrCat("token ", token.id, ": ", refused.message());
  for (absl::string_view code : kCodes) {
    if (reason == code) return {code, std::move(seen)};
  }
  return {"JOIN_PORT_FAILED", std::move(seen)};
}

}  // namespace

bool IsOlderHub(const GivenToken& token) {
  return token.asked_at_join_port && token.asked.has_value() &&
         GetErrorInfo(*token.asked).reason == "NOT_FOUND";
}

std::vector<TokenFault> FaultsOf(const GivenToken& token, absl::Time now) {
  if (!token.parsed.ok()) return {{"TOKEN_MALFORMED", std::string(token.parsed.message())}};
  std::vector<TokenFault> faults;
  if (token.ca_served.has_value() && !token.ca_served->ok()) {
    faults.push_back({"CA_UNAVAILABLE", std::string(token.ca_served->message())});
  } else if (token.ca_served.has_value() && token.served_ca_hash != token.ca_hash) {
    return {{"CA_HASH_MISMATCH", absl::StrCat("sha256 ", token.ca_hash, " in the token, ",
                                              token.served_ca_hash, " of the hub's CA")}};
  }
  if (!token.asked.has_value()) return faults;
  if (IsOlderHub(token)) return faults;
  if (!token.asked->ok() && token.asked_at_join_port) {
    faults.push_back(FaultOf(token, *token.asked));
  } else if (!token.asked->ok()) {
    faults.push_back({"HUB_API_FAILED", std::string(token.asked->message())});
  } else if (!token.known.has_value()) {
    faults.push_back({"TOKEN_UNKNOWN", absl::StrCat("token ", token.id)});
  } else {
    for (TokenFault& fault : FaultsOf(token, *token.known, now)) faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace skerry::skerryctl
