#include "tools/skerryctl/doctor/token_probe.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/lib/http/https_client.h"
#include "services/lib/security/join_tokens.h"
#include "services/lib/security/x509.h"
#include "tools/skerryctl/cloud_address.h"
#include "tools/skerryctl/doctor/hub_answers.h"
#include "tools/skerryctl/doctor/tls_probe.h"
#include "tools/skerryctl/hub_client.h"

namespace skerry::skerryctl {
namespace {

constexpr absl::Duration kJoinPortTimeout = absl::Seconds(5);

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// The port's TLS and clock, believed by the CA that the token names.
void LookByCa(const CloudAddress& cloud, const std::string& ca, Clock& clock, HubPort& port,
              Observations& seen) {
  const TlsPeer peer = ProbeTls({.address = port.address, .name = cloud.host, .path = "/v1/time"});
  port.reached = peer.reached;
  if (!peer.reached.ok()) return;
  const absl::Time now = clock.Now();
  const std::optional<absl::Time> time = TimeIn(peer.answer);
  if (time.has_value() && security::VerifyChain(peer.certificates_pem, ca, *time).ok()) {
    seen.now = now;
    seen.hub_time = time;
  }
  port.chain = security::VerifyChain(peer.certificates_pem, ca, seen.hub_time.value_or(now));
  port.name_fits = peer.name_fits;
  if (const auto info = security::ParseCertificatePem(peer.certificates_pem); info.ok()) {
    port.names = info->dns_names;
    port.names.insert(port.names.end(), info->ip_addresses.begin(), info->ip_addresses.end());
  }
}

// The hub's CA, by which the token may be shown to it; empty where that must not be, or can't.
std::string LookAtJoinPort(const CloudAddress& cloud, Clock& clock, GivenToken& token,
                           Observations& seen) {
  std::string trusted;
  HubPort port = {.setting = "--cloud",
                  .address = std::string(absl::StripPrefix(cloud.url, "https://")),
                  .name = cloud.host};
  const TlsPeer peer =
      ProbeTls({.address = port.address, .name = cloud.host, .path = "/v1/ca.pem"});
  port.reached = peer.reached;
  if (peer.reached.ok()) {
    const absl::StatusOr<std::string> ca = CaIn(peer.answer);
    token.ca_served = ca.status();
    if (ca.ok()) {
      const absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(*ca);
      token.ca_served = info.status();
      if (info.ok()) token.served_ca_hash = info->sha256_hex;
    }
    if (token.ca_served->ok() && token.served_ca_hash == token.ca_hash) {
      trusted = *ca;
      if (seen.hub.empty()) LookByCa(cloud, *ca, clock, port, seen);
    }
  }
  if (seen.hub.empty()) seen.hub.push_back(std::move(port));
  return trusted;
}

// What a join sends, sent as a join does: over TLS of this CA and the name that was dialled.
void AskJoinPort(const CloudAddress& cloud, const std::string& ca, const std::string& text,
                 GivenToken& token) {
  token.asked_at_join_port = true;
  http::BeastHttpsClient https;
  const absl::StatusOr<http::HttpsResponse> answer =
      https.Call({.url = cloud.url + "/v1/token",
                  .ca_pem = ca,
                  .headers = {"Content-Type: text/plain"},
                  .body = text,
                  .timeout = kJoinPortTimeout});
  if (!answer.ok()) {
    token.asked = answer.status();
    return;
  }
  const absl::StatusOr<TokenRecord> known = TokenIn(answer->status, answer->body);
  token.asked = known.status();
  if (known.ok()) token.known = *known;
}

void AskHub(const Endpoint& endpoint, GivenToken& token) {
  absl::StatusOr<std::unique_ptr<HubClient>> hub = HubClient::Connect(endpoint);
  if (!hub.ok()) {
    token.asked = hub.status();
    return;
  }
  const absl::StatusOr<std::vector<cloudhub::v1::JoinToken>> tokens = (*hub)->ListTokens();
  token.asked = tokens.status();
  if (!tokens.ok()) return;
  const auto found =
      std::find_if(tokens->begin(), tokens->end(), [&](const cloudhub::v1::JoinToken& each) {
        return each.name() == absl::StrCat("joinTokens/", token.id);
      });
  if (found == tokens->end()) return;
  token.known = TokenRecord{.create_time = TimeOf(found->create_time()),
                            .expire_time = TimeOf(found->expire_time()),
                            .node = found->node(),
                            .single_use = found->single_use(),
                            .uses = found->uses(),
                            .revoked = found->revoked()};
}

}  // namespace

void LookAtToken(const TokenOptions& options, Clock& clock, Observations& seen) {
  GivenToken token = {.node = options.node_name};
  const absl::StatusOr<security::JoinToken> parsed = security::ParseJoinToken(options.token);
  token.parsed = parsed.status();
  if (parsed.ok()) {
    token.id = parsed->id;
    token.ca_hash = parsed->ca_hash;
    const auto cloud = ParseCloudAddress(options.cloud);
    const std::string ca = !options.cloud.empty() && cloud.ok()
                               ? LookAtJoinPort(*cloud, clock, token, seen)
                               : std::string();
    const bool others = token.ca_served.has_value() && token.ca_served->ok() &&
                        token.served_ca_hash != token.ca_hash;
    if (!options.hub.address.empty()) {
      if (!others) AskHub(options.hub, token);
    } else if (!ca.empty()) {
      AskJoinPort(*cloud, ca, options.token, token);
    }
  }
  seen.token = std::move(token);
}

}  // namespace skerry::skerryctl
