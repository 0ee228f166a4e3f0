#include "tools/skerryctl/bundle/metrics_page.h"

#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"

namespace skerry::skerryctl {

absl::StatusOr<std::string> FetchMetrics(absl::string_view address, absl::Duration within) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || !rpc::IsLocalAddress(address)) {
    return InvalidField("--ops", address, "give host:port of this machine, as in 127.0.0.1:9100");
  }
  std::string host(address.substr(0, colon));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(std::chrono::milliseconds(absl::ToInt64Milliseconds(within)));
  stream.connect(host, std::string(address.substr(colon + 1)));
  stream << "GET /metrics HTTP/1.0\r\n\r\n" << std::flush;
  std::string answer;
  for (char c = 0; answer.size() < kMetricsPageMax && stream.get(c);) answer += c;
  const size_t body = answer.find("\r\n\r\n");
  if (body != std::string::npos &&
      absl::StrContains(answer.substr(0, answer.find('\r')), " 200 ")) {
    return answer.substr(body + 4);
  }
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat(
                   "no metrics at ", address, ": ",
                   answer.empty() ? stream.error().message() : answer.substr(0, answer.find('\r'))))
      .Reason("METRICS_UNAVAILABLE")
      .Meta("address", address);
}

}  // namespace skerry::skerryctl
