#include "services/edged-svc/kubelet/request_head.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/request_target.h"

namespace skerry::edged {
namespace {

namespace beast = boost::beast;

constexpr size_t kHeadBytesMax = 64u << 10;

std::string Text(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::optional<std::string> RequestHead::Query(absl::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<RequestHead>> HeadReader::Put(absl::string_view bytes) {
  absl::StrAppend(&bytes_, bytes);
  const size_t end = bytes_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (bytes_.size() > kHeadBytesMax)
      return absl::InvalidArgumentError("the head of the request is longer than 64 KiB");
    return std::optional<RequestHead>();
  }
  rest_ = bytes_.substr(end + 4);
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(static_cast<uint32_t>(kHeadBytesMax));
  boost::system::error_code error;
  parser.put(boost::asio::buffer(bytes_.data(), end + 4), error);
  if (error || !parser.is_header_done())
    return absl::InvalidArgumentError(absl::StrCat("not an HTTP request: ", error.message()));
  const auto& message = parser.get();
  RequestHead head;
  head.method = Text(message.method_string());
  SKERRY_ASSIGN_OR_RETURN(http::RequestTarget target,
                          http::ParseRequestTarget(Text(message.target())));
  head.path = std::move(target.path);
  head.query = std::move(target.query);
  for (const auto& field : message)
    head.headers.emplace_back(Text(field.name_string()), Text(field.value()));
  return std::optional<RequestHead>(std::move(head));
}

std::string RenderRequest(const RequestHead& head, absl::string_view target,
                          absl::string_view host) {
  std::string text = absl::StrCat(head.method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\n");
  for (const auto& [name, value] : head.headers) {
    if (!absl::EqualsIgnoreCase(name, "Host")) absl::StrAppend(&text, name, ": ", value, "\r\n");
  }
  return text + "\r\n";
}

}  // namespace skerry::edged
