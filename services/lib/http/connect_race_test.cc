#include "services/lib/http/connect_race.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>

namespace skerry::http {
namespace {

using tcp = boost::asio::ip::tcp;

class ConnectRaceTest : public ::testing::Test {
 protected:
  // Nobody listens there: its owner holds the port.
  tcp::endpoint Closed() {
    tcp::socket& held = held_.emplace_back(io_);
    held.open(tcp::v4());
    held.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
    return held.local_endpoint();
  }
  // Takes no connection, and refuses none: its backlog is full.
  tcp::endpoint Silent() {
    tcp::acceptor& full = full_.emplace_back(io_);
    full.open(tcp::v4());
    full.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
    full.listen(0);
    const tcp::endpoint at = full.local_endpoint();
    tcp::socket& first = held_.emplace_back(io_);
    first.connect(at);
    return at;
  }
  void Run(ConnectRace& race) {
    race.Start();
    while (!race.over() && io_.run_one() > 0) {
    }
    race.Cancel();
    io_.restart();
    io_.run();
  }

  boost::asio::io_context io_;
  std::vector<tcp::socket> held_;
  std::vector<tcp::acceptor> full_;
  tcp::acceptor good_{io_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
};

TEST_F(ConnectRaceTest, TakesTheNextWhereOneRefuses) {
  ConnectRace race(io_, {Closed(), Closed(), good_.local_endpoint()});
  Run(race);
  ASSERT_TRUE(race.winner().has_value());
  EXPECT_EQ(race.winner()->remote_endpoint(), good_.local_endpoint());
}

// Without the race the kernel would try the first for two minutes.
TEST_F(ConnectRaceTest, TakesTheNextWhereOneIsSilent) {
  ConnectRace race(io_, {Silent(), good_.local_endpoint()});
  Run(race);
  ASSERT_TRUE(race.winner().has_value());
  EXPECT_EQ(race.winner()->remote_endpoint(), good_.local_endpoint());
}

TEST_F(ConnectRaceTest, TellsWhyTheFirstRefused) {
  ConnectRace race(io_, {Closed(), Closed()});
  Run(race);
  EXPECT_FALSE(race.winner().has_value());
  EXPECT_EQ(race.error(), boost::asio::error::connection_refused);
}

}  // namespace
}  // namespace skerry::http
