#include "tools/skerryctl/join_errors.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "tools/skerryctl/cloud_address.h"

namespace skerry::skerryctl {

absl::Status UsageError(absl::string_view step, absl::string_view expected, absl::string_view seen,
                        absl::string_view fix) {
  return ToStatus({.exit_code = ExitCode::kUsage,
                   .step = std::string(step),
                   .expected = std::string(expected),
                   .seen = std::string(seen),
                   .fix = std::string(fix),
                   .reason = "INVALID_ARGUMENT"});
}

absl::Status TransportError(absl::string_view step, const CloudAddress& cloud,
                            const absl::Status& status) {
  StepError error = {.exit_code = ExitCode::kUnreachable,
                     .step = std::string(step),
                     .expected = absl::StrCat("an answer from ", cloud.url),
                     .seen = std::string(status.message()),
                     .reason = GetErrorInfo(status).reason};
  if (error.reason == "TLS_FAILED") {
    error.fix = absl::StrCat(
        "check that ", cloud.port,
        " is the hub's join port (HTTPS, 10002 by default) and that no proxy breaks TLS");
  } else if (error.reason == "TLS_UNTRUSTED") {
    error.exit_code = ExitCode::kUntrusted;
    error.expected = absl::StrCat("a certificate of this CA with the name '", cloud.host, "'");
    error.fix = absl::StrCat("add '", cloud.host,
                             "' to tls.sans of cloudhub-svc, or dial one of the hub's names");
  } else if (error.reason == "ANSWER_TOO_LARGE") {
    error.fix = "check that --cloud names the hub's join port";
  } else {
    error.fix = absl::StrCat("check from this box: curl -vk ", cloud.url,
                             "/v1/time; is cloudhub-svc running, and does a firewall let TCP ",
                             cloud.port, " through?");
  }
  return ToStatus(error);
}

StepError RefusalOf(const http::HttpsResponse& response) {
  nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
  auto text = [&body](const char* key) {
    auto found = body.is_object() ? body.find(key) : body.end();
    return found != body.end() && found->is_string() ? found->get<std::string>().substr(0, 500)
                                                     : std::string();
  };
  StepError error = {.exit_code = ExitCode::kRefused,
                     .step = "request the certificate",
                     .expected = "a node certificate (HTTP 200)",
                     .seen = absl::StrCat("HTTP ", response.status, ": ", text("message")),
                     .fix = text("fix"),
                     .reason = text("reason")};
  if (error.reason.empty()) {
    error.reason = "HUB_ANSWER_INVALID";
    error.fix = "check that --cloud names the hub's join port";
  }
  return error;
}

}  // namespace skerry::skerryctl
