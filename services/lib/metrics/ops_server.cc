#include "services/lib/metrics/ops_server.h"

#include <civetweb.h>

#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::metrics {
namespace {

constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kTextType[] = "text/plain; charset=utf-8";

int Answer(mg_connection* connection, int code, const char* reason, const char* type,
           const std::string& body) {
  mg_printf(
      connection,
      "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n",
      code, reason, type, body.size());
  if (std::strcmp(mg_get_request_info(connection)->request_method, "HEAD") != 0) {
    mg_write(connection, body.data(), body.size());
  }
  return code;
}

bool IsRead(mg_connection* connection) {
  const char* method = mg_get_request_info(connection)->request_method;
  return std::strcmp(method, "GET") == 0 || std::strcmp(method, "HEAD") == 0;
}

int RefuseMethod(mg_connection* connection) {
  return Answer(connection, 405, "Method Not Allowed", kTextType, "only GET and HEAD\n");
}

}  // namespace

struct OpsServer::Impl {
  Impl(Registry& r, std::function<std::string()> w) : registry(r), waiting_for(std::move(w)) {}

  static int Metrics(mg_connection* connection, void* data) {
    if (!IsRead(connection)) return RefuseMethod(connection);
    return Answer(connection, 200, "OK", kMetricsType, static_cast<Impl*>(data)->registry.Render());
  }
  static int Live(mg_connection* connection, void*) {
    if (!IsRead(connection)) return RefuseMethod(connection);
    return Answer(connection, 200, "OK", kTextType, "ok\n");
  }
  static int Ready(mg_connection* connection, void* data) {
    if (!IsRead(connection)) return RefuseMethod(connection);
    const std::string missing = static_cast<Impl*>(data)->waiting_for();
    if (missing.empty()) return Answer(connection, 200, "OK", kTextType, "ok\n");
    return Answer(connection, 503, "Service Unavailable", kTextType,
                  absl::StrCat("waiting for ", missing, "\n"));
  }
  static int Other(mg_connection* connection, void*) {
    return Answer(connection, 404, "Not Found", kTextType,
                  "there are /metrics, /livez and /readyz\n");
  }
  // CivetWeb would write its own log file.
  static int DropLog(const mg_connection*, const char*) { return 1; }

  Registry& registry;
  const std::function<std::string()> waiting_for;
  mg_context* context = nullptr;
  std::string address;
};

absl::StatusOr<std::unique_ptr<OpsServer>> OpsServer::Create(
    absl::string_view listen, Registry& registry, std::function<std::string()> waiting_for) {
  static std::once_flag
      initialised;  // The library counts, but asks for one call before any thread.
  std::call_once(initialised, [] { mg_init_library(0); });

  const size_t colon = listen.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 || absl::StrContains(listen, ",")) {
    return InvalidField("ops.listen", listen,
                        "give host:port with a numeric host, such as 127.0.0.1:9100 or [::1]:0");
  }
  auto impl = std::make_unique<Impl>(registry, std::move(waiting_for));
  const std::string ports(listen);
  // Two workers, so that one slow client does not hold up a probe; a client has 5 s and 8 KiB.
  const char* options[] = {"listening_ports",
                           ports.c_str(),
                           "num_threads",
                           "2",
                           "request_timeout_ms",
                           "5000",
                           "max_request_size",
                           "8192",
                           "enable_keep_alive",
                           "no",
                           nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = &Impl::DropLog;
  impl->context = mg_start(&callbacks, impl.get(), options);
  if (impl->context == nullptr) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat(
                     "cannot listen on ops.listen '", listen,
                     "': is the port taken, or the host not a numeric address of this machine?"))
        .Reason("OPS_LISTEN")
        .Meta("address", listen);
  }
  mg_set_request_handler(impl->context, "/metrics$", &Impl::Metrics, impl.get());
  mg_set_request_handler(impl->context, "/livez$", &Impl::Live, impl.get());
  mg_set_request_handler(impl->context, "/readyz$", &Impl::Ready, impl.get());
  mg_set_request_handler(impl->context, "/", &Impl::Other, impl.get());
  mg_server_port bound[1];
  std::memset(bound, 0, sizeof bound);
  mg_get_server_ports(impl->context, 1, bound);
  impl->address = absl::StrCat(listen.substr(0, colon), ":", bound[0].port);
  return std::unique_ptr<OpsServer>(new OpsServer(std::move(impl)));
}

OpsServer::OpsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OpsServer::~OpsServer() { mg_stop(impl_->context); }
std::string OpsServer::address() const { return impl_->address; }

}  // namespace skerry::metrics
