#include "services/servicebus-svc/runner/post_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::servicebus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What was told of each post, by its payload.
class PostQueueTest : public ::testing::Test {
 protected:
  void Put(const std::string& payload) {
    queue_.Put(
        {.target_url = "http://t", .payload = payload}, [this, payload](absl::Status status) {
          told_.push_back(payload + " " + (status.ok() ? "OK" : GetErrorInfo(status).reason));
        });
  }
  std::vector<std::string> Payloads(size_t batch) {
    std::vector<std::string> payloads;
    for (const auto& event : batches_[batch].events) {
      v1::ServicePost post;
      EXPECT_TRUE(post.ParseFromString(event.value));
      payloads.push_back(post.payload());
    }
    return payloads;
  }
  void Answer(size_t stored, absl::Status status) {
    auto done = std::move(done_);
    done({.stored = stored, .status = std::move(status)});
  }

  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"servicebus-svc"};
  ServiceBusMetrics metrics_{registry_};
  std::vector<hubclient::EventBatch> batches_;
  PostQueue::EventsDone done_;
  std::vector<std::string> told_;
  PostQueue queue_{{.producer = "p", .bytes_max = 2000},
                   [this](hubclient::EventBatch batch, PostQueue::EventsDone done) {
                     batches_.push_back(std::move(batch));
                     done_ = std::move(done);
                   },
                   clock_,
                   metrics_};
};

// [sb-2.1]
TEST_F(PostQueueTest, TellsWhenTheHubHasIt) {
  Put("a");
  Put("b");
  Put("c");
  EXPECT_THAT(Payloads(0), ElementsAre("a"));
  EXPECT_EQ(batches_[0].stream, "servicebus");
  EXPECT_EQ(batches_[0].producer, "p");
  EXPECT_EQ(batches_[0].events[0].key, "http://t");
  EXPECT_THAT(told_, IsEmpty());
  Answer(1, absl::OkStatus());
  EXPECT_THAT(told_, ElementsAre("a OK"));
  EXPECT_THAT(Payloads(1), ElementsAre("b", "c"));
  EXPECT_EQ(batches_[1].events[0].producer_sequence, 2u);
  Answer(2, absl::OkStatus());
  EXPECT_THAT(told_, ElementsAre("a OK", "b OK", "c OK"));
  EXPECT_EQ(metrics_.posts_waiting_bytes.Value(), 0);
}

TEST_F(PostQueueTest, WhatIsRefusedHoldsUpNoOther) {
  Put("a");
  Put("b");
  Put("c");
  Answer(1, absl::OkStatus());
  Answer(0, Error(absl::StatusCode::kResourceExhausted, "full").Reason("STREAM_FULL"));
  EXPECT_THAT(told_, ElementsAre("a OK", "b STREAM_FULL"));
  EXPECT_THAT(Payloads(2), ElementsAre("c"));
}

TEST_F(PostQueueTest, BoundsWhatWaits) {
  Put(std::string(1500, 'x'));
  Put(std::string(500, 'y'));
  EXPECT_THAT(told_, ElementsAre(std::string(500, 'y') + " POSTS_BUSY"));
  Answer(1, absl::OkStatus());
  Put("z");
  EXPECT_THAT(Payloads(1), ElementsAre("z"));
}

// As where the hub's client has stopped: each is told, and none of it is a call within a call.
TEST(PostQueueAtOnceTest, AnswersAtOnceAreNoRecursion) {
  constexpr int kPosts = 20000;
  skerry::testing::FakeClock clock;
  metrics::Registry registry{"servicebus-svc"};
  ServiceBusMetrics metrics{registry};
  PostQueue::EventsDone first;
  int puts = 0;
  PostQueue queue(
      {.producer = "p", .bytes_max = 64u << 20},
      [&](hubclient::EventBatch, PostQueue::EventsDone done) {
        if (++puts == 1) {
          first = std::move(done);
        } else {
          done({.stored = 0, .status = absl::UnavailableError("stopping")});
        }
      },
      clock, metrics);
  int told = 0;
  for (int i = 0; i < kPosts; ++i)
    queue.Put({.target_url = "http://t"}, [&](const absl::Status&) { ++told; });
  first({.stored = 0, .status = absl::UnavailableError("stopping")});
  EXPECT_EQ(told, kPosts);
}

}  // namespace
}  // namespace skerry::servicebus
