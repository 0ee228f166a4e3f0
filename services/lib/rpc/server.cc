#include "services/lib/rpc/server.h"

#include <errno.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/impl/server_initializer.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/admission.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/listener.h"
#include "services/lib/rpc/server_metrics.h"

namespace skerry::rpc {
namespace {

// Peers may ping from this often without being cut; our clients ping every 30 s.
constexpr absl::Duration kPingIntervalMin = absl::Seconds(20);
// Of the TLS handshake of a connection that came by a listener.
constexpr int kHandshakeMaxMillis = 10000;

Error CannotListen(absl::string_view address, absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("can't listen on '", address, "': ", why))
      .Reason("LISTEN_FAILED")
      .Meta("address", address);
}

// A socket file that nobody answers on is what a killed process left behind; one that answers is in
// use.
absl::Status PrepareSocketPath(const std::string& listen, const std::string& path) {
  sockaddr_un address = {};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return InvalidField(
        "listen", listen,
        absl::StrCat("a socket path has 1 to ", sizeof(address.sun_path) - 1, " characters"));
  }
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return CannotListen(listen, strerror(errno));
  }
  if (!S_ISSOCK(info.st_mode)) return CannotListen(listen, "the path exists and is not a socket");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return CannotListen(listen, strerror(errno));
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  int error = errno;
  close(fd);
  if (result == 0 || error == EAGAIN)
    return CannotListen(listen, "another process is serving on it");
  if (error != ECONNREFUSED) return CannotListen(listen, strerror(error));
  if (unlink(path.c_str()) != 0) return CannotListen(listen, strerror(errno));
  return absl::OkStatus();
}

void SetBounds(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.message_bytes_max);
  builder.SetMaxSendMessageSize(options.message_bytes_max);
  int interval = static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, interval);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kPingIntervalMin)));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                             0);  // Two servers on one port are a mistake here.
  // Windows that follow the bandwidth, which gRPC measures by pings, grow to many MiB a call, and
  // the pings keep an idle connection busy. Fixed ones bound what a peer may send ahead.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, options.window_bytes);
  if (options.connection_idle_max != absl::InfiniteDuration()) {
    builder.AddChannelArgument(
        GRPC_ARG_MAX_CONNECTION_IDLE_MS,
        static_cast<int>(absl::ToInt64Milliseconds(options.connection_idle_max)));
  }
  if (options.connection_age_max != absl::InfiniteDuration()) {
    builder.AddChannelArgument(
        GRPC_ARG_MAX_CONNECTION_AGE_MS,
        static_cast<int>(absl::ToInt64Milliseconds(options.connection_age_max)));
  }
}

// Learns the names of the registered services, which gRPC keeps to itself and its plugins.
class NamesPlugin final : public grpc::ServerBuilderPlugin {
 public:
  explicit NamesPlugin(std::shared_ptr<std::vector<std::string>> names)
      : names_(std::move(names)) {}
  std::string name() override { return "service_names"; }
  void InitServer(grpc::ServerInitializer*) override {}
  void Finish(grpc::ServerInitializer* initializer) override {
    *names_ = *initializer->GetServiceList();
  }
  void ChangeArguments(const std::string&, void*) override {}

 private:
  const std::shared_ptr<std::vector<std::string>> names_;
};

class NamesOption final : public grpc::ServerBuilderOption {
 public:
  explicit NamesOption(std::shared_ptr<std::vector<std::string>> names)
      : names_(std::move(names)) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<NamesPlugin>(names_));
  }

 private:
  const std::shared_ptr<std::vector<std::string>> names_;
};

// Metrics first: they count what is refused, too.
void AddInterceptors(const ServerOptions& options, grpc::ServerBuilder& builder) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  if (options.registry != nullptr) factories.push_back(MakeServerMetrics(*options.registry));
  if (options.policy.has_value())
    factories.push_back(MakeAdmission(*options.policy, options.tokens));
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

// "host:port" with the port that was bound.
std::string BoundAddress(const std::string& listen, int port) {
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

}  // namespace

Server::Server(std::unique_ptr<grpc::Server> server, std::string address,
               std::vector<std::string> services, Listener* listener)
    : server_(std::move(server)),
      address_(std::move(address)),
      services_(std::move(services)),
      listener_(listener) {
  SetServing(false);  // Each service has its entry from the start.
}

absl::StatusOr<std::unique_ptr<Server>> Server::Create(
    const ServerOptions& options, const std::vector<grpc::Service*>& services) {
  absl::string_view path = options.listen;
  bool is_unix = absl::ConsumePrefix(&path, "unix:");
  if (options.policy.has_value() && options.credentials == nullptr)
    return absl::InvalidArgumentError("a server with a policy needs TLS credentials");
  if (options.listener != nullptr) {
    if (options.credentials == nullptr)
      return absl::InvalidArgumentError("a server with a listener needs TLS credentials");
  } else if (is_unix) {
    absl::ConsumePrefix(&path, "//");
    SKERRY_RETURN_IF_ERROR(PrepareSocketPath(options.listen, std::string(path)));
  } else if (options.listen.rfind(':') == std::string::npos) {
    return InvalidField("listen", options.listen, "give host:port or unix:/path");
  } else if (options.credentials == nullptr && !IsLocalAddress(options.listen)) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("refusing to serve plaintext on '", options.listen,
                              "': give TLS files, or listen on a Unix socket or loopback"))
        .Reason("PLAINTEXT_REFUSED")
        .Meta("address", options.listen);
  }
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetBounds(options, builder);
  int port = 0;
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  if (options.listener != nullptr) {
    acceptor = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        options.credentials);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMaxMillis);
  } else {
    builder.AddListeningPort(
        options.listen,
        options.credentials != nullptr ? options.credentials : grpc::InsecureServerCredentials(),
        &port);
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  AddInterceptors(options, builder);
  auto names = std::make_shared<std::vector<std::string>>();
  builder.SetOption(std::make_unique<NamesOption>(names));
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return CannotListen(options.listen, "the address is in use or not ours");
  // Until here the socket has the process's umask, which gives nobody else the right to write, so
  // to connect.
  if (is_unix && chmod(std::string(path).c_str(), 0660) != 0)
    return CannotListen(options.listen, strerror(errno));
  std::string address = is_unix ? absl::StrCat("unix:", path) : BoundAddress(options.listen, port);
  if (options.listener != nullptr) {
    address = options.listener->address();
    options.listener->Start([acceptor = std::move(acceptor)](int fd) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = fd;
      acceptor->HandleNewConnection(&connection);
    });
  }
  return std::unique_ptr<Server>(
      new Server(std::move(server), std::move(address), *names, options.listener));
}

Server::~Server() { Shutdown(absl::Now()); }

void Server::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  for (const std::string& service : services_) health->SetServingStatus(service, serving);
  health->SetServingStatus("", serving);
}

void Server::Shutdown(absl::Time deadline) {
  absl::MutexLock lock(&shutdown_mutex_);
  if (shut_down_) return;
  shut_down_ = true;
  if (listener_ != nullptr) listener_->Stop();
  server_->GetHealthCheckService()->Shutdown();
  server_->Shutdown(absl::ToChronoTime(deadline));
}

}  // namespace skerry::rpc
