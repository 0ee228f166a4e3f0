#include "services/lib/rpc/awaited_answers.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/wrappers.pb.h"
#include "services/lib/rpc/stream_core.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::rpc {
namespace {

using Message = google::protobuf::StringValue;
using Core = internal::StreamCore<Message>;

class CountingTransport final : public internal::Transport<Message> {
 public:
  void StartRead() override { ++reads; }
  void StartWrite(const Message&) override { ++writes; }
  void StartEnd(const absl::Status&) override {}
  void Cancel() override {}

  int reads = 0;
  int writes = 0;
};

class AwaitedAnswersTest : public ::testing::Test {
 protected:
  AwaitedAnswersTest() { core_->StartReading(); }
  ~AwaitedAnswersTest() override { core_->Detach(); }

  // A message comes, and its owner says that it will be answered.
  void Receive() {
    ASSERT_TRUE(core_->OnReadDone());
    answers_.Expect(core_);
    core_->NextRead();
  }
  void Answer() {
    ASSERT_TRUE(core_->Send({}));
    core_->OnWriteDone(true);
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    answers_.Settle();
  }

  testing::FakeClock clock_;
  CountingTransport transport_;
  std::shared_ptr<Core> core_ = std::make_shared<Core>(StreamOptions{}, &transport_);
  AwaitedAnswers answers_{clock_};
};

TEST_F(AwaitedAnswersTest, AStreamReadsOnWhenItHasAnswered) {
  Receive();
  EXPECT_EQ(transport_.reads, 1);
  Answer();
  EXPECT_EQ(transport_.writes, 1);
  EXPECT_EQ(transport_.reads, 2);
}

TEST_F(AwaitedAnswersTest, AnAnswerThatWasSentAtOnceCounts) {
  ASSERT_TRUE(core_->OnReadDone());
  answers_.Expect(core_);
  Answer();
  core_->NextRead();
  EXPECT_EQ(transport_.reads, 2);
}

TEST_F(AwaitedAnswersTest, AStreamReadsOnWithoutAnAnswerWhenPatienceEnds) {
  Receive();
  Pass(AwaitedAnswers::kPatience);
  EXPECT_EQ(transport_.reads, 1);
  Pass(AwaitedAnswers::kPatience);
  EXPECT_EQ(transport_.reads, 2);
}

TEST_F(AwaitedAnswersTest, PatienceForOneAnswerDoesNotEndWithThatForTheLast) {
  Receive();
  Pass(AwaitedAnswers::kPatience);
  Answer();
  Receive();
  Pass(AwaitedAnswers::kPatience);
  EXPECT_EQ(transport_.reads, 2);  // The first message's patience ended, which was answered.
  Pass(AwaitedAnswers::kPatience);
  EXPECT_EQ(transport_.reads, 3);
}

TEST_F(AwaitedAnswersTest, AStreamThatIsClosedReadsOn) {
  Receive();
  core_->Close(absl::OkStatus());
  EXPECT_EQ(transport_.reads, 2);
}

TEST_F(AwaitedAnswersTest, AStreamMayEndMeanwhile) {
  Receive();
  core_->Detach();
  Pass(AwaitedAnswers::kPatience);
  Pass(AwaitedAnswers::kPatience);
  EXPECT_EQ(transport_.reads, 1);
}

}  // namespace
}  // namespace skerry::rpc
