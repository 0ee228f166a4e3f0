#include "services/edged-svc/streaming/upgrade.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/streaming/websocket_frames.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

using Headers = std::map<std::string, std::string>;
using Protocols = std::vector<std::string>;

constexpr char kTunnel[] = "SPDY/3.1+portforward.k8s.io";
constexpr size_t kKeyBytes = 16;
constexpr size_t kShownMax = 200;

const Protocols& Served(StreamRequest::Kind kind, bool websocket) {
  static const Protocols& spdy_remote =
      *new Protocols{"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io"};
  static const Protocols& spdy_ports = *new Protocols{"portforward.k8s.io"};
  static const Protocols& socket_remote = *new Protocols{"v5.channel.k8s.io", "v4.channel.k8s.io"};
  static const Protocols& socket_ports = *new Protocols{kTunnel, "v4.channel.k8s.io"};
  const bool ports = kind == StreamRequest::Kind::kPortForward;
  if (websocket) return ports ? socket_ports : socket_remote;
  return ports ? spdy_ports : spdy_remote;
}

std::string Header(const Headers& headers, const char* name) {
  const auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

Protocols Split(absl::string_view list) {
  Protocols items;
  for (const absl::string_view item : absl::StrSplit(list, ','))
    items.emplace_back(absl::StripAsciiWhitespace(item));
  return items;
}

bool Has(absl::string_view list, absl::string_view token) {
  const Protocols items = Split(list);
  return std::any_of(items.begin(), items.end(),
                     [&](const std::string& item) { return absl::EqualsIgnoreCase(item, token); });
}

Error NotAnUpgrade(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("unable to upgrade: ", why))
      .Reason("NOT_AN_UPGRADE");
}

absl::StatusOr<std::string> Choose(const std::string& asked, const Protocols& served) {
  for (const std::string& protocol : Split(asked)) {
    if (std::find(served.begin(), served.end(), protocol) != served.end()) return protocol;
  }
  return Error(absl::StatusCode::kPermissionDenied,
               absl::StrCat("unable to upgrade: unable to negotiate protocol: client supports [",
                            asked.substr(0, kShownMax), "], server accepts [",
                            absl::StrJoin(served, " "), "]"))
      .Reason("PROTOCOL_UNKNOWN");
}

absl::StatusOr<std::string> AcceptWebSocket(const Headers& headers) {
  if (Header(headers, "sec-websocket-version") != "13")
    return NotAnUpgrade("Sec-WebSocket-Version must be 13");
  const std::string key = Header(headers, "sec-websocket-key");
  std::string nonce;
  if (!absl::Base64Unescape(key, &nonce) || nonce.size() != kKeyBytes)
    return NotAnUpgrade("Sec-WebSocket-Key must be 16 bytes in base64");
  return websocket::AcceptKey(key);
}

}  // namespace

absl::StatusOr<Upgrade> NegotiateUpgrade(StreamRequest::Kind kind, const Headers& headers) {
  const std::string to = Header(headers, "upgrade");
  const bool websocket = Has(to, "websocket");
  if (!Has(Header(headers, "connection"), "upgrade") || (!websocket && !Has(to, "SPDY/3.1")))
    return NotAnUpgrade(
        "the request must have Connection: Upgrade, and Upgrade: SPDY/3.1 or "
        "websocket");
  std::string accept;
  if (websocket) {
    absl::StatusOr<std::string> key = AcceptWebSocket(headers);
    if (!key.ok()) return key.status();
    accept = *std::move(key);
  }
  const char* name = websocket ? "sec-websocket-protocol" : "x-stream-protocol-version";
  absl::StatusOr<std::string> protocol = Choose(Header(headers, name), Served(kind, websocket));
  if (!protocol.ok()) return protocol.status();

  Upgrade upgrade;
  upgrade.protocol = *std::move(protocol);
  const bool words = upgrade.protocol[1] == '2' || upgrade.protocol[1] == '3';
  upgrade.status = words ? StatusFormat::kWords : StatusFormat::kJson;
  upgrade.resizes = upgrade.protocol[1] != '2';
  upgrade.peer_closes = upgrade.protocol[1] == '5';
  upgrade.answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
  if (websocket) {
    upgrade.transport = upgrade.protocol == kTunnel ? Upgrade::Transport::kWebSocketTunnel
                                                    : Upgrade::Transport::kWebSocket;
    absl::StrAppend(&upgrade.answer, "Upgrade: websocket\r\nSec-WebSocket-Accept: ", accept,
                    "\r\nSec-WebSocket-Protocol: ", upgrade.protocol, "\r\n\r\n");
  } else {
    absl::StrAppend(&upgrade.answer,
                    "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ", upgrade.protocol,
                    "\r\n\r\n");
  }
  return upgrade;
}

}  // namespace skerry::edged
