// One connection, plain or TLS, as an Asio stream. Internal: only the server's sessions and
// client_connection.cc.
#ifndef SKERRY_SERVICES_LIB_HTTP_TRANSPORT_H_
#define SKERRY_SERVICES_LIB_HTTP_TRANSPORT_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "services/lib/http/tls_context.h"

namespace skerry::http {

// Used by one thread. A branch at each call is much cheaper to compile than a session for
// each kind.
class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Side = boost::asio::ssl::stream_base::handshake_type;

  // `context` null: plain.
  Transport(Socket socket, const SslContext& context) : socket_(std::move(socket)) {
    if (context == nullptr) return;
    SSL_CTX_up_ref(context.get());
    boost::asio::ssl::context owner(
        context.get());  // Drops that reference; the SSL object has its own.
    tls_.emplace(socket_, owner);
  }

  Socket& socket() { return socket_; }
  bool is_tls() const { return tls_.has_value(); }
  ssl_st* tls() { return tls_->native_handle(); }  // Where is_tls().

  template <typename Handler>
  void AsyncHandshake(Side side, Handler handler) {
    tls_->async_handshake(side, std::move(handler));
  }
  template <typename Buffer, typename Handler>
  void AsyncRead(const Buffer& buffer, Handler handler) {
    if (tls_.has_value()) {
      tls_->async_read_some(buffer, std::move(handler));
    } else {
      socket_.async_read_some(buffer, std::move(handler));
    }
  }
  template <typename Buffer, typename Handler>
  void AsyncWrite(const Buffer& buffer, Handler handler) {
    if (tls_.has_value()) {
      tls_->async_write_some(buffer, std::move(handler));
    } else {
      socket_.async_write_some(buffer, std::move(handler));
    }
  }
  std::optional<ClientCertificate> Client() {
    return tls_.has_value() ? PeerCertificate(tls_->native_handle()) : std::nullopt;
  }

 private:
  Socket socket_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_TRANSPORT_H_
