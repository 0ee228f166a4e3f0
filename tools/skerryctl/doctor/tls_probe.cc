#include "tools/skerryctl/doctor/tls_probe.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <chrono>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/x509.h"

namespace skerry::skerryctl {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr size_t kAnswerMax = 16 << 10;
constexpr int kChainMax = 8;

absl::Status Failed(absl::string_view reason, absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable, why).Reason(reason);
}

class Probe {
 public:
  explicit Probe(const TlsTarget& target)
      : target_(target),
        deadline_(std::chrono::steady_clock::now() +
                  std::chrono::milliseconds(absl::ToInt64Milliseconds(target.within))) {}

  TlsPeer Run() {
    peer_.reached = Reach();
    if (peer_.reached.ok()) {
      LookAtCertificate();
      if (!target_.path.empty()) Ask();
    }
    return std::move(peer_);
  }

 private:
  // Runs what `start` begins until it has called its argument. TIMED_OUT after the deadline (of a
  // name: RESOLVE_FAILED), and then nothing may be begun any more.
  template <typename Start>
  absl::Status Await(absl::string_view reason, Start start) {
    std::optional<boost::system::error_code>& done = done_;
    done.reset();
    start([&done](const boost::system::error_code& code) { done = code; });
    io_.restart();
    while (!done.has_value() && io_.run_one_until(deadline_) > 0) {
    }
    if (!done.has_value()) {
      return Failed(reason == "RESOLVE_FAILED" ? reason : "TIMED_OUT",
                    absl::StrCat("no answer within ", absl::FormatDuration(target_.within)));
    }
    return *done ? Failed(reason, done->message()) : absl::OkStatus();
  }

  absl::Status Reach() {
    const size_t colon = target_.address.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      return InvalidField("address", target_.address, "give host:port");
    }
    std::string host = target_.address.substr(0, colon);
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    Tcp::resolver::results_type found;
    SKERRY_RETURN_IF_ERROR(Await("RESOLVE_FAILED", [&](auto done) {
      resolver_.async_resolve(host, target_.address.substr(colon + 1),
                              [&found, done](const boost::system::error_code& code,
                                             const Tcp::resolver::results_type& results) {
                                found = results;
                                done(code);
                              });
    }));
    SKERRY_RETURN_IF_ERROR(Await("CONNECT_FAILED", [&](auto done) {
      asio::async_connect(
          stream_.lowest_layer(), found,
          [done](const boost::system::error_code& code, const Tcp::endpoint&) { done(code); });
    }));
    boost::system::error_code ignored;  // A certificate that can't be read is a finding of its own.
    if (!target_.identity_file.empty()) {
      SSL_use_certificate_file(stream_.native_handle(), target_.identity_file.c_str(),
                               SSL_FILETYPE_PEM);
      SSL_use_PrivateKey_file(stream_.native_handle(), target_.identity_file.c_str(),
                              SSL_FILETYPE_PEM);
    }
    asio::ip::make_address(target_.name, ignored);
    if (ignored) SSL_set_tlsext_host_name(stream_.native_handle(), target_.name.c_str());
    if (!target_.alpn.empty()) {
      const std::string list = static_cast<char>(target_.alpn.size()) + target_.alpn;
      SSL_set_alpn_protos(stream_.native_handle(),
                          reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    }
    return Await("TLS_FAILED",
                 [&](auto done) { stream_.async_handshake(asio::ssl::stream_base::client, done); });
  }

  void Add(X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size <= 0) return;
    const absl::StatusOr<std::string> pem = security::CertificateDerToPem(
        absl::string_view(reinterpret_cast<char*>(der), static_cast<size_t>(size)));
    OPENSSL_free(der);
    if (pem.ok()) absl::StrAppend(&peer_.certificates_pem, *pem);
  }

  void LookAtCertificate() {
    // The peer's own is the first; both belong to the stream.
    STACK_OF(X509)* chain = SSL_get_peer_cert_chain(stream_.native_handle());
    for (int i = 0; i < sk_X509_num(chain) && i < kChainMax; ++i) Add(sk_X509_value(chain, i));
    X509* own = SSL_get0_peer_certificate(stream_.native_handle());
    peer_.name_fits = own != nullptr && (X509_check_host(own, target_.name.data(),
                                                         target_.name.size(), 0, nullptr) == 1 ||
                                         X509_check_ip_asc(own, target_.name.c_str(), 0) == 1);
  }

  // No answer is no error: who asks sees that it is empty.
  void Ask() {
    const std::string request = absl::StrCat(
        "GET ", target_.path, " HTTP/1.1\r\nHost: ", target_.name, "\r\nConnection: close\r\n\r\n");
    absl::Status asked = Await("CONNECT_FAILED", [&](auto done) {
      asio::async_write(stream_, asio::buffer(request),
                        [done](const boost::system::error_code& code, size_t) { done(code); });
    });
    if (!asked.ok()) return;
    // Ends with the connection, or at the bound.
    asked = Await("CONNECT_FAILED", [&](auto done) {
      asio::async_read(stream_, asio::dynamic_buffer(answer_, kAnswerMax),
                       [done](const boost::system::error_code& code, size_t) { done(code); });
    });
    // Until the deadline asio may write there, so it is this object's own.
    peer_.answer = answer_;
  }

  const TlsTarget& target_;
  const std::chrono::steady_clock::time_point deadline_;
  TlsPeer peer_;
  std::string answer_;
  std::optional<boost::system::error_code> done_;
  // What is under way ends with these, unfinished.
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_client};
  Tcp::resolver resolver_{io_};
  asio::ssl::stream<Tcp::socket> stream_{io_, context_};
};

}  // namespace

TlsPeer ProbeTls(const TlsTarget& target) { return Probe(target).Run(); }

}  // namespace skerry::skerryctl
