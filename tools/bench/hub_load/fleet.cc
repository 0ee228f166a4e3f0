#include "tools/bench/hub_load/fleet.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"

namespace skerry::bench {
namespace {

absl::StatusOr<sockaddr_in> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("target '", text, "': give address:port"));
  }
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

absl::StatusOr<std::shared_ptr<EVP_PKEY>> ParseKey(const std::string& pem) {
  std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem.data(), -1), BIO_free);
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr),
                                EVP_PKEY_free);
  if (key == nullptr) return absl::InternalError("the nodes' key can't be read");
  return key;
}

}  // namespace

std::string NodeNames::Of(int number) const { return absl::StrCat(prefix_, number); }

int NodeNames::NumberOf(absl::string_view name) const {
  int number = -1;
  if (!absl::ConsumePrefix(&name, prefix_) || !absl::SimpleAtoi(name, &number)) return -1;
  return number;
}

absl::StatusOr<std::unique_ptr<Fleet>> Fleet::Create(EventLoop& loop, const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(std::string ca_pem,
                          security::ReadSmallFile(options.state_dir + "/ca/ca.crt"));
  SKERRY_ASSIGN_OR_RETURN(std::string ca_key,
                          security::ReadSmallFile(options.state_dir + "/ca/ca.key"));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<security::CertificateAuthority> ca,
                          security::CertificateAuthority::Load(ca_pem, ca_key));
  // One key for all: a key each would cost memory and show nothing.
  SKERRY_ASSIGN_OR_RETURN(security::KeyAndCsr request,
                          security::MakeKeyAndCsr({.common_name = "bench"}));
  StreamTarget target;
  SKERRY_ASSIGN_OR_RETURN(target.address, ParseAddress(options.target));
  target.path = options.echo ? "/bench/Echo" : "/skerry.link.v1.LinkService/Connect";
  SKERRY_ASSIGN_OR_RETURN(target.tls, MakeTlsContext(ca_pem));
  SKERRY_ASSIGN_OR_RETURN(target.key, ParseKey(request.key_pem));

  std::unique_ptr<Fleet> fleet(new Fleet(loop, std::move(target)));
  const NodeNames names(options.name_prefix);
  const auto parts_of = [&](int number) -> absl::StatusOr<NodeParts> {
    const security::CertificateSpec spec = {
        .subject = {.common_name = absl::StrCat("system:node:", names.Of(number)),
                    .organizations = {"system:nodes"}},
        .now = absl::Now(),
        .lifetime = absl::Hours(24),
        .for_client = true};
    SKERRY_ASSIGN_OR_RETURN(std::string pem, ca->SignCsr(request.csr_pem, spec));
    SKERRY_ASSIGN_OR_RETURN(std::string der, security::CertificatePemToDer(pem));
    return NodeParts{number, loop, fleet->target_, *fleet, std::move(der)};
  };
  for (int i = 0; i < options.nodes; ++i) {
    SKERRY_ASSIGN_OR_RETURN(NodeParts parts, parts_of(i));
    fleet->nodes_.push_back(options.echo ? MakeEchoNode(std::move(parts))
                                         : MakeLinkNode(std::move(parts)));
  }
  if (!options.echo) {
    SKERRY_ASSIGN_OR_RETURN(NodeParts parts, parts_of(options.nodes));
    fleet->hostile_parts_.emplace(std::move(parts));
  }
  fleet->in_sync_at_.resize(options.nodes);
  return fleet;
}

bool Fleet::Connect(int parallel, absl::Duration limit) {
  const int all = static_cast<int>(nodes_.size());
  int started = 0;
  return loop_.RunUntil(
      [&] {
        while (started < all && started - in_sync_ < parallel) nodes_[started++]->Start();
        return in_sync_ == all;
      },
      limit);
}

absl::StatusOr<std::vector<double>> Fleet::Storm(absl::Duration limit) {
  const int all = static_cast<int>(nodes_.size());
  const auto everyone_again = [&] {
    return in_sync_ == all &&
           *std::min_element(in_sync_at_.begin(), in_sync_at_.end()) > first_lost_;
  };
  first_lost_ = absl::InfiniteDuration();
  if (!loop_.RunUntil(everyone_again, limit)) {
    return absl::DeadlineExceededError(absl::StrCat("only ", in_sync_, " nodes came back"));
  }
  std::vector<double> seconds;
  for (absl::Duration at : in_sync_at_) {
    seconds.push_back(absl::ToDoubleSeconds(at - first_lost_));
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

void Fleet::Stop() {
  for (const std::unique_ptr<Node>& node : nodes_) node->Stop();
}

void Fleet::BeHostile(const std::vector<Hostility>& kinds) {
  hostile_.clear();
  for (const Hostility kind : kinds) {
    hostile_.push_back(MakeHostileNode(*hostile_parts_, kind));
    hostile_.back()->Start();
  }
}

TcpBytes Fleet::tcp() const {
  TcpBytes sum;
  for (const std::unique_ptr<Node>& node : nodes_) {
    const TcpBytes one = node->tcp();
    sum.sent += one.sent;
    sum.received += one.received;
    sum.segments_sent += one.segments_sent;
    sum.segments_received += one.segments_received;
  }
  return sum;
}

void Fleet::OnInSync(int node) {
  ++in_sync_;
  in_sync_at_[node] = EventLoop::Now();
}

void Fleet::OnLost(int) {
  --in_sync_;
  ++lost_;
  first_lost_ = std::min(first_lost_, EventLoop::Now());
}

void Fleet::OnAnswered(int node, absl::Duration latency) {
  if (answered_) answered_(node, latency);
}

}  // namespace skerry::bench
