#include "services/lib/http/request_head.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace skerry::http {

std::string RenderRequestHead(const RequestHead& head) {
  std::string text =
      absl::StrCat(head.method, " ", head.target, " HTTP/1.1\r\nHost: ", head.authority, "\r\n");
  bool has_agent = head.user_agent.empty();
  bool has_accept = false;
  for (const auto& [name, value] : *head.headers) {
    absl::StrAppend(&text, name, ": ", value, "\r\n");
    has_agent = has_agent || absl::EqualsIgnoreCase(name, "user-agent");
    has_accept = has_accept || absl::EqualsIgnoreCase(name, "accept");
  }
  if (!has_agent) absl::StrAppend(&text, "User-Agent: ", head.user_agent, "\r\n");
  if (!has_accept) absl::StrAppend(&text, "Accept: */*\r\n");
  const bool takes_body = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
  if (takes_body || head.body_bytes > 0)
    absl::StrAppend(&text, "Content-Length: ", head.body_bytes, "\r\n");
  if (!head.keep_alive) absl::StrAppend(&text, "Connection: close\r\n");
  text += "\r\n";
  return text;
}

std::string AuthorityOf(absl::string_view scheme, absl::string_view host, int port) {
  const int usual = scheme == "https" ? 443 : 80;
  return port == usual ? std::string(host) : absl::StrCat(host, ":", port);
}

}  // namespace skerry::http
