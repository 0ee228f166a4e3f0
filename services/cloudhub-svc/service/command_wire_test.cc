#include "services/cloudhub-svc/service/command_wire.h"

#include <gtest/gtest.h>

#include "services/lib/base/error.h"
#include "services/lib/link/frames.h"

namespace skerry::cloudhub {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

v1::SendCommandRequest Request() {
  v1::SendCommandRequest request;
  request.set_node("edge-1");
  request.set_key("open-door-7");
  request.set_type("devicemethod");
  return request;
}

TEST(CommandWireTest, FillsInWhatIsNotGiven) {
  v1::SendCommandRequest request = Request();
  absl::StatusOr<CommandInfo> now = FromWire(request, kNow);
  ASSERT_TRUE(now.ok()) << now.status();
  EXPECT_EQ(now->delivery, Delivery::kNow);
  EXPECT_EQ(now->command.deadline, absl::Seconds(30));
  EXPECT_EQ(now->command.expire_time, kNow + absl::Seconds(30));
  request.set_delivery(v1::Command::DELIVERY_QUEUE);
  EXPECT_EQ(FromWire(request, kNow)->command.expire_time, kNow + absl::Hours(1));
  request.mutable_expire_in()->set_seconds(7);
  EXPECT_EQ(FromWire(request, kNow)->command.expire_time, kNow + absl::Seconds(7));
}

// The store keeps microseconds, and the node refuses a deadline of 0.
TEST(CommandWireTest, ADeadlineIsAtLeastAMillisecond) {
  v1::SendCommandRequest request = Request();
  request.mutable_deadline()->set_nanos(1);
  EXPECT_EQ(FromWire(request, kNow)->command.deadline, absl::Milliseconds(1));
}

TEST(CommandWireTest, RefusesWhatIsBeyondABound) {
  auto code = [](const v1::SendCommandRequest& request) {
    return FromWire(request, kNow).status().code();
  };
  v1::SendCommandRequest request = Request();
  request.set_node("not a node/");
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
  request = Request();
  request.clear_key();
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
  request.set_key(std::string(link::kCommandKeyBytesMax + 1, 'k'));
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
  request = Request();
  request.set_type("Not A Type");
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
  request = Request();
  request.set_payload(std::string(link::kCommandBytesMax + 1, 'p'));
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
  request = Request();
  request.mutable_deadline()->set_seconds(-1);
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
  request = Request();
  request.set_delivery(v1::Command::DELIVERY_WAIT);
  request.mutable_expire_in()->set_seconds(31 * 24 * 3600);
  EXPECT_EQ(code(request), absl::StatusCode::kInvalidArgument);
}

TEST(CommandWireTest, ReadsNames) {
  absl::StatusOr<CommandName> name = ParseCommandName("nodes/edge-1/commands/a/b");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->node, "edge-1");
  EXPECT_EQ(name->key, "a/b");
  for (const char* bad : {"", "nodes/", "nodes//commands/a", "nodes/e/commands/", "nodes/e", "e/a"})
    EXPECT_FALSE(ParseCommandName(bad).ok()) << bad;
  EXPECT_EQ(*ParseCommandParent("nodes/edge-1"), "edge-1");
  for (const char* bad : {"", "nodes/", "nodes/e/commands", "edge-1"})
    EXPECT_FALSE(ParseCommandParent(bad).ok()) << bad;
}

TEST(CommandWireTest, WritesWhereItIs) {
  CommandInfo info = *FromWire(Request(), kNow);
  info.command.progress.stage = link::CommandStage::kDone;
  info.command.progress.status = link::NoCommandTaker("devicemethod");
  info.command.progress.response = "r";
  v1::Command out;
  ToWire(info, out);
  EXPECT_EQ(out.name(), "nodes/edge-1/commands/open-door-7");
  EXPECT_EQ(out.stage(), v1::Command::STAGE_DONE);
  EXPECT_EQ(out.status().code(), 14);
  EXPECT_EQ(out.response(), "r");
  EXPECT_EQ(out.expire_time().seconds(), 1'750'000'030);
}

}  // namespace
}  // namespace skerry::cloudhub
