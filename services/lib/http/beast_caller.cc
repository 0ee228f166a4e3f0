#include "services/lib/http/beast_caller.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/call_time.h"
#include "services/lib/http/client_connection.h"
#include "services/lib/http/end_to_end.h"
#include "services/lib/http/request_head.h"

namespace skerry::http {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);
constexpr std::chrono::seconds kIdleMax{60};

absl::Status Invalid(absl::string_view field, absl::string_view value, absl::string_view fix) {
  return InvalidField(field, value.substr(0, 128), fix).Reason("HTTP_CALL_INVALID");
}

// What could be read as two lines, or as the end of all.
absl::Status CheckCall(const Call& call) {
  // After CONNECT comes no answer but another protocol.
  if (!IsHeaderName(call.method) || call.method == "CONNECT")
    return Invalid("method", call.method, "use a method such as GET or POST");
  for (const auto& [name, value] : call.headers) {
    if (!IsHeaderName(name) || !IsHeaderValue(value)) {
      return Invalid("headers", name,
                     "use a token as the name and no control characters in the value");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpUrl> ParseUrl(const std::string& text) {
  absl::StatusOr<HttpUrl> url = ParseHttpUrl("url", text);
  if (url.ok()) return url;
  return Error(url.status().code(), url.status().message()).Reason("HTTP_CALL_INVALID");
}

// Without those of the connection, and without what nobody may pass on.
Headers Received(Headers headers) {
  headers = EndToEnd(headers);
  headers.erase(std::remove_if(headers.begin(), headers.end(),
                               [](const auto& header) {
                                 return !IsHeaderName(header.first) ||
                                        !IsHeaderValue(header.second);
                               }),
                headers.end());
  return headers;
}

}  // namespace

BeastCaller::BeastCaller(Options options) : options_(std::move(options)) {}

BeastCaller::~BeastCaller() = default;

std::unique_ptr<ClientConnection> BeastCaller::TakeIdle(const std::string& peer) {
  const auto now = std::chrono::steady_clock::now();
  std::vector<Idle> over;  // They are closed without the lock.
  absl::MutexLock lock(&mutex_);
  while (!idle_.empty() && now - idle_.front().since > kIdleMax) {
    over.push_back(std::move(idle_.front()));
    idle_.pop_front();
  }
  for (size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i].peer != peer) continue;
    Idle idle = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    if (idle.connection->StillOpen()) return std::move(idle.connection);
    over.push_back(std::move(idle));
  }
  return nullptr;
}

void BeastCaller::Keep(const std::string& peer, std::unique_ptr<ClientConnection> connection) {
  Idle over;
  absl::MutexLock lock(&mutex_);
  if (options_.idle_connections_max == 0) return;
  if (idle_.size() == options_.idle_connections_max) {
    over = std::move(idle_.front());
    idle_.pop_front();
  }
  idle_.push_back({.peer = peer,
                   .since = std::chrono::steady_clock::now(),
                   .connection = std::move(connection)});
}

absl::StatusOr<CallAnswer> BeastCaller::Perform(const Call& call) {
  if (call.stop.stop_requested()) return absl::CancelledError("stopping");
  SKERRY_RETURN_IF_ERROR(CheckCall(call));
  SKERRY_ASSIGN_OR_RETURN(const HttpUrl url, ParseUrl(call.url));
  const CallTime time = CallTime::In(call.timeout, call.stop);
  const std::string peer = absl::StrCat(url.scheme, "://", url.host, ":", url.port);
  const std::string target = url.path + url.query;
  const Headers headers = EndToEnd(call.headers);
  std::string request = RenderRequestHead({.method = call.method,
                                           .target = target,
                                           .authority = AuthorityOf(url.scheme, url.host, url.port),
                                           .user_agent = options_.user_agent,
                                           .headers = &headers,
                                           .body_bytes = call.body.size(),
                                           .keep_alive = options_.idle_connections_max > 0});
  request += call.body;

  std::unique_ptr<ClientConnection> connection = TakeIdle(peer);
  for (bool kept = connection != nullptr;; kept = false) {
    if (!kept) {
      connection = std::make_unique<ClientConnection>();
      Peer to{.host = url.host, .port = static_cast<uint16_t>(url.port)};
      if (url.scheme == "https") to.tls = {.ca_file = options_.ca_file};
      SKERRY_RETURN_IF_ERROR(connection->Open(to, time.AtMost(kConnectTimeout)));
    }
    absl::StatusOr<CallAnswer> answer =
        connection->Ask(request, call.method == "HEAD",
                        {.body_bytes_max = options_.body_bytes_max,
                         .headers_bytes_max = options_.headers_bytes_max},
                        time);
    if (answer.ok()) {
      answer->headers = Received(std::move(answer->headers));
      if (connection->reusable()) Keep(peer, std::move(connection));
      return answer;
    }
    if (!kept || !connection->broke_untouched()) return answer;
  }
}

}  // namespace skerry::http
