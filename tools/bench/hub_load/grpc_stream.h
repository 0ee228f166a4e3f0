// One bidirectional gRPC stream on a TLS connection of its own, on nghttp2 and OpenSSL: a quarter
// of the memory of a gRPC channel, so that ten thousand of them fit beside the server they load.
#ifndef SKERRY_TOOLS_BENCH_HUB_LOAD_GRPC_STREAM_H_
#define SKERRY_TOOLS_BENCH_HUB_LOAD_GRPC_STREAM_H_

#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/bench/hub_load/event_loop.h"

namespace skerry::bench {

// What all streams share. Immutable.
struct StreamTarget {
  sockaddr_in address = {};
  std::string path;  // "/skerry.link.v1.LinkService/Connect"
  std::shared_ptr<SSL_CTX> tls;
  std::shared_ptr<EVP_PKEY> key;
};

// Trusts `ca_pem`, speaks HTTP/2, keeps no buffers of idle connections.
absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeTlsContext(const std::string& ca_pem);

// What the kernel counted for one connection.
struct TcpBytes {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t segments_sent = 0;
  uint64_t segments_received = 0;
};

// On the loop's thread. It has one owner, which Close()s it.
class GrpcStream final : public EventLoop::Handler,
                         public std::enable_shared_from_this<GrpcStream> {
 public:
  // Never called from within Open, Send or AwaitDrained, nor after Close. OnClosed is the last
  // call.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnMessage(absl::string_view message) = 0;
    virtual void OnDrained() {}
    virtual void OnClosed(absl::Status status) = 0;
  };

  // `certificate_der` is that of target.key. Binds to 127.1.0.`source`, so that no pair of
  // addresses runs out of ports.
  static std::shared_ptr<GrpcStream> Open(EventLoop& loop, const StreamTarget& target,
                                          const std::string& certificate_der, int source,
                                          Owner& owner);
  GrpcStream(EventLoop& loop, const StreamTarget& target, Owner& owner);
  ~GrpcStream() override;

  // Before the connection stands, too.
  void Send(absl::string_view message);
  // Asks for one OnDrained, when the kernel has taken everything that was sent.
  void AwaitDrained();
  void Close();
  TcpBytes tcp() const;

  void OnReady(uint32_t events) override;

 private:
  struct Callbacks;

  absl::Status Connect(const std::string& certificate_der, int source);
  absl::Status Handshake();
  absl::Status StartHttp2();
  absl::Status Read();
  // Hands whole messages over.
  absl::Status Deliver();
  absl::Status Flush();
  absl::Status TlsError(int result, absl::string_view what);
  void WantWrite(bool want);
  void TellDrained();
  void Fail(absl::Status status);

  EventLoop& loop_;
  const StreamTarget& target_;
  Owner& owner_;
  bool open_ = true;  // Neither closed by the owner nor told it OnClosed.
  int fd_ = -1;
  SSL* ssl_ = nullptr;
  nghttp2_session* http2_ = nullptr;
  int32_t stream_id_ = 0;
  bool handshaken_ = false;
  bool busy_ = false;  // Within OnReady, which flushes at its end.
  bool want_write_ = false;
  bool await_drained_ = false;
  bool ended_ = false;  // The server ended the stream.
  int grpc_status_ = -1;
  std::string grpc_message_;
  std::string messages_;  // Framed, not yet taken by nghttp2.
  std::string bytes_;     // Of nghttp2, not yet taken by TLS.
  std::string received_;  // Not yet a whole message.
};

}  // namespace skerry::bench

#endif  // SKERRY_TOOLS_BENCH_HUB_LOAD_GRPC_STREAM_H_
