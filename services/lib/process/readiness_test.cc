#include "services/lib/process/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace skerry::process {
namespace {

using ::testing::ElementsAre;

TEST(ReadinessTest, IsReadyWithoutConditions) {
  Readiness readiness;
  EXPECT_TRUE(readiness.ready());
  EXPECT_EQ(readiness.WaitingFor(), "");
}

TEST(ReadinessTest, NamesWhatIsMissingInOrderOfRegistration) {
  Readiness readiness;
  auto second = readiness.Register("zebra");
  auto first = readiness.Register("apple");
  EXPECT_FALSE(readiness.ready());
  EXPECT_EQ(readiness.WaitingFor(), "zebra, apple");
  second->Set(true);
  EXPECT_EQ(readiness.WaitingFor(), "apple");
  first->Set(true);
  EXPECT_TRUE(readiness.ready());
  second->Set(false);
  EXPECT_EQ(readiness.WaitingFor(), "zebra");
}

TEST(ReadinessTest, TellsListenersOfChangesOnly) {
  Readiness readiness;
  std::vector<bool> told;
  auto a = readiness.Register("a");
  readiness.OnChange([&](bool ready) { told.push_back(ready); });
  auto b = readiness.Register("b");
  a->Set(true);
  a->Set(true);
  EXPECT_THAT(told, ElementsAre(false));
  b->Set(true);
  a->Set(false);
  EXPECT_THAT(told, ElementsAre(false, true, false));
}

TEST(ReadinessTest, AReleasedTokenHoldsNothingUp) {
  Readiness readiness;
  auto same = readiness.Register("same");
  auto again = readiness.Register("same");
  again->Set(true);
  EXPECT_FALSE(readiness.ready());
  same.reset();
  EXPECT_TRUE(readiness.ready());
}

}  // namespace
}  // namespace skerry::process
