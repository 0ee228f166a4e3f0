#include "tools/skerryctl/doctor/hub_answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/security/x509.h"

namespace skerry::skerryctl {
namespace {

constexpr size_t kTextMax = 500;

// Empty without one.
std::string TextAt(const nlohmann::json& body, const char* key) {
  const auto found = body.is_object() ? body.find(key) : body.end();
  if (found == body.end() || !found->is_string()) return "";
  return found->get<std::string>().substr(0, kTextMax);
}

std::optional<absl::Time> TimeAt(const nlohmann::json& body, const char* key) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, TextAt(body, key), &time, &error)) return std::nullopt;
  return time;
}

}  // namespace

std::optional<absl::Time> TimeIn(const std::string& answer) {
  const size_t begin = answer.find('{');
  const size_t end = answer.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const nlohmann::json body =
      nlohmann::json::parse(answer.substr(begin, end - begin + 1), nullptr, false);
  return TimeAt(body, "time");
}

absl::StatusOr<std::string> CaIn(const std::string& answer) {
  const size_t begin = answer.find("-----BEGIN CERTIFICATE-----");
  if (begin != std::string::npos) {
    const absl::StatusOr<std::string> der = security::CertificatePemToDer(answer.substr(begin));
    if (der.ok()) return security::CertificateDerToPem(*der);
  }
  const std::string heading = answer.substr(0, std::min(answer.find('\r'), size_t{80}));
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("GET /v1/ca.pem: ", heading.empty() ? "no answer" : heading,
                            ", and no certificate"))
      .Reason("CA_UNAVAILABLE");
}

absl::StatusOr<TokenRecord> TokenIn(int status, const std::string& body) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
  const std::string reason = TextAt(answer, "reason");
  if (status != 200 && !reason.empty()) {
    return Error(absl::StatusCode::kPermissionDenied, TextAt(answer, "message")).Reason(reason);
  }
  const std::optional<absl::Time> create_time = TimeAt(answer, "createTime");
  const std::optional<absl::Time> expire_time = TimeAt(answer, "expireTime");
  if (status != 200 || !create_time.has_value() || !expire_time.has_value()) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("POST /v1/token: HTTP ", status, ", and nothing of the token"))
        .Reason("HUB_ANSWER_INVALID");
  }
  return TokenRecord{.create_time = *create_time,
                     .expire_time = *expire_time,
                     .node = TextAt(answer, "node"),
                     .single_use = answer.contains("usesLeft")};
}

}  // namespace skerry::skerryctl
