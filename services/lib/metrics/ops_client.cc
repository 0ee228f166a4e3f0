#include "services/lib/metrics/ops_client.h"

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::metrics {
namespace {

// Of a page that says one line.
constexpr size_t kAnswerMax = 8192;

absl::Status NotReady(absl::string_view address, absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable, absl::StrCat("not ready at ", address, ": ", why))
      .Reason("NOT_READY")
      .Meta("address", address);
}

}  // namespace

absl::Status AskReady(absl::string_view address, absl::Duration within) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) {
    return InvalidField("ops.listen", address, "give host:port, such as 127.0.0.1:9100");
  }
  std::string host(address.substr(0, colon));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(std::chrono::milliseconds(absl::ToInt64Milliseconds(within)));
  stream.connect(host, std::string(address.substr(colon + 1)));
  stream << "GET /readyz HTTP/1.0\r\n\r\n" << std::flush;
  std::string answer;
  for (char c = 0; answer.size() < kAnswerMax && stream.get(c);) answer += c;
  if (answer.empty()) return NotReady(address, stream.error().message());
  if (absl::StrContains(answer.substr(0, answer.find('\r')), " 200 ")) return absl::OkStatus();
  const size_t body = answer.find("\r\n\r\n");
  return NotReady(address, body == std::string::npos ? answer : answer.substr(body + 4));
}

}  // namespace skerry::metrics
