// A bus and peers that do not keep to the protocol.
#include "services/mappers/modbus/bus.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <modbus/modbus.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "services/lib/testing/status_matchers.h"
#include "services/mappers/modbus/core/point.h"
#include "services/mappers/modbus/testing/raw_server.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIs;

constexpr Bus::Call kPatience = {
    .slave = 1, .patience = absl::Seconds(30), .timeout = absl::Seconds(20)};
constexpr Bus::Call kHasty = {
    .slave = 1, .patience = absl::Seconds(30), .timeout = absl::Milliseconds(50)};

// The right answer to a request for one register.
std::string Answer(const std::string& request, uint16_t value) {
  std::string answer = request.substr(0, 4);  // Transaction and protocol.
  answer += std::string("\x00\x05", 2);
  answer += request.substr(6, 2);  // Unit and function.
  answer += "\x02";
  answer += static_cast<char>(value >> 8);
  answer += static_cast<char>(value & 0xFF);
  return answer;
}

std::string Exception(const std::string& request, char code) {
  std::string answer = request.substr(0, 4) + std::string("\x00\x03", 2) + request.substr(6, 1);
  answer += static_cast<char>(request[7] | 0x80);
  answer += code;
  return answer;
}

class BusTest : public ::testing::Test {
 protected:
  Line LineTo(const RawServer& server) { return {.ip = "127.0.0.1", .port = server.port()}; }

  absl::StatusOr<int> ReadOne(Bus& bus, const Bus::Call& call) {
    return bus.Run(call, [&](Port& port, absl::Duration timeout) {
      return port.Read(1, Point{.property = "p"}, timeout, words_);
    });
  }

  SystemClock clock_;
  std::vector<uint16_t> words_;
};

TEST_F(BusTest, OneConnectionServesManyRequests) {
  RawServer server([](RawServer::Peer& peer) {
    for (uint16_t i = 1;; ++i) {
      const std::string request = peer.Request();
      if (request.empty()) return;
      peer.Send(Answer(request, i));
    }
  });
  Bus bus(LineTo(server), clock_);
  for (uint16_t i = 1; i <= 5; ++i) {
    EXPECT_THAT(ReadOne(bus, kPatience), IsOkAndHolds(0));
    EXPECT_EQ(words_, std::vector<uint16_t>{i});
  }
  EXPECT_EQ(server.connections(), 1);
}

// Many devices close a connection on which nobody has spoken for a while.
TEST_F(BusTest, AConnectionThatWasClosedMeanwhileIsMadeAnew) {
  RawServer server([](RawServer::Peer& peer) {
    const std::string request = peer.Request();
    if (!request.empty()) peer.Send(Answer(request, 7));
  });
  Bus bus(LineTo(server), clock_);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_THAT(ReadOne(bus, kPatience), IsOkAndHolds(0));
    EXPECT_EQ(server.connections(), i);
  }
}

TEST_F(BusTest, ADeviceThatClosesAtOnceIsLost) {
  RawServer server([](RawServer::Peer& peer) { peer.Request(); });
  Bus bus(LineTo(server), clock_);
  EXPECT_THAT(ReadOne(bus, kPatience), IsOkAndHolds(ECONNRESET));
  EXPECT_EQ(server.connections(), 1);
}

// What would answer it later must not be taken for the answer to the next one.
TEST_F(BusTest, ALateAnswerFindsNobody) {
  int connections = 0;
  RawServer server([&](RawServer::Peer& peer) {
    const bool first = ++connections == 1;
    const std::string request = peer.Request();
    if (!first) peer.Send(Answer(request, 2));
    EXPECT_EQ(peer.Request(), "");  // Until the client has closed.
  });
  {
    Bus bus(LineTo(server), clock_);
    EXPECT_THAT(ReadOne(bus, kHasty), IsOkAndHolds(ETIMEDOUT));
    EXPECT_THAT(ReadOne(bus, kPatience), IsOkAndHolds(0));
    EXPECT_EQ(words_, std::vector<uint16_t>{2});
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(BusTest, GarbageIsAnErrorAndEndsTheConnection) {
  const std::string answers[] = {
      std::string(12, '\xFF'), std::string(300, '\x00'),
      std::string("\x00\x01\x00\x00\x00\x05\x01\x03\xFF\x00\x00", 11),  // 255 bytes, it says.
  };
  for (const std::string& answer : answers) {
    RawServer server([&](RawServer::Peer& peer) {
      peer.Request();
      peer.Send(answer);
    });
    Bus bus(LineTo(server), clock_);
    const auto error = ReadOne(bus, kPatience);
    ASSERT_TRUE(error.ok());
    EXPECT_NE(*error, 0);
  }
}

// A byte before each timeout, and never the last one.
TEST_F(BusTest, AnAnswerThatTricklesInIsBounded) {
  absl::Notification never;
  RawServer server([&](RawServer::Peer& peer) {
    const std::string request = peer.Request();
    // It announces 252 bytes.
    peer.Send(request.substr(0, 4) + std::string("\x00\xFF", 2) + request.substr(6, 2) + "\xFA");
    while (peer.Send("A")) never.WaitForNotificationWithTimeout(absl::Milliseconds(50));
  });
  Bus bus(LineTo(server), clock_);
  const absl::Duration begin = clock_.Monotonic();
  const auto error =
      ReadOne(bus, {.slave = 1, .patience = absl::Seconds(30), .timeout = absl::Seconds(1)});
  EXPECT_THAT(error, IsOkAndHolds(ETIMEDOUT));
  EXPECT_LT(clock_.Monotonic() - begin, absl::Seconds(5));
}

TEST_F(BusTest, ADevicesErrorKeepsTheConnection) {
  RawServer server([](RawServer::Peer& peer) {
    for (const char code : {1, 2, 3, 4, 5, 6, 10, 11, 77}) {
      const std::string request = peer.Request();
      if (request.empty()) return;
      peer.Send(Exception(request, code));
    }
    peer.Request();
  });
  {
    Bus bus(LineTo(server), clock_);
    for (const int error : {EMBXILFUN, EMBXILADD, EMBXILVAL, EMBXSFAIL, EMBXACK, EMBXSBUSY,
                            EMBXGPATH, EMBXGTAR, EMBBADEXC}) {
      EXPECT_THAT(ReadOne(bus, kPatience), IsOkAndHolds(error)) << modbus_strerror(error);
    }
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(BusTest, WhoFindsItBusyIsTold) {
  absl::Notification asked;
  absl::Notification go_on;
  RawServer server([&](RawServer::Peer& peer) {
    const std::string request = peer.Request();
    asked.Notify();
    go_on.WaitForNotification();
    peer.Send(Answer(request, 1));
    peer.Request();
  });
  {
    Bus bus(LineTo(server), clock_);
    std::thread first([&] { EXPECT_THAT(ReadOne(bus, kPatience), IsOkAndHolds(0)); });
    asked.WaitForNotification();
    std::vector<uint16_t> words;
    const auto busy =
        bus.Run({.slave = 1, .patience = absl::Milliseconds(50), .timeout = absl::Milliseconds(10)},
                [&](Port&, absl::Duration) { return 0; });
    EXPECT_THAT(busy, StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(busy, HasReason("BUS_BUSY"));
    go_on.Notify();
    first.join();
  }
}

// libmodbus would end the process.
TEST_F(BusTest, MoreOpenFilesThanSelectTakes) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = FD_SETSIZE + 100;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  RawServer server([](RawServer::Peer& peer) { peer.Request(); });
  std::vector<int> files = {open("/dev/null", O_RDONLY | O_CLOEXEC)};
  while (files.back() < FD_SETSIZE) files.push_back(dup(files.front()));
  Bus tcp(LineTo(server), clock_);
  EXPECT_THAT(ReadOne(tcp, kPatience), HasReason("MODBUS_FILES_FULL"));
  const int far = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(grantpt(far) + unlockpt(far), 0);
  Bus serial({.serial = true, .path = ptsname(far), .baud_rate = 9600}, clock_);
  EXPECT_THAT(ReadOne(serial, kPatience), HasReason("MODBUS_FILES_FULL"));
  files.push_back(far);
  for (const int file : files) close(file);
}

TEST_F(BusTest, NamesWhatCannotBeOpened) {
  int port = 0;
  {
    RawServer server([](RawServer::Peer&) {});
    port = server.port();
  }
  Bus gone({.ip = "127.0.0.1", .port = port}, clock_);
  const auto refused = ReadOne(gone, kPatience);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(refused, HasReason("MODBUS_CANNOT_OPEN"));

  Bus no_tty({.serial = true, .path = "/dev/null", .baud_rate = 9600}, clock_);
  EXPECT_THAT(ReadOne(no_tty, kPatience), HasReason("MODBUS_CANNOT_OPEN"));
}

}  // namespace
}  // namespace skerry::mapper::modbus
