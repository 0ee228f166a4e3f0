#include "tools/skerryctl/doctor/hub_answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/security/x509.h"

namespace skerry::skerryctl {

std::optional<absl::Time> TimeIn(const std::string& answer) {
  const size_t begin = answer.find('{');
  const size_t end = answer.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const nlohmann::json body =
      nlohmann::json::parse(answer.substr(begin, end - begin + 1), nullptr, false);
  if (!body.is_object() || !body.contains("time") || !body["time"].is_string()) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, body["time"].get<std::string>(), &time, &error)) {
    return std::nullopt;
  }
  return time;
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

}  // namespace skerry::skerryctl
