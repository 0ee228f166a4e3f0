#include "tools/skerryctl/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace skerry::skerryctl {
namespace {

void (*HandlerOf(int signal))(int) {
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler;
}

TEST(InterruptTest, TheFirstIsNotedAndTheSecondEndsTheProgram) {
  const Interrupt interrupt;
  EXPECT_FALSE(Interrupt::Seen());
  std::raise(SIGINT);
  EXPECT_TRUE(Interrupt::Seen());
  EXPECT_EQ(HandlerOf(SIGINT), SIG_DFL);
  EXPECT_NE(HandlerOf(SIGTERM), SIG_DFL);
}

TEST(InterruptTest, AfterwardsAllIsAsBefore) {
  std::signal(SIGHUP, SIG_IGN);
  {
    const Interrupt interrupt;
    EXPECT_EQ(HandlerOf(SIGHUP), SIG_IGN) << "nohup";
    EXPECT_NE(HandlerOf(SIGINT), SIG_DFL);
  }
  EXPECT_EQ(HandlerOf(SIGHUP), SIG_IGN);
  EXPECT_EQ(HandlerOf(SIGINT), SIG_DFL);
  std::signal(SIGHUP, SIG_DFL);
  {
    const Interrupt interrupt;
    EXPECT_FALSE(Interrupt::Seen()) << "that of before is not this one's";
  }
}

}  // namespace
}  // namespace skerry::skerryctl
