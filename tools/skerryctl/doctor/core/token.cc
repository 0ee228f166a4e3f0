#include "tools/skerryctl/doctor/core/token.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

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

}  // namespace

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
  if (!token.asked->ok()) {
    faults.push_back({"HUB_API_FAILED", std::string(token.asked->message())});
  } else if (!token.known.has_value()) {
    faults.push_back({"TOKEN_UNKNOWN", absl::StrCat("token ", token.id)});
  } else {
    for (TokenFault& fault : FaultsOf(token, *token.known, now)) faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace skerry::skerryctl
