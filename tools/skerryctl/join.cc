#include "tools/skerryctl/join.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"
#include "tools/skerryctl/join_errors.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

// Certificates are valid from an hour before they are issued; reports and logs need better than
// that.
constexpr absl::Duration kSkewMax = absl::Minutes(5);

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

// What goes into a configuration file as the hub's address.
bool IsHostAndPort(absl::string_view text) {
  size_t colon = text.rfind(':');
  int port = 0;
  return colon != absl::string_view::npos && colon > 0 && text.size() <= 300 &&
         absl::SimpleAtoi(text.substr(colon + 1), &port) && port > 0 && port <= 65535 &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
             absl::string_view::npos;
}

}  // namespace

Joiner::Joiner(JoinOptions options, http::HttpsClient& https, Clock& clock, Progress progress)
    : options_(std::move(options)), https_(https), clock_(clock), progress_(std::move(progress)) {}

absl::Status Joiner::Run() {
  SKERRY_RETURN_IF_ERROR(ParseArguments());
  SKERRY_ASSIGN_OR_RETURN(bool joined, CheckExisting());
  if (joined) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(PrepareFolder());
  SKERRY_RETURN_IF_ERROR(Resolve());
  SKERRY_RETURN_IF_ERROR(FetchCa());
  SKERRY_RETURN_IF_ERROR(CompareHash());
  SKERRY_RETURN_IF_ERROR(CheckClock());
  SKERRY_RETURN_IF_ERROR(RequestCertificate());
  SKERRY_RETURN_IF_ERROR(VerifyCertificate());
  return WriteFiles();
}

absl::Status Joiner::ParseArguments() {
  absl::StatusOr<security::JoinToken> token = security::ParseJoinToken(options_.token);
  if (!token.ok()) {
    return ToStatus({.exit_code = ExitCode::kUsage,
                     .step = "read the token",
                     .expected = "<sha256 of the CA>.<id>.<secret>",
                     .seen = std::string(token.status().message()),
                     .fix = "copy the whole token; on the cloud side: skerryctl token create",
                     .reason = GetErrorInfo(token.status()).reason});
  }
  token_ = *std::move(token);
  SKERRY_ASSIGN_OR_RETURN(cloud_, ParseCloudAddress(options_.cloud));
  identity_.join_address = std::string(absl::StripPrefix(cloud_.url, "https://"));
  absl::StatusOr<NodeName> node = NodeName::Parse(options_.node_name);
  if (!node.ok()) {
    return UsageError(
        "read the arguments", "a node name of lower-case letters, digits, '-' and '.'",
        absl::StrCat("--node-name '", options_.node_name, "'"), "give another --node-name");
  }
  identity_.node = node->value();
  return absl::OkStatus();
}

absl::StatusOr<bool> Joiner::CheckExisting() {
  const std::string& folder = options_.layout.folder;
  absl::StatusOr<std::optional<ExistingIdentity>> found = FindIdentity(folder, clock_.Now());
  if (!found.ok()) {
    return ToStatus({.exit_code = ExitCode::kLocalFiles,
                     .step = "look for an earlier join",
                     .expected = absl::StrCat("a readable ", folder, "/node.pem, or none"),
                     .seen = std::string(found.status().message()),
                     .fix = "run as root, or give another --dir",
                     .reason = GetErrorInfo(found.status()).reason});
  }
  if (options_.force || !found->has_value()) return false;
  const ExistingIdentity& existing = **found;
  std::string owner = absl::StrCat("system:node:", identity_.node);
  if (!existing.problem.empty()) {
    progress_("look for an earlier join",
              absl::StrCat("joining anew, because of the old certificate: ", existing.problem));
    return false;
  }
  if (existing.certificate.common_name != owner || existing.ca_hash != token_.ca_hash) {
    bool other_node = existing.certificate.common_name != owner;
    return ToStatus(
        {.exit_code = ExitCode::kLocalFiles,
         .step = "look for an earlier join",
         .expected = other_node
                         ? absl::StrCat("a certificate of ", owner, ", or none")
                         : absl::StrCat("a certificate of the hub whose CA is ", token_.ca_hash),
         .seen = other_node ? existing.certificate.common_name
                            : absl::StrCat("one of another hub, whose CA is ", existing.ca_hash),
         .fix = "join with --force to give this box a new identity",
         .reason = "ALREADY_JOINED_ELSEWHERE"});
  }
  progress_("look for an earlier join", absl::StrCat("this box is node '", identity_.node,
                                                     "' already; its certificate is good until ",
                                                     Rfc3339(existing.certificate.not_after),
                                                     " (edgehub-svc renews it in time)"));
  return true;
}

absl::Status Joiner::PrepareFolder() {
  const std::string& folder = options_.layout.folder;
  absl::Status made = security::MakeFolder(folder, 0755);
  if (made.ok() && access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  std::string seen =
      made.ok() ? absl::StrCat(folder, ": ", strerror(errno)) : std::string(made.message());
  return ToStatus({.exit_code = ExitCode::kLocalFiles,
                   .step = "prepare the folder",
                   .expected = absl::StrCat("a folder ", folder, " that can be written to"),
                   .seen = seen,
                   .fix = "run as root, or give another --dir",
                   .reason = "FOLDER_NOT_WRITABLE"});
}

absl::Status Joiner::Resolve() {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* results = nullptr;
  int code = getaddrinfo(cloud_.host.c_str(), cloud_.port.c_str(), &hints, &results);
  if (code != 0) {
    return ToStatus(
        {.exit_code = ExitCode::kUnreachable,
         .step = "resolve the hub's name",
         .expected = absl::StrCat("an address for '", cloud_.host, "'"),
         .seen = gai_strerror(code),
         .fix = absl::StrCat("check the spelling of --cloud and this box's DNS: getent hosts ",
                             cloud_.host),
         .reason = "RESOLVE_FAILED"});
  }
  std::vector<std::string> addresses;
  for (const addrinfo* result = results; result != nullptr; result = result->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    if (getnameinfo(result->ai_addr, result->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  freeaddrinfo(results);
  progress_("resolve the hub's name", absl::StrJoin(addresses, ", "));
  return absl::OkStatus();
}

absl::Status Joiner::FetchCa() {
  // Not verified: nothing is known yet to verify with. The hash in the token decides in the next
  // step.
  absl::StatusOr<http::HttpsResponse> answer = https_.Call({.url = cloud_.url + "/v1/ca.pem"});
  if (!answer.ok()) return TransportError("fetch the hub's CA", cloud_, answer.status());
  absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(answer->body);
  if (answer->status != 200 || !info.ok()) {
    return ToStatus(
        {.exit_code = ExitCode::kUntrusted,
         .step = "fetch the hub's CA",
         .expected = "a CA certificate (HTTP 200)",
         .seen = absl::StrCat("HTTP ", answer->status, info.ok() ? "" : ", and no certificate"),
         .fix = "check that --cloud names the hub's join port (HTTPS, 10002 by default)",
         .reason = "CA_UNAVAILABLE"});
  }
  // Written as parsed: what follows the first certificate was not hashed and must not become
  // trusted.
  absl::StatusOr<std::string> der = security::CertificatePemToDer(answer->body);
  SKERRY_RETURN_IF_ERROR(der.status());
  SKERRY_ASSIGN_OR_RETURN(identity_.ca_pem, security::CertificateDerToPem(*der));
  progress_("fetch the hub's CA",
            absl::StrCat(info->common_name, ", valid until ", Rfc3339(info->not_after)));
  return absl::OkStatus();
}

absl::Status Joiner::CompareHash() {
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo info,
                          security::ParseCertificatePem(identity_.ca_pem));
  if (info.sha256_hex == token_.ca_hash) {
    progress_("compare the CA's hash", "it is the one in the token");
    return absl::OkStatus();
  }
  return ToStatus(
      {.exit_code = ExitCode::kUntrusted,
       .step = "compare the CA's hash",
       .expected = absl::StrCat("sha256 ", token_.ca_hash, " (from the token)"),
       .seen = absl::StrCat("sha256 ", info.sha256_hex, " (from ", cloud_.url, ")"),
       .fix =
           "this is not the hub that made the token, or someone is in between: check --cloud, or "
           "create a token on this very hub",
       .reason = "CA_HASH_MISMATCH"});
}

absl::Status Joiner::CheckClock() {
  absl::StatusOr<http::HttpsResponse> answer = https_.Call({.url = cloud_.url + "/v1/time"});
  if (!answer.ok()) return TransportError("compare the clocks", cloud_, answer.status());
  absl::Time now = clock_.Now();
  nlohmann::json body = nlohmann::json::parse(answer->body, nullptr, false);
  absl::Time hub_time;
  std::string error;
  bool has_time =
      answer->status == 200 && body.is_object() && body.contains("time") &&
      body["time"].is_string() &&
      absl::ParseTime(absl::RFC3339_full, body["time"].get<std::string>(), &hub_time, &error);
  if (!has_time) {
    return ToStatus(
        {.exit_code = ExitCode::kUntrusted,
         .step = "compare the clocks",
         .expected = "the hub's time (HTTP 200)",
         .seen = absl::StrCat("HTTP ", answer->status, " without one"),
         .fix = "check that --cloud names the join port of a cloudhub-svc of this version",
         .reason = "HUB_ANSWER_INVALID"});
  }
  absl::Duration skew = now - hub_time;
  std::string skew_text =
      absl::StrCat("this box is at ", Rfc3339(now), ", the hub at ", Rfc3339(hub_time));
  if (skew > kSkewMax || skew < -kSkewMax) {
    return ToStatus({.exit_code = ExitCode::kClock,
                     .step = "compare the clocks",
                     .expected = absl::StrCat("at most ", absl::FormatDuration(kSkewMax),
                                              " between this box and the hub"),
                     .seen = absl::StrCat(skew_text, ": ",
                                          absl::FormatDuration(absl::Trunc(absl::AbsDuration(skew),
                                                                           absl::Seconds(1))),
                                          skew > absl::ZeroDuration() ? " ahead" : " behind"),
                     .fix = "set this box's clock (timedatectl set-ntp true), or the hub's if it "
                            "is that one which is wrong",
                     .reason = "CLOCK_SKEW"});
  }
  SKERRY_RETURN_IF_ERROR(CheckCaValidity(now, skew_text));
  progress_("compare the clocks", absl::StrCat(absl::FormatDuration(absl::Trunc(
                                                   absl::AbsDuration(skew), absl::Milliseconds(1))),
                                               " apart"));
  return absl::OkStatus();
}

absl::Status Joiner::CheckCaValidity(absl::Time now, absl::string_view skew_text) {
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo ca,
                          security::ParseCertificatePem(identity_.ca_pem));
  if (now >= ca.not_before && now <= ca.not_after) return absl::OkStatus();
  return ToStatus(
      {.exit_code = ExitCode::kClock,
       .step = "compare the clocks",
       .expected = absl::StrCat("a time between ", Rfc3339(ca.not_before), " and ",
                                Rfc3339(ca.not_after), ", the validity of the hub's CA"),
       .seen = std::string(skew_text),
       .fix =
           "set both clocks; if they are right, the hub's CA has expired and needs to be replaced",
       .reason = "CA_NOT_VALID_NOW"});
}

absl::Status Joiner::RequestCertificate() {
  security::CertificateSubject subject = {
      .common_name = absl::StrCat("system:node:", identity_.node),
      .organizations = {"system:nodes"}};
  SKERRY_ASSIGN_OR_RETURN(security::KeyAndCsr made, security::MakeKeyAndCsr(subject));
  identity_.key_pem = std::move(made.key_pem);
  absl::StatusOr<http::HttpsResponse> answer =
      https_.Call({.url = cloud_.url + "/v1/join",
                   .ca_pem = identity_.ca_pem,
                   .headers = {"Authorization: Bearer " + options_.token,
                               "Content-Type: application/pkcs10", "Expect:"},
                   .body = made.csr_pem});
  if (!answer.ok()) return TransportError("request the certificate", cloud_, answer.status());
  if (answer->status != 200) return ToStatus(RefusalOf(*answer));
  nlohmann::json body = nlohmann::json::parse(answer->body, nullptr, false);
  auto take = [&body](const char* key, std::string& out) {
    if (!body.is_object() || !body.contains(key) || !body[key].is_string()) return false;
    out = body[key].get<std::string>();
    return !out.empty();
  };
  if (!take("certificate", identity_.certificate_pem) ||
      !take("linkAddress", identity_.link_address) || !IsHostAndPort(identity_.link_address)) {
    return ToStatus(RefusalOf(*answer));
  }
  if (!options_.link_address.empty()) identity_.link_address = options_.link_address;
  progress_("request the certificate",
            absl::StrCat("the hub signed for node '", identity_.node, "'"));
  return absl::OkStatus();
}

absl::Status Joiner::VerifyCertificate() {
  auto failed = [](absl::string_view expected, absl::string_view seen) {
    return ToStatus({.exit_code = ExitCode::kUntrusted,
                     .step = "verify the certificate",
                     .expected = std::string(expected),
                     .seen = std::string(seen),
                     .fix = "report this: the hub signed something else than was asked for",
                     .reason = "CERTIFICATE_INVALID"});
  };
  absl::StatusOr<security::CertificateInfo> info =
      security::ParseCertificatePem(identity_.certificate_pem);
  if (!info.ok()) return failed("a certificate in PEM form", info.status().message());
  std::string owner = absl::StrCat("system:node:", identity_.node);
  if (info->common_name != owner) return failed("CN=" + owner, "CN=" + info->common_name);
  absl::Status fits =
      security::CheckKeyFitsCertificate(identity_.certificate_pem, identity_.key_pem);
  if (!fits.ok()) return failed("a certificate for the key made here", fits.message());
  absl::Status chain =
      security::VerifyChain(identity_.certificate_pem, identity_.ca_pem, clock_.Now());
  if (!chain.ok())
    return failed("a certificate that the hub's CA signed and that is valid now", chain.message());
  progress_("verify the certificate",
            absl::StrCat(owner, ", valid until ", Rfc3339(info->not_after)));
  return absl::OkStatus();
}

absl::Status Joiner::WriteFiles() {
  absl::Status written = WriteNodeFiles(options_.layout, identity_, options_.force);
  if (!written.ok()) {
    return ToStatus({.exit_code = ExitCode::kLocalFiles,
                     .step = "write the files",
                     .expected = absl::StrCat("to write below ", options_.layout.folder),
                     .seen = std::string(written.message()),
                     .fix = "run as root, or give another --dir; then join again with a token for "
                            "this node: skerryctl token create --node " +
                            identity_.node,
                     .reason = GetErrorInfo(written).reason});
  }
  progress_("write the files",
            absl::StrCat(options_.layout.folder, "/{ca.crt,node.pem,*.yaml}; the link is at ",
                         identity_.link_address));
  return absl::OkStatus();
}

}  // namespace skerry::skerryctl
