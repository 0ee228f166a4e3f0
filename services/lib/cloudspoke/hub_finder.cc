#include "services/lib/cloudspoke/hub_finder.h"

#include <netdb.h>
#include <sys/socket.h>

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"

namespace skerry::cloudspoke {
namespace {

constexpr absl::string_view kDns = "dns:///";
// Of one name. A name that has more is not that of hubs.
constexpr size_t kAddressesMax = 256;

std::string Join(const std::string& ip, const std::string& port) {
  return absl::StrContains(ip, ':') ? absl::StrCat("[", ip, "]:", port)
                                    : absl::StrCat(ip, ":", port);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> HubFinder::SystemLookup(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  // Its deadline is resolv.conf's.
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0)
    return absl::UnavailableError(absl::StrCat("look up ", host, ": ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  std::set<std::string> v4;
  std::set<std::string> v6;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST] = {};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      (entry->ai_family == AF_INET ? v4 : v6).insert(text);
    }
  }
  const std::set<std::string>& found = v4.empty() ? v6 : v4;
  return std::vector<std::string>(found.begin(), found.end());
}

HubFinder::HubFinder(Options options, Lookup lookup, log::Logger log)
    : options_(std::move(options)), lookup_(std::move(lookup)), log_(std::move(log)) {}

absl::StatusOr<std::unique_ptr<HubFinder>> HubFinder::Create(Options options, Lookup lookup,
                                                             log::Logger log) {
  std::unique_ptr<HubFinder> finder(
      new HubFinder(std::move(options), std::move(lookup), std::move(log)));
  for (const std::string& address : finder->options_.addresses) {
    absl::string_view name = address;
    if (!absl::ConsumePrefix(&name, kDns)) {
      absl::StatusOr<HubTarget> target = finder->MakeTarget(address, finder->options_.server_name);
      if (!target.ok()) return Annotate(target.status(), absl::StrCat("hub.addresses: ", address));
      finder->fixed_.push_back(*std::move(target));
      continue;
    }
    const size_t colon = name.rfind(':');
    if (colon == absl::string_view::npos || colon == 0 || colon + 1 == name.size())
      return InvalidField("hub.addresses", address, "write dns:///host:port");
    finder->names_.push_back({.host = std::string(name.substr(0, colon)),
                              .port = std::string(name.substr(colon + 1)),
                              .addresses = {}});
  }
  return finder;
}

std::vector<HubTarget> HubFinder::Find() {
  std::map<std::string, HubTarget> found;
  for (Name& name : names_) {
    LookUp(name);
    for (const std::string& address : name.addresses) {
      if (const auto known = found_.find(address); known != found_.end()) {
        found[address] = known->second;
        continue;
      }
      absl::StatusOr<HubTarget> target =
          MakeTarget(address, options_.server_name.empty() ? name.host : options_.server_name);
      if (target.ok()) {
        found[address] = *std::move(target);
      } else {
        log_.Error("hub can't be dialled", target.status(), {{"hub", address}});
      }
    }
  }
  found_ = std::move(found);
  std::vector<HubTarget> targets = fixed_;
  for (const auto& [address, target] : found_) targets.push_back(target);
  return targets;
}

void HubFinder::LookUp(Name& name) {
  absl::StatusOr<std::vector<std::string>> ips = lookup_(name.host);
  if (ips.ok() && ips->size() > kAddressesMax) {
    ips = absl::ResourceExhaustedError(
        absl::StrCat("it has ", ips->size(), " addresses, at most ", kAddressesMax, " are taken"));
  }
  if (!ips.ok()) {
    if (!std::exchange(name.failed, true))  // Once for each outage.
      log_.Warning("hubs can't be looked up, those known go on", ips.status(),
                   {{"name", name.host}});
    return;
  }
  name.failed = false;
  name.addresses.clear();
  for (const std::string& ip : *ips) name.addresses.push_back(Join(ip, name.port));
}

absl::StatusOr<HubTarget> HubFinder::MakeTarget(const std::string& address,
                                                const std::string& server_name) const {
  rpc::ChannelOptions options{.target = address,
                              .credentials = options_.credentials,
                              .server_name = server_name,
                              .backoff_max = absl::Seconds(5)};
  HubTarget target{.address = address, .channel = nullptr, .tunnel_channel = nullptr};
  SKERRY_ASSIGN_OR_RETURN(target.channel, rpc::MakeChannel(options));
  options.own_connection = true;
  SKERRY_ASSIGN_OR_RETURN(target.tunnel_channel, rpc::MakeChannel(options));
  return target;
}

}  // namespace skerry::cloudspoke
