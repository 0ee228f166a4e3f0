#include "services/edgehub-svc/adapters/https_renewal_client.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"

namespace skerry::edgehub {
namespace {

constexpr char kJoinPort[] = "10002";
constexpr size_t kTextMax = 500;  // Of what a hub says, in our log.

std::string TextAt(const nlohmann::json& body, const char* key) {
  auto found = body.is_object() ? body.find(key) : body.end();
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

// What a hub answers in place of a certificate: {"reason", "message", "fix"}.
absl::Status Refusal(int status, const nlohmann::json& body) {
  const std::string reason = TextAt(body, "reason");
  const bool for_good = status >= 400 && status < 500 && status != 429 && !reason.empty();
  Error error(for_good ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable,
              absl::StrCat("the hub answered HTTP ", status, ": ",
                           TextAt(body, "message").substr(0, kTextMax)));
  if (!reason.empty()) error.Reason(reason.substr(0, kTextMax));
  if (for_good) error.Meta("fix", TextAt(body, "fix").substr(0, kTextMax));
  return error;
}

}  // namespace

HttpsRenewalClient::HttpsRenewalClient(Config config, http::HttpsClient& https)
    : config_(std::move(config)), https_(https) {}

absl::StatusOr<std::string> HttpsRenewalClient::Renew(const NodeIdentity& present,
                                                      absl::string_view csr_pem) {
  http::HttpsRequest request = {.url = absl::StrCat("https://", config_.address, "/v1/renew"),
                                .server_name = config_.server_name,
                                .identity_pem = present.pem,
                                .headers = {"Content-Type: application/pkcs10", "Expect:"},
                                .body = std::string(csr_pem),
                                .stop = stop_.get_token()};
  SKERRY_ASSIGN_OR_RETURN(request.ca_pem, security::ReadSmallFile(config_.ca_file));
  if (request.ca_pem.empty()) {  // For the client that is "verify nothing".
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat(config_.ca_file, " is empty: put the hub's CA there"))
        .Reason("CA_EMPTY");
  }
  SKERRY_ASSIGN_OR_RETURN(http::HttpsResponse response, https_.Call(request));
  const nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
  if (response.status != 200) return Refusal(response.status, body);
  return TextAt(body, "certificate");
}

std::string JoinAddressOf(absl::string_view link_address) {
  return absl::StrCat(link_address.substr(0, link_address.rfind(':')), ":", kJoinPort);
}

}  // namespace skerry::edgehub
