#include "services/eventbus-svc/core/user_messages.h"

#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

TEST(UserMessagesTest, BoundsAreThoseOfTheContract) {
  EXPECT_THAT(CheckUserMessage("plant/user/a", kUserPayloadBytesMax), IsOk());
  EXPECT_THAT(CheckUserMessage("plant/user/a", kUserPayloadBytesMax + 1),
              HasReason("USER_MESSAGE_TOO_LARGE"));
  EXPECT_THAT(CheckUserMessage(std::string(kUserTopicBytesMax, 't'), 0), IsOk());
  EXPECT_THAT(CheckUserMessage(std::string(kUserTopicBytesMax + 1, 't'), 0),
              HasReason("USER_MESSAGE_TOO_LARGE"));
  EXPECT_THAT(CheckUserMessage("plant/+/a", 0), HasReason("TOPIC_INVALID"));
}

}  // namespace
}  // namespace skerry::eventbus
