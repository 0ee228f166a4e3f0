#include "services/eventbus-svc/runner/uploader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "services/eventbus-svc/testing/journal_fixture.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UploaderTest : public JournalFixture {
 protected:
  UploaderTest() {
    journal_->SetListeners(nullptr, [this] { uploader_.Wake(); });
  }

  void Receive(const std::string& payload) {
    ASSERT_THAT(Commit({.receive = {{"t", payload, clock_.Now()}}}), IsOk());
    Settle();
  }
  // What was put and not answered.
  std::vector<std::string> Put() {
    std::vector<std::string> payloads;
    executor_.Run([&] { payloads = put_; });
    return payloads;
  }
  void Answer(size_t stored, const absl::Status& status = absl::OkStatus()) {
    executor_.Run([&] {
      put_.clear();
      std::exchange(done_, nullptr)(stored, status);
    });
    Settle();
  }

  std::vector<std::string> put_;  // On the executor.
  Uploader::PutDone done_;
  Uploader uploader_{{},
                     *journal_,
                     executor_,
                     [this](const std::vector<WaitingUpload>& uploads, Uploader::PutDone done) {
                       for (const WaitingUpload& each : uploads) {
                         put_.push_back(each.upload.payload);
                       }
                       done_ = std::move(done);
                     },
                     metrics_,
                     log::Logger::Null()};
};

TEST_F(UploaderTest, OneBatchAtATimeInOrder) {
  Receive("1");
  Receive("2");
  Receive("3");
  EXPECT_THAT(Put(), ElementsAre("1"));
  Answer(1);
  EXPECT_THAT(Put(), ElementsAre("2", "3"));
  Answer(2);
  EXPECT_THAT(Put(), IsEmpty());
  EXPECT_EQ(metrics_.uploads_handed_over.Value(), 3);
  EXPECT_EQ(metrics_.uploads_waiting.Value(), 0);
}

TEST_F(UploaderTest, WhatWasNotTakenGoesAgainAfterAPause) {
  Receive("1");
  Answer(0, absl::UnavailableError("away"));
  EXPECT_THAT(Put(), IsEmpty());
  clock_.Advance(absl::Seconds(5));
  Settle();
  EXPECT_THAT(Put(), ElementsAre("1"));
}

TEST_F(UploaderTest, WhatIsRefusedForGoodHoldsUpNobody) {
  Receive("0");
  Receive("bad");
  Receive("2");
  Answer(1);
  EXPECT_THAT(Put(), ElementsAre("bad", "2"));
  Answer(0, absl::InvalidArgumentError("no"));
  EXPECT_THAT(Put(), ElementsAre("2"));
  EXPECT_EQ(metrics_.uploads_dropped_refused.Value(), 1);
}

}  // namespace
}  // namespace skerry::eventbus
