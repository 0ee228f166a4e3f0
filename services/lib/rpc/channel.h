// Channels as every client here uses them, and blocking unary calls for tools and worker threads.
#ifndef SKERRY_SERVICES_LIB_RPC_CHANNEL_H_
#define SKERRY_SERVICES_LIB_RPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::rpc {

struct ChannelOptions {
  std::string target;  // "host:port", "dns:///…" or "unix:/path".
  std::shared_ptr<grpc::ChannelCredentials>
      credentials;          // Null: plaintext, Unix sockets and loopback only.
  std::string server_name;  // Expected in the server's certificate; empty: the target's host.
  int message_bytes_max = 4 << 20;
  absl::Duration keepalive_interval =
      absl::Seconds(30);  // Also without calls; infinite turns it off.
  absl::Duration keepalive_timeout = absl::Seconds(10);
  int window_bytes = 64 << 10;  // The server may send this much of a call ahead of what was read.
  absl::Duration backoff_min =
      absl::Milliseconds(200);  // Between attempts to connect, with jitter.
  absl::Duration backoff_max = absl::Seconds(30);
  // A connection of its own even where another channel has the same target and options.
  bool own_connection = false;
};

// Connects when first used, and again after a loss. INVALID_ARGUMENT for plaintext to another
// machine.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options);

// One blocking unary call: waits for the server to be reachable, up to the deadline. The answer's
// error info is kept. DEADLINE_EXCEEDED and UNAVAILABLE name the peer in their message as gRPC
// tells it.
//   absl::Status status = CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
//     return stub->GetStatus(context, request, &response); });
absl::Status CallUnary(absl::Duration timeout,
                       absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call);

// True for Unix sockets, 127.0.0.0/8, ::1 and localhost: where plaintext is allowed.
bool IsLocalAddress(absl::string_view address);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_CHANNEL_H_
