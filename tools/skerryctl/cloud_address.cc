#include "tools/skerryctl/cloud_address.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/skerryctl/join_errors.h"

namespace skerry::skerryctl {
namespace {

constexpr char kDefaultPort[] = "10002";

}  // namespace

absl::StatusOr<CloudAddress> ParseCloudAddress(absl::string_view text) {
  auto invalid = [text](absl::string_view why) {
    return UsageError("read the arguments", "--cloud https://host:port",
                      absl::StrCat("--cloud ", text, " (", why, ")"),
                      "give the address of the hub's join port, for example --cloud "
                      "https://hub.example.com:10002");
  };
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "https://") && rest.find("://") != absl::string_view::npos) {
    return invalid("only https is spoken");
  }
  absl::ConsumeSuffix(&rest, "/");
  CloudAddress address = {.port = kDefaultPort};
  if (absl::ConsumePrefix(&rest, "[")) {
    size_t end = rest.find(']');
    if (end == absl::string_view::npos) return invalid("']' is missing");
    address.host = std::string(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  } else {
    size_t colon = rest.find(':');
    address.host = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon == absl::string_view::npos ? rest.size() : colon);
  }
  if (absl::ConsumePrefix(&rest, ":")) address.port = std::string(rest);
  int port = 0;
  bool is_v6 = address.host.find(':') != std::string::npos;
  constexpr char kHostCharacters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
  if (address.host.empty() ||
      address.host.find_first_not_of(kHostCharacters) != std::string::npos) {
    return invalid("no host");
  }
  if (!absl::SimpleAtoi(address.port, &port) || port < 1 || port > 65535) return invalid("no port");
  address.url = is_v6 ? absl::StrCat("https://[", address.host, "]:", address.port)
                      : absl::StrCat("https://", address.host, ":", address.port);
  return address;
}

}  // namespace skerry::skerryctl
