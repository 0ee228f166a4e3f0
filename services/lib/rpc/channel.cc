#include "services/lib/rpc/channel.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <cstdint>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::rpc {
namespace {

// From the first packet to the end of the TLS handshake; gRPC calls it a back-off. Callers have
// their own deadlines. A shorter one would have a busy server, or one that is far, begin handshakes
// that nobody waits for.
constexpr absl::Duration kConnectTimeout = absl::Seconds(20);

int Millis(absl::Duration duration) {
  int64_t millis = absl::ToInt64Milliseconds(duration);
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  return static_cast<int>(millis > kMax ? kMax : millis);
}

// "host" of "host:port", "[host]:port" or "dns:///host:port".
absl::string_view HostOf(absl::string_view address) {
  if (!absl::ConsumePrefix(&address, "dns:///") && !absl::ConsumePrefix(&address, "dns:") &&
      !absl::ConsumePrefix(&address, "ipv4:")) {
    absl::ConsumePrefix(&address, "ipv6:");
  }
  if (absl::ConsumePrefix(&address, "[")) return address.substr(0, address.find(']'));
  size_t colon = address.rfind(':');
  return colon == absl::string_view::npos ? address : address.substr(0, colon);
}

bool IsLoopbackIpv4(absl::string_view host) {
  if (!absl::StartsWith(host, "127.")) return false;
  return host.find_first_not_of("0123456789.") ==
         absl::string_view::npos;  // Not "127.evil.example".
}

// gRPC (1.51) ends its callback threads when the last channel or server that uses them is
// destroyed, by joining them on the thread where that happens. Often the last holder of a channel
// is the context of a call, which goes on one of those very threads: it joins itself, and memory is
// corrupted. This channel leads nowhere and never goes, so that the threads live as long as the
// process.
void KeepCallbackThreads() {
  struct Call {
    std::shared_ptr<grpc::Channel> channel;
    grpc::ClientContext context;  // NOLINT(call-deadline): it fails at once.
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
  };
  // Never read, yet kept: leak checkers look for the pointer.
  [[gnu::used]] static const Call* const kept = [] {
    auto* call = new Call;
    grpc::Slice nothing(" ");  // A message must be there to be sent.
    call->request = grpc::ByteBuffer(&nothing, 1);
    call->channel =
        grpc::CreateChannel("", nullptr);  // Without credentials every call fails at once.
    grpc::GenericStub(call->channel)
        .UnaryCall(&call->context, "/none", grpc::StubOptions(), &call->request, &call->response,
                   [](grpc::Status) {});
    return call;
  }();
  (void)kept;
}

}  // namespace

bool IsLocalAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return true;
  absl::string_view host = HostOf(address);
  return host == "localhost" || host == "::1" || IsLoopbackIpv4(host);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options) {
  if (options.target.empty())
    return InvalidField("target", "", "give a gRPC target such as host:port");
  if (options.credentials == nullptr && !IsLocalAddress(options.target)) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("refusing plaintext to '", options.target,
                              "': only Unix sockets and loopback may be without TLS"))
        .Reason("PLAINTEXT_REFUSED")
        .Meta("target", options.target);
  }
  KeepCallbackThreads();
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(options.message_bytes_max);
  args.SetMaxSendMessageSize(options.message_bytes_max);
  if (options.keepalive_interval != absl::InfiniteDuration()) {
    args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(options.keepalive_interval));
    args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(options.keepalive_timeout));
    args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  args.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // As servers: fixed windows.
  args.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, options.window_bytes);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Millis(options.backoff_min));
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Millis(kConnectTimeout));
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Millis(options.backoff_max));
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY,
              0);  // Where we dial is configured, not taken from the environment.
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  if (options.own_connection) args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (!options.server_name.empty()) args.SetSslTargetNameOverride(options.server_name);
  std::shared_ptr<grpc::ChannelCredentials> credentials =
      options.credentials != nullptr ? options.credentials : grpc::InsecureChannelCredentials();
  return grpc::CreateCustomChannel(options.target, credentials, args);
}

absl::Status CallUnary(absl::Duration timeout,
                       absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call) {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(timeout));
  context.set_wait_for_ready(true);
  return FromGrpc(call(&context));
}

}  // namespace skerry::rpc
