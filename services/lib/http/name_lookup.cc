#include "services/lib/http/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::http {
namespace {

using tcp = boost::asio::ip::tcp;

constexpr int kLookupsMax = 32;
constexpr size_t kAddressesMax = 16;

// Of the process, as its threads are.
std::atomic<int> lookups = 0;

// Kept by the thread and by who waits for it.
struct Lookup {
  absl::Mutex mutex;
  bool done ABSL_GUARDED_BY(mutex) = false;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  int error ABSL_GUARDED_BY(mutex) = 0;
  std::vector<tcp::endpoint> found ABSL_GUARDED_BY(mutex);
};

absl::Status Unresolved(const std::string& host, absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable, absl::StrCat("cannot look up ", host, ": ", why))
      .Reason("HTTP_UNREACHABLE")
      .Meta("host", host)
      .Meta("step", "lookup");
}

void Resolve(const std::string& host, uint16_t port, Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  absl::MutexLock lock(&lookup.mutex);
  lookup.error = error;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    tcp::endpoint endpoint;
    if (lookup.found.size() == kAddressesMax || each->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    endpoint.resize(each->ai_addrlen);
    endpoint.port(port);
    lookup.found.push_back(endpoint);
  }
  if (list != nullptr) freeaddrinfo(list);
  lookup.done = true;
}

}  // namespace

absl::StatusOr<std::vector<tcp::endpoint>> LookUp(const std::string& host, uint16_t port,
                                                  const CallTime& time) {
  absl::string_view bare = host;
  if (absl::ConsumePrefix(&bare, "[")) absl::ConsumeSuffix(&bare, "]");
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(std::string(bare), no_address);
  if (!no_address) return std::vector<tcp::endpoint>{{address, port}};

  if (++lookups > kLookupsMax) {
    --lookups;
    return Unresolved(host, absl::StrCat(kLookupsMax, " names are looked up already"));
  }
  auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, host, port] {
      exec::SetThreadName("http-lookup");
      Resolve(host, port, *lookup);
      --lookups;
    }).detach();
  } catch (const std::system_error& error) {
    --lookups;
    return Unresolved(host, error.what());
  }
  std::stop_callback wake(time.stop, [&lookup] {
    absl::MutexLock lock(&lookup->mutex);
    lookup->stopped = true;
  });
  absl::MutexLock lock(&lookup->mutex);
  const auto over = [&lookup]()
                        ABSL_NO_THREAD_SAFETY_ANALYSIS { return lookup->done || lookup->stopped; };
  lookup->mutex.AwaitWithTimeout(absl::Condition(&over), time.left());
  if (lookup->stopped) return absl::CancelledError("stopping");
  if (!lookup->done) {
    return Error(absl::StatusCode::kDeadlineExceeded,
                 absl::StrCat("looking up ", host, " took too long"))
        .Reason("HTTP_TIMEOUT")
        .Meta("host", host);
  }
  if (lookup->error != 0) return Unresolved(host, gai_strerror(lookup->error));
  if (lookup->found.empty()) return Unresolved(host, "it has no address");
  return std::move(lookup->found);
}

}  // namespace skerry::http
