#include "services/mappers/modbus/core/line_policy.h"

#include <gtest/gtest.h>

namespace skerry::mapper::modbus {
namespace {

void Expect(const Attempt& attempt, bool close, bool again) {
  const Decision decision = Decide(attempt);
  EXPECT_EQ(decision.close, close) << static_cast<int>(attempt.fault);
  EXPECT_EQ(decision.again, again) << static_cast<int>(attempt.fault);
}

TEST(LinePolicyTest, AnAnswerIsAnAnswer) {
  for (const bool serial : {false, true}) {
    Expect({.serial = serial, .fault = Fault::kNone, .retries_left = 2}, false, false);
    Expect({.serial = serial, .fault = Fault::kException, .retries_left = 2}, false, false);
  }
}

TEST(LinePolicyTest, TcpEndsWhereALateAnswerCouldBeTakenForTheNext) {
  Expect({.fault = Fault::kSilent, .retries_left = 2}, true, false);
  Expect({.fault = Fault::kGarbled, .retries_left = 2}, true, false);
}

TEST(LinePolicyTest, AConnectionThatTheDeviceClosedMeanwhileIsMadeAnew) {
  Expect({.fault = Fault::kLost}, true, true);
  Expect({.fault = Fault::kLost, .opened_now = true}, true, false);
  Expect({.serial = true, .fault = Fault::kLost}, true, true);
  Expect({.serial = true, .fault = Fault::kLost, .opened_now = true}, true, false);
}

TEST(LinePolicyTest, ASerialLineIsAskedAgain) {
  for (const Fault fault : {Fault::kSilent, Fault::kGarbled}) {
    Expect({.serial = true, .fault = fault, .retries_left = 1}, false, true);
    Expect({.serial = true, .fault = fault, .retries_left = 0}, false, false);
  }
}

}  // namespace
}  // namespace skerry::mapper::modbus
