// A TCP connection to the first of some addresses that takes one (RFC 8305, in short).
#ifndef SKERRY_SERVICES_LIB_HTTP_CONNECT_RACE_H_
#define SKERRY_SERVICES_LIB_HTTP_CONNECT_RACE_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace skerry::http {

// Each address is tried when the one before has failed, or has not answered for a quarter of a
// second. Lives on the io_context's thread, which must be run until over(), or after Cancel()
// until it has no more work.
class ConnectRace {
 public:
  using tcp = boost::asio::ip::tcp;

  ConnectRace(boost::asio::io_context& io, std::vector<tcp::endpoint> endpoints);
  ConnectRace(const ConnectRace&) = delete;
  ConnectRace& operator=(const ConnectRace&) = delete;

  void Start();
  void Cancel();

  const bool& over() const { return over_; }
  // Nullopt: none; `error` tells why.
  std::optional<tcp::socket>& winner() { return winner_; }
  const boost::system::error_code& error() const { return error_; }

 private:
  void Next();
  void OnConnected(tcp::socket& socket, const boost::system::error_code& error);

  boost::asio::io_context& io_;
  const std::vector<tcp::endpoint> endpoints_;
  std::vector<std::unique_ptr<tcp::socket>> attempts_;
  boost::asio::steady_timer pause_;
  size_t failed_ = 0;
  bool over_ = false;
  std::optional<tcp::socket> winner_;
  boost::system::error_code error_;  // The first.
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_CONNECT_RACE_H_
