#include "tools/bench/hub_load/grpc_stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace skerry::bench {
namespace {

constexpr size_t kFrameHeader = 5;  // Of gRPC: compressed?, length.
constexpr size_t kWriteBytesMax = 64 << 10;
constexpr size_t kMessageBytesMax = 4u << 20;

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

nghttp2_nv Header(absl::string_view name, absl::string_view value) {
  const auto bytes = [](absl::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// Gives idle memory back, which std::string by itself does not.
void DropFront(std::string& text, size_t count) {
  if (count == text.size()) {
    std::string().swap(text);
  } else {
    text.erase(0, count);
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeTlsContext(const std::string& ca_pem) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(ca_pem.data(), -1), BIO_free);
  std::unique_ptr<X509, void (*)(X509*)> ca(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                            X509_free);
  if (ca == nullptr || X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get()) != 1) {
    return absl::InvalidArgumentError("the CA's certificate can't be read");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  constexpr unsigned char kAlpn[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof(kAlpn));
  return context;
}

// What nghttp2 calls, with the stream as user_data.
struct GrpcStream::Callbacks {
  static GrpcStream& Of(void* user_data) { return *static_cast<GrpcStream*>(user_data); }

  static ssize_t Take(nghttp2_session*, int32_t, uint8_t* buffer, size_t length, uint32_t*,
                      nghttp2_data_source*, void* user_data) {
    std::string& messages = Of(user_data).messages_;
    if (messages.empty()) return NGHTTP2_ERR_DEFERRED;
    const size_t count = std::min(length, messages.size());
    memcpy(buffer, messages.data(), count);
    DropFront(messages, count);
    return static_cast<ssize_t>(count);
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t, const uint8_t* data, size_t length,
                    void* user_data) {
    Of(user_data).received_.append(reinterpret_cast<const char*>(data), length);
    return 0;
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name,
                      size_t name_length, const uint8_t* value, size_t value_length, uint8_t,
                      void* user_data) {
    const absl::string_view key(reinterpret_cast<const char*>(name), name_length);
    const absl::string_view text(reinterpret_cast<const char*>(value), value_length);
    GrpcStream& self = Of(user_data);
    if (key == "grpc-status" && !absl::SimpleAtoi(text, &self.grpc_status_)) self.grpc_status_ = 2;
    if (key == "grpc-message") self.grpc_message_ = std::string(text);
    return 0;
  }
  static int OnStreamClose(nghttp2_session*, int32_t, uint32_t, void* user_data) {
    Of(user_data).ended_ = true;
    return 0;
  }
  static nghttp2_session_callbacks* Table() {
    static nghttp2_session_callbacks* const table = [] {
      nghttp2_session_callbacks* made = nullptr;
      nghttp2_session_callbacks_new(&made);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnData);
      nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
      return made;
    }();
    return table;
  }
};

std::shared_ptr<GrpcStream> GrpcStream::Open(EventLoop& loop, const StreamTarget& target,
                                             const std::string& certificate_der, int source,
                                             Owner& owner) {
  auto stream = std::make_shared<GrpcStream>(loop, target, owner);
  absl::Status status = stream->Connect(certificate_der, source);
  if (status.ok()) {
    loop.Watch(stream->fd_, EPOLLIN | EPOLLOUT, stream);
    stream->want_write_ = true;
  } else {
    loop.After(absl::ZeroDuration(), [stream, status] { stream->Fail(status); });
  }
  return stream;
}

GrpcStream::GrpcStream(EventLoop& loop, const StreamTarget& target, Owner& owner)
    : loop_(loop), target_(target), owner_(owner) {}

GrpcStream::~GrpcStream() {
  Close();
  nghttp2_session_del(http2_);
  SSL_free(ssl_);
}

absl::Status GrpcStream::Connect(const std::string& certificate_der, int source) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return SystemError("socket");
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  sockaddr_in from = {};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f010000u + static_cast<uint32_t>(source));
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0) {
    return SystemError("bind");
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&target_.address);
  if (connect(fd_, address, sizeof(target_.address)) != 0 && errno != EINPROGRESS) {
    return SystemError("connect");
  }
  ssl_ = SSL_new(target_.tls.get());
  const auto* der = reinterpret_cast<const unsigned char*>(certificate_der.data());
  char host[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &target_.address.sin_addr, host, sizeof(host));
  if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1 ||
      SSL_use_certificate_ASN1(ssl_, der, static_cast<int>(certificate_der.size())) != 1 ||
      SSL_use_PrivateKey(ssl_, target_.key.get()) != 1 ||
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host) != 1) {
    return absl::InternalError("TLS could not be set up");
  }
  SSL_set_connect_state(ssl_);
  return absl::OkStatus();
}

void GrpcStream::OnReady(uint32_t) {
  const std::shared_ptr<GrpcStream> self = shared_from_this();
  busy_ = true;
  absl::Status status = handshaken_ ? absl::OkStatus() : Handshake();
  if (status.ok() && handshaken_) status = Read();
  busy_ = false;
  if (!open_) return;
  if (status.ok() && handshaken_) status = Flush();
  if (!status.ok()) Fail(std::move(status));
}

absl::Status GrpcStream::Handshake() {
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) return TlsError(result, "handshake");
  handshaken_ = true;
  return StartHttp2();
}

absl::Status GrpcStream::StartHttp2() {
  if (nghttp2_session_client_new(&http2_, Callbacks::Table(), this) != 0) {
    return absl::InternalError("no HTTP/2 session");
  }
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                             {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0}};
  nghttp2_submit_settings(http2_, NGHTTP2_FLAG_NONE, settings, 2);
  const nghttp2_nv headers[] = {
      Header(":method", "POST"),        Header(":scheme", "https"),
      Header(":path", target_.path),    Header(":authority", "localhost"),
      Header("te", "trailers"),         Header("content-type", "application/grpc"),
      Header("user-agent", "hub_load"),
  };
  nghttp2_data_provider body = {};
  body.read_callback = Callbacks::Take;
  stream_id_ = nghttp2_submit_request(http2_, nullptr, headers, 7, &body, nullptr);
  return stream_id_ > 0 ? absl::OkStatus() : absl::InternalError("no HTTP/2 request");
}

absl::Status GrpcStream::Read() {
  static char buffer[64 << 10];
  while (open_) {
    const int count = SSL_read(ssl_, buffer, sizeof(buffer));
    if (count <= 0) return TlsError(count, "read");
    const ssize_t taken =
        nghttp2_session_mem_recv(http2_, reinterpret_cast<const uint8_t*>(buffer), count);
    if (taken < 0) return absl::InternalError(nghttp2_strerror(static_cast<int>(taken)));
    absl::Status status = Deliver();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GrpcStream::Deliver() {
  size_t offset = 0;
  while (open_ && received_.size() - offset >= kFrameHeader) {
    uint32_t length = 0;
    memcpy(&length, received_.data() + offset + 1, sizeof(length));
    length = ntohl(length);
    if (length > kMessageBytesMax) return absl::InternalError("a message of more than 4 MiB");
    if (received_.size() - offset - kFrameHeader < length) break;
    owner_.OnMessage(absl::string_view(received_).substr(offset + kFrameHeader, length));
    offset += kFrameHeader + length;
  }
  DropFront(received_, offset);
  if (!open_ || !ended_) return absl::OkStatus();
  return absl::Status(grpc_status_ > 0 ? static_cast<absl::StatusCode>(grpc_status_)
                                       : absl::StatusCode::kUnavailable,
                      grpc_message_.empty() ? "the server ended the stream" : grpc_message_);
}

void GrpcStream::Send(absl::string_view message) {
  const uint32_t length = htonl(static_cast<uint32_t>(message.size()));
  messages_.push_back('\0');
  messages_.append(reinterpret_cast<const char*>(&length), sizeof(length));
  messages_.append(message.data(), message.size());
  if (http2_ == nullptr || !open_) return;
  nghttp2_session_resume_data(http2_, stream_id_);
  if (busy_) return;
  absl::Status status = Flush();
  if (status.ok()) return;
  // Not from here: the caller may not expect to lose the stream.
  loop_.After(absl::ZeroDuration(), [self = shared_from_this(), status] { self->Fail(status); });
}

absl::Status GrpcStream::Flush() {
  while (true) {
    while (bytes_.size() < kWriteBytesMax) {
      const uint8_t* data = nullptr;
      const ssize_t count = nghttp2_session_mem_send(http2_, &data);
      if (count < 0) return absl::InternalError(nghttp2_strerror(static_cast<int>(count)));
      if (count == 0) break;
      bytes_.append(reinterpret_cast<const char*>(data), count);
    }
    if (bytes_.empty()) break;
    const int written = SSL_write(ssl_, bytes_.data(), static_cast<int>(bytes_.size()));
    if (written <= 0) {
      absl::Status status = TlsError(written, "write");
      if (!status.ok()) return status;
      break;
    }
    DropFront(bytes_, written);
  }
  WantWrite(!bytes_.empty());
  TellDrained();
  return absl::OkStatus();
}

void GrpcStream::AwaitDrained() {
  await_drained_ = true;
  if (!busy_) TellDrained();
}

void GrpcStream::TellDrained() {
  if (!await_drained_ || !messages_.empty() || !bytes_.empty()) return;
  await_drained_ = false;
  loop_.After(absl::ZeroDuration(), [self = shared_from_this()] {
    if (self->open_) self->owner_.OnDrained();
  });
}

void GrpcStream::WantWrite(bool want) {
  if (want == want_write_) return;
  want_write_ = want;
  loop_.Watch(fd_, want ? EPOLLIN | EPOLLOUT : EPOLLIN, shared_from_this());
}

absl::Status GrpcStream::TlsError(int result, absl::string_view what) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      if (!handshaken_) WantWrite(false);
      return absl::OkStatus();
    case SSL_ERROR_WANT_WRITE:
      WantWrite(true);
      return absl::OkStatus();
    case SSL_ERROR_ZERO_RETURN:
      return absl::UnavailableError("the server closed the connection");
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return errno == 0 ? absl::UnavailableError("the server closed the connection")
                        : SystemError(what);
    default: {
      char text[256] = {};
      ERR_error_string_n(ERR_get_error(), text, sizeof(text));
      ERR_clear_error();
      return absl::UnavailableError(absl::StrCat(what, ": ", text));
    }
  }
}

void GrpcStream::Close() {
  if (!open_) return;
  open_ = false;
  if (fd_ < 0) return;
  loop_.Forget(fd_);
  close(fd_);
}

void GrpcStream::Fail(absl::Status status) {
  if (!open_) return;
  Close();
  owner_.OnClosed(std::move(status));
}

TcpBytes GrpcStream::tcp() const {
  tcp_info info = {};
  socklen_t length = sizeof(info);
  if (!open_ || fd_ < 0 || getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  return {info.tcpi_bytes_sent, info.tcpi_bytes_received, info.tcpi_segs_out, info.tcpi_segs_in};
}

}  // namespace skerry::bench
