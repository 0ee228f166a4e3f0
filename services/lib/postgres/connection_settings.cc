#include "services/lib/postgres/connection_settings.h"

#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"

namespace skerry::postgres {
namespace {

// Key and value as libpq reads them.
std::string Setting(absl::string_view key, absl::string_view value) {
  return absl::StrCat(key, "='", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "' ");
}

std::string Value(const std::map<std::string, std::string>& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

// A first @ is an abstract socket's.
bool IsHost(const std::string& host) {
  return !absl::StrContains(host.substr(host.empty() ? 0 : 1), '@');
}

bool IsPort(absl::string_view text) {
  int port = 0;
  return text.empty() || (absl::SimpleAtoi(text, &port) && port > 0 && port < 65536);
}

// In a URL a password that has @ or / as they are ends early, and what follows is taken for the
// host or the port, of which libpq's errors speak.
bool HasHostsAndPorts(const std::map<std::string, std::string>& settings) {
  const std::vector<std::string> hosts = absl::StrSplit(Value(settings, "host"), ',');
  const std::vector<std::string> ports = absl::StrSplit(Value(settings, "port"), ',');
  return std::all_of(hosts.begin(), hosts.end(), IsHost) &&
         std::all_of(ports.begin(), ports.end(), IsPort);
}

// Where a password of 5/cret ends early, 5 is a port, and cret@host a part of the database's name.
bool HasDatabase(absl::string_view connection, const std::map<std::string, std::string>& settings) {
  const bool is_url =
      absl::StartsWith(connection, "postgresql://") || absl::StartsWith(connection, "postgres://");
  return !is_url || !absl::StrContains(Value(settings, "dbname"), '@');
}

std::string Server(const std::map<std::string, std::string>& settings) {
  std::string host = Value(settings, "host");
  if (host.empty()) host = Value(settings, "hostaddr");
  if (host.empty()) return "the local socket";
  const std::string port = Value(settings, "port");
  return port.empty() ? host : absl::StrCat(host, ":", port);
}

}  // namespace

absl::Status NotTaken(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("the PostgreSQL connection (store.postgres_url_file) ", why))
      .Reason("DATABASE_URL");
}

absl::StatusOr<ConnectionSettings> ReadConnection(const std::string& connection,
                                                  absl::Duration connect_timeout,
                                                  absl::Duration statement_timeout) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(connection.c_str(), &message), PQconninfoFree);
  if (parsed == nullptr) {
    // libpq's message would show the password where the text is not understood.
    if (message != nullptr) PQfreemem(message);
    return NotTaken(
        "is not understood; give host=… dbname=… user=… or postgresql://user@host/database");
  }
  // Keepalives find a server that is gone without a word.
  std::map<std::string, std::string> settings = {
      {"connect_timeout",
       absl::StrCat(std::max<int64_t>(1, absl::ToInt64Seconds(connect_timeout)))},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
      {"application_name", "skerry"},
  };
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  if (!HasHostsAndPorts(settings) || !HasDatabase(connection, settings)) {
    return NotTaken(
        "has a host, port or database that is none; in a URL, user and password are "
        "percent-encoded: %40 for @, %2F for /, %3A for :");
  }
  settings["client_encoding"] = "UTF8";
  absl::StrAppend(&settings["options"],
                  " -c statement_timeout=", absl::ToInt64Milliseconds(statement_timeout),
                  " -c client_min_messages=warning");
  ConnectionSettings read{.text = {}, .server = Server(settings)};
  for (const auto& [key, value] : settings) read.text += Setting(key, value);
  return read;
}

}  // namespace skerry::postgres
