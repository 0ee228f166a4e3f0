// A bus on a serial line whose slaves do not keep to the protocol.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "services/lib/base/check.h"
#include "services/lib/testing/status_matchers.h"
#include "services/mappers/modbus/bus.h"
#include "services/mappers/modbus/core/point.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::IsOkAndHolds;

constexpr size_t kRequestBytes = 8;

// As the specification has it, bit by bit.
std::string WithChecksum(std::string frame) {
  uint16_t crc = 0xFFFF;
  for (const char byte : frame) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) {
      crc = static_cast<uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
  }
  frame.push_back(static_cast<char>(crc & 0xFF));
  frame.push_back(static_cast<char>(crc >> 8));
  return frame;
}

// Of one register.
std::string Answer(char slave, char value) {
  return WithChecksum(std::string{slave, 3, 2, 0, value});
}

// The far end of the line.
class Wire {
 public:
  Wire() : fd_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    SKERRY_CHECK(fd_ >= 0 && grantpt(fd_) == 0 && unlockpt(fd_) == 0);
    // Held open, or reads fail until the bus has opened its end.
    near_ = open(path().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios raw{};
    cfmakeraw(&raw);
    SKERRY_CHECK(near_ >= 0 && tcsetattr(near_, TCSANOW, &raw) == 0);
  }
  ~Wire() {
    close(near_);
    close(fd_);
  }
  std::string path() const { return ptsname(fd_); }

  bool Waits(absl::Duration patience) {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) == 1;
  }
  std::string Request() {
    std::string bytes;
    while (bytes.size() < kRequestBytes && Waits(absl::Seconds(30))) {
      char byte = 0;
      if (read(fd_, &byte, 1) == 1) bytes.push_back(byte);
    }
    return bytes;
  }
  void Send(const std::string& bytes) {
    EXPECT_EQ(write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

 private:
  const int fd_;
  int near_ = -1;
};

class SerialBusTest : public ::testing::Test {
 protected:
  ~SerialBusTest() override {
    if (slave_.joinable()) slave_.join();
  }
  void Serve(std::function<void(Wire&)> serve) {
    slave_ = std::thread([this, serve = std::move(serve)] { serve(wire_); });
  }
  absl::StatusOr<int> ReadOne(int slave, absl::Duration timeout, int retries = 0) {
    return bus_.Run(
        {.slave = slave, .patience = absl::Seconds(30), .timeout = timeout, .retries = retries},
        [&](Port& port, absl::Duration patience) {
          return port.Read(slave, Point{.property = "p"}, patience, words_);
        });
  }

  SystemClock clock_;
  Wire wire_;
  Bus bus_{{.serial = true, .path = wire_.path(), .baud_rate = 115200}, clock_};
  std::vector<uint16_t> words_;
  std::thread slave_;
};

TEST_F(SerialBusTest, AGarbledAnswerIsAskedForAgain) {
  Serve([](Wire& wire) {
    wire.Request();
    std::string garbled = Answer(1, 7);
    garbled.back() ^= 1;
    wire.Send(garbled);
    wire.Request();
    wire.Send(Answer(1, 8));
  });
  EXPECT_THAT(ReadOne(1, absl::Seconds(2), 1), IsOkAndHolds(0));
  EXPECT_EQ(words_, std::vector<uint16_t>{8});
}

TEST_F(SerialBusTest, RetriesEnd) {
  Serve([](Wire& wire) {
    for (int i = 0; i < 3; ++i) {
      wire.Request();
      wire.Send(Answer(2, 7));  // Of another slave.
    }
    EXPECT_FALSE(wire.Waits(absl::Milliseconds(200)));
  });
  EXPECT_THAT(ReadOne(1, absl::Seconds(20), 2), IsOkAndHolds(EMBBADSLAVE));
}

TEST_F(SerialBusTest, ALostRequestIsAskedAgain) {
  Serve([](Wire& wire) {
    wire.Request();
    wire.Request();
    wire.Send(Answer(1, 9));
  });
  EXPECT_THAT(ReadOne(1, absl::Milliseconds(500), 1), IsOkAndHolds(0));
  EXPECT_EQ(words_, std::vector<uint16_t>{9});
}

TEST_F(SerialBusTest, ALateAnswerIsNotTakenForTheNext) {
  Serve([](Wire& wire) {
    wire.Request();
    // Well after the first request's timeout. The second one is not yet there.
    wire.Waits(absl::Milliseconds(1300));
    wire.Send(Answer(1, 1));
    wire.Request();
    wire.Send(Answer(1, 2));
  });
  EXPECT_THAT(ReadOne(1, absl::Seconds(1)), IsOkAndHolds(ETIMEDOUT));
  EXPECT_THAT(ReadOne(1, absl::Seconds(10)), IsOkAndHolds(0));
  EXPECT_EQ(words_, std::vector<uint16_t>{2});
}

// As above, with a second device of the same slave, which has its turn at once.
TEST_F(SerialBusTest, ALateAnswerIsNotTakenByWhoWaitedForTheTurn) {
  absl::Notification asked;
  Serve([&](Wire& wire) {
    wire.Request();
    asked.Notify();
    wire.Waits(absl::Milliseconds(1300));
    wire.Send(Answer(1, 1));
    wire.Request();
    wire.Send(Answer(1, 2));
  });
  std::thread first([&] {
    std::vector<uint16_t> words;
    const auto error =
        bus_.Run({.slave = 1, .patience = absl::Seconds(30), .timeout = absl::Seconds(1)},
                 [&](Port& port, absl::Duration patience) {
                   return port.Read(1, Point{.property = "p"}, patience, words);
                 });
    EXPECT_THAT(error, IsOkAndHolds(ETIMEDOUT));
  });
  asked.WaitForNotification();
  EXPECT_THAT(ReadOne(1, absl::Seconds(10)), IsOkAndHolds(0));
  EXPECT_EQ(words_, std::vector<uint16_t>{2});
  first.join();
}

TEST_F(SerialBusTest, OthersNeedNotWaitForALateAnswer) {
  Serve([](Wire& wire) {
    wire.Request();
    wire.Request();
    wire.Send(Answer(2, 5));
  });
  EXPECT_THAT(ReadOne(1, absl::Seconds(1)), IsOkAndHolds(ETIMEDOUT));
  const absl::Duration begin = clock_.Monotonic();
  EXPECT_THAT(ReadOne(2, absl::Seconds(10)), IsOkAndHolds(0));
  EXPECT_LT(clock_.Monotonic() - begin, absl::Seconds(1));
}

}  // namespace
}  // namespace skerry::mapper::modbus
