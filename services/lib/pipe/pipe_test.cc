#include "services/lib/pipe/pipe.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "services/lib/pipe/testing/fake_stream.h"

namespace skerry::pipe {
namespace {

using testing::FakeStream;

class PipeTest : public ::testing::Test {
 protected:
  PipeTest() {
    Join(left_, right_, [this](absl::Status status) { ended_ = std::move(status); });
  }
  ~PipeTest() override {  // What is joined keeps itself.
    left_->Close(absl::OkStatus());
    right_->Close(absl::OkStatus());
  }

  const std::shared_ptr<FakeStream> left_ = std::make_shared<FakeStream>();
  const std::shared_ptr<FakeStream> right_ = std::make_shared<FakeStream>();
  std::optional<absl::Status> ended_;
};

TEST_F(PipeTest, CopiesBothWays) {
  left_->Say("to the right");
  right_->Say("to the left");
  EXPECT_EQ(right_->output(), "to the right");
  EXPECT_EQ(left_->output(), "to the left");
  EXPECT_FALSE(ended_.has_value());
}

TEST_F(PipeTest, OneChunkIsInHand) {
  right_->HoldWrites();
  left_->Say("one");
  left_->Say("two");
  EXPECT_EQ(right_->output(), "one");
  right_->Take();
  EXPECT_EQ(right_->output(), "onetwo");
}

TEST_F(PipeTest, TheEndOfOneIsTheEndOfBoth) {
  left_->Say("last");
  left_->Say("");
  EXPECT_EQ(right_->output(), "last");
  ASSERT_TRUE(left_->closed().has_value() && right_->closed().has_value());
  EXPECT_TRUE(right_->closed()->ok());
  ASSERT_TRUE(ended_.has_value());
  EXPECT_TRUE(ended_->ok());
}

TEST_F(PipeTest, AnErrorOfOneIsTheErrorOfBoth) {
  right_->Say(absl::UnavailableError("cut"));
  EXPECT_EQ(left_->closed()->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ended_->code(), absl::StatusCode::kUnavailable);
}

TEST_F(PipeTest, AWriteThatFailsEndsBoth) {
  right_->Close(absl::CancelledError("gone"));
  EXPECT_TRUE(left_->closed().has_value());
  EXPECT_FALSE(ended_->ok());
}

}  // namespace
}  // namespace skerry::pipe
