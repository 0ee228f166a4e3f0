#include "services/lib/http/connect_race.h"

#include <chrono>

namespace skerry::http {
namespace {

using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kHeadStart{250};

}  // namespace

ConnectRace::ConnectRace(boost::asio::io_context& io, std::vector<tcp::endpoint> endpoints)
    : io_(io), endpoints_(std::move(endpoints)), pause_(io) {}

void ConnectRace::Start() { Next(); }

void ConnectRace::Next() {
  if (over_ || attempts_.size() == endpoints_.size()) return;
  const tcp::endpoint& endpoint = endpoints_[attempts_.size()];
  tcp::socket& socket = *attempts_.emplace_back(std::make_unique<tcp::socket>(io_));
  socket.async_connect(endpoint,
                       [this, &socket](const ErrorCode& error) { OnConnected(socket, error); });
  if (attempts_.size() == endpoints_.size()) return;
  pause_.expires_after(kHeadStart);
  pause_.async_wait([this](const ErrorCode& error) {
    if (!error) Next();
  });
}

void ConnectRace::OnConnected(tcp::socket& socket, const ErrorCode& error) {
  if (over_) return;
  if (!error) {
    winner_.emplace(std::move(socket));
    return Cancel();
  }
  if (!error_) error_ = error;
  if (++failed_ == endpoints_.size()) return Cancel();
  if (failed_ == attempts_.size()) Next();
}

void ConnectRace::Cancel() {
  over_ = true;
  pause_.cancel();
  ErrorCode ignored;
  for (const auto& attempt : attempts_) attempt->close(ignored);
}

}  // namespace skerry::http
