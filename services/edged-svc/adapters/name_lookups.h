// Addresses of host names, without waiting for them.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NAME_LOOKUPS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NAME_LOOKUPS_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace skerry::edged {

// The box's resolver answers when it likes and can't be told to stop, so every name that is being
// looked up has a thread of its own for as long as that takes: one that hangs holds up only those
// who ask for the same, and not the end of `io` either. Used on the thread of `io`.
class NameLookups : public std::enable_shared_from_this<NameLookups> {
 public:
  static constexpr size_t kNamesMax = 64;  // At a time; beyond, nothing is found.
  // Empty: not found. Called on the thread of `io`.
  using Found = std::function<void(std::vector<boost::asio::ip::address> addresses)>;

  explicit NameLookups(std::shared_ptr<boost::asio::io_context> io) : io_(std::move(io)) {}

  // An address is answered at once.
  void Find(const std::string& host, Found found);

 private:
  void Answer(const std::string& host, const std::vector<boost::asio::ip::address>& addresses);

  const std::shared_ptr<boost::asio::io_context> io_;
  std::map<std::string, std::vector<Found>> waiting_;  // By name.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NAME_LOOKUPS_H_
