#include "services/lib/rpc/bundle.h"

#include <gmock/gmock.h>
#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "api/skerry/meta/v1/meta_service.pb.h"
#include "services/lib/rpc/stream_core.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::rpc::internal {
namespace {

using cloudhub::v1::HubFrame;
using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(Bundled<HubFrame>);
static_assert(Bundled<cloudhub::v1::SpokeFrame>);
static_assert(!Bundled<meta::v1::WatchObjectsResponse>);

HubFrame Named(const std::string& name) {
  HubFrame frame;
  frame.mutable_registered()->set_hub(name);
  return frame;
}

std::vector<std::string> NamesOf(HubFrame frame) {
  std::vector<std::string> names;
  ForEachMessage(std::move(frame), [&](const HubFrame& message) {
    EXPECT_EQ(message.following_size(), 0);
    names.push_back(message.registered().hub());
  });
  return names;
}

class FakeTransport final : public Transport<HubFrame> {
 public:
  void StartRead() override {}
  void StartWrite(const HubFrame& message) override {
    absl::MutexLock lock(&mutex_);
    written_.push_back(message);
  }
  void StartEnd(const absl::Status&) override {}
  void Cancel() override {}
  HubFrame Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(written_, {}).at(0);
  }
  HubFrame Await() {
    {
      absl::MutexLock lock(&mutex_);
      const auto some = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !written_.empty(); };
      mutex_.AwaitWithTimeout(absl::Condition(&some), absl::Seconds(30));
    }
    return Take();
  }
  bool idle() {
    absl::MutexLock lock(&mutex_);
    return written_.empty();
  }

 private:
  absl::Mutex mutex_;
  std::vector<HubFrame> written_ ABSL_GUARDED_BY(mutex_);
};

std::shared_ptr<StreamCore<HubFrame>> CoreWithPause(absl::Duration pause,
                                                    FakeTransport& transport) {
  auto core =
      std::make_shared<StreamCore<HubFrame>>(StreamOptions{.bundle_pause = pause}, &transport);
  core->SendBundles();
  return core;
}

class BundleTest : public ::testing::Test {
 protected:
  // Where there are streams gRPC is up, to the process' end here. Else a stream's alarm would be
  // its last user, and end it: what is called back then is called under gRPC's own lock, which a
  // new alarm takes, too.
  static void SetUpTestSuite() { grpc_init(); }
  ~BundleTest() override { core_->Detach(); }

  FakeTransport transport_;
  std::shared_ptr<StreamCore<HubFrame>> core_ = CoreWithPause(absl::ZeroDuration(), transport_);
};

TEST_F(BundleTest, WhatWaitsGoesAsOne) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(core_->Send(Named(name)));
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre("a"));  // Nothing waited then.
  EXPECT_FALSE(core_->OnWriteDone(true));
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre("b", "c"));
  EXPECT_TRUE(core_->OnWriteDone(true));
  EXPECT_EQ(core_->pending_bytes(), 0u);
  EXPECT_TRUE(transport_.idle());
}

TEST_F(BundleTest, OnlyAPeerThatTakesThemGetsThem) {
  core_->Detach();
  core_ = std::make_shared<StreamCore<HubFrame>>(StreamOptions{}, &transport_);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(core_->Send(Named(name)));
  transport_.Take();
  core_->OnWriteDone(true);
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre("b"));
}

TEST_F(BundleTest, OneWriteHasABound) {
  const std::string half(kBundleBytesMax / 2, 'x');
  ASSERT_TRUE(core_->Send(Named("first")));
  for (const std::string& name : {half, std::string("small"), half, half + half + half}) {
    ASSERT_TRUE(core_->Send(Named(name)));
  }
  transport_.Take();
  core_->OnWriteDone(true);
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre(half, "small"));
  core_->OnWriteDone(true);
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre(half));
  core_->OnWriteDone(true);
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre(half + half + half));
}

TEST_F(BundleTest, OneWriteHasNoMoreMessagesThanAPeerTakes) {
  ASSERT_TRUE(core_->Send(Named("first")));
  for (int i = 0; i <= kBundleMessagesMax; ++i) ASSERT_TRUE(core_->Send(Named(absl::StrCat(i))));
  transport_.Take();
  core_->OnWriteDone(true);
  const HubFrame full = transport_.Take();
  EXPECT_EQ(full.following_size(), kBundleMessagesMax - 1);
  EXPECT_THAT(CheckBundle(full), IsOk());
  core_->OnWriteDone(true);
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre(absl::StrCat(kBundleMessagesMax)));
}

class BundlePauseTest : public BundleTest {
 protected:
  // A message was written, and `pause` has begun.
  void Begin(absl::Duration pause) {
    core_->Detach();
    core_ = CoreWithPause(pause, transport_);
    ASSERT_TRUE(core_->Send(Named("first")));
    EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre("first"));  // After a silence.
    core_->OnWriteDone(true);
  }
};

TEST_F(BundlePauseTest, WhatComesInItGoesAsOneAtItsEnd) {
  Begin(absl::Milliseconds(20));
  for (const char* name : {"a", "b"}) ASSERT_TRUE(core_->Send(Named(name)));
  EXPECT_THAT(NamesOf(transport_.Await()), ElementsAre("a", "b"));
}

TEST_F(BundlePauseTest, EndsWhenAsManyWaitAsGoAsOne) {
  Begin(absl::Hours(1));
  for (int i = 1; i < kBundleMessagesMax; ++i) ASSERT_TRUE(core_->Send(Named("more")));
  EXPECT_TRUE(transport_.idle());
  ASSERT_TRUE(core_->Send(Named("more")));
  EXPECT_EQ(transport_.Take().following_size(), kBundleMessagesMax - 1);
}

TEST_F(BundlePauseTest, EndsWhenAsManyBytesWaitAsGoAsOne) {
  Begin(absl::Hours(1));
  ASSERT_TRUE(core_->Send(Named("small")));
  EXPECT_TRUE(transport_.idle());
  ASSERT_TRUE(core_->Send(Named(std::string(kBundleBytesMax, 'x'))));
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre("small"));  // The other is too large to join.
}

TEST_F(BundlePauseTest, EndsWithTheStream) {
  Begin(absl::Hours(1));
  for (const char* name : {"a", "b"}) ASSERT_TRUE(core_->Send(Named(name)));
  EXPECT_TRUE(transport_.idle());
  core_->Close(absl::OkStatus());
  EXPECT_THAT(NamesOf(transport_.Take()), ElementsAre("a", "b"));
}

TEST(CheckBundleTest, RefusesTooManyMessages) {
  HubFrame frame = Named("first");
  for (int i = 1; i < kBundleMessagesMax; ++i) frame.add_following();
  EXPECT_THAT(CheckBundle(frame), IsOk());
  frame.add_following();
  EXPECT_THAT(CheckBundle(frame), StatusIsWith(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("following: 256 messages")));
}

TEST(CheckBundleTest, RefusesNestedOnes) {
  HubFrame frame = Named("first");
  frame.add_following();
  *frame.add_following()->add_following() = Named("nested");
  EXPECT_THAT(CheckBundle(frame), StatusIsWith(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("following[1].following")));
}

}  // namespace
}  // namespace skerry::rpc::internal
