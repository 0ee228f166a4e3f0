#include "services/edged-svc/adapters/name_lookups.h"

#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <system_error>
#include <thread>

namespace skerry::edged {
namespace {

namespace asio = boost::asio;
using Addresses = std::vector<asio::ip::address>;

Addresses Resolve(const std::string& host) {
  struct addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  struct addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<struct addrinfo, void (*)(struct addrinfo*)> owner(found, freeaddrinfo);
  Addresses out;
  for (const struct addrinfo* a = found; a != nullptr; a = a->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (a->ai_addrlen > endpoint.capacity()) continue;
    memcpy(endpoint.data(), a->ai_addr, a->ai_addrlen);
    out.push_back(endpoint.address());
  }
  return out;
}

}  // namespace

void NameLookups::Find(const std::string& host, Found found) {
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (!error) return found({address});
  const auto it = waiting_.find(host);
  if (it != waiting_.end()) return it->second.push_back(std::move(found));
  if (waiting_.size() >= kNamesMax) return found({});
  waiting_[host].push_back(std::move(found));
  try {
    std::thread([io = io_, weak = weak_from_this(), host] {
      Addresses addresses = Resolve(host);
      asio::post(*io, [weak, host, addresses = std::move(addresses)] {
        if (const auto self = weak.lock()) self->Answer(host, addresses);
      });
    }).detach();
  } catch (const std::system_error&) {  // No thread is to be had.
    Answer(host, {});
  }
}

void NameLookups::Answer(const std::string& host, const Addresses& addresses) {
  const std::vector<Found> asking = std::move(waiting_[host]);
  waiting_.erase(host);
  for (const Found& found : asking) found(addresses);
}

}  // namespace skerry::edged
