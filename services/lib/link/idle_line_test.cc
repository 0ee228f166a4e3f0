// Both session machines at the ends of a line on which nothing happens, in virtual time: link-3,
// L3.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "services/lib/link/cloud_session.h"
#include "services/lib/link/edge_session.h"

namespace skerry::link {
namespace {

constexpr absl::Duration kOneWay = absl::Milliseconds(100);

class IdleLineTest : public ::testing::Test {
 protected:
  // A hub with this interval, behind something that forgets connections which were idle for longer
  // than `forgets_after`: nothing gets through any more, and nobody is told.
  void Connect(absl::Duration own_interval,
               absl::Duration forgets_after = absl::InfiniteDuration()) {
    cloud_config_.heartbeat_interval = own_interval;
    forgets_after_ = forgets_after;
    EdgeSession::Config config;
    config.hello.protocol_version = kProtocolVersion;
    edge_ = std::make_unique<EdgeSession>(config);
    FeedEdge(edge::Start{});
    Run(absl::Seconds(1));
    ASSERT_TRUE(edge_->connected());
    exchanges_ = frames_up_ = frames_down_ = 0;
  }

  void Run(absl::Duration time) {
    const absl::Duration end = now_ + time;
    while (true) {
      const absl::Duration next =
          std::min({edge_->NextWake(), cloud_->NextWake(), Next(up_), Next(down_), end});
      now_ = std::max(now_, next);
      if (now_ >= end) return;
      if (Next(up_) <= now_) {
        FeedCloud(cloud::FrameReceived{Take(up_)});
      } else if (Next(down_) <= now_) {
        FeedEdge(edge::FrameReceived{connection_, Take(down_)});
      } else {
        FeedEdge(edge::Tick{});
        FeedCloud(cloud::Tick{});
      }
    }
  }

  // Nothing more gets through in this session, whatever the reason.
  void Break() { forgotten_ = true; }

  absl::Duration now_ = absl::Seconds(1000);
  absl::Duration interval_;                // Of the present session.
  std::vector<absl::Duration> intervals_;  // That the node went to.
  int losses_ = 0;
  int exchanges_ = 0;  // Frames that came after an idle time of a second or more.
  int frames_up_ = 0;
  int frames_down_ = 0;

 private:
  template <typename Frame>
  using Way = std::deque<std::pair<absl::Duration, Frame>>;

  template <typename Frame>
  static absl::Duration Next(const Way<Frame>& way) {
    return way.empty() ? absl::InfiniteDuration() : way.front().first;
  }
  template <typename Frame>
  static Frame Take(Way<Frame>& way) {
    Frame frame = std::move(way.front().second);
    way.pop_front();
    return frame;
  }
  template <typename Frame>
  void Send(Way<Frame>& way, Frame frame) {
    if (now_ - last_frame_ > forgets_after_) forgotten_ = true;
    if (now_ - last_frame_ > absl::Seconds(1)) ++exchanges_;
    last_frame_ = now_;
    if (!forgotten_) way.emplace_back(now_ + kOneWay, std::move(frame));
  }

  void FeedCloud(cloud::Event event) {
    if (cloud_ == nullptr || cloud_->closed()) return;
    for (cloud::Effect& effect : cloud_->Step(std::move(event), now_)) {
      if (std::holds_alternative<cloud::Admit>(effect)) {
        FeedCloud(cloud::Admitted{++epoch_, absl::UnixEpoch()});
      } else if (auto* send = std::get_if<cloud::Send>(&effect)) {
        ++frames_down_;
        Send(down_, std::move(send->frame));
      }
    }
  }
  void FeedEdge(edge::Event event) {
    for (edge::Effect& effect : edge_->Step(std::move(event), now_)) {
      if (auto* dial = std::get_if<edge::Dial>(&effect)) {
        connection_ = dial->connection;
        up_.clear();
        down_.clear();
        forgotten_ = false;
        last_frame_ = now_;
        cloud_ = std::make_unique<CloudSession>(cloud_config_, now_);
      } else if (auto* send = std::get_if<edge::Send>(&effect)) {
        ++frames_up_;
        Send(up_, std::move(send->frame));
      } else if (auto* connected = std::get_if<edge::Connected>(&effect)) {
        interval_ = connected->welcome.heartbeat_interval;
      } else if (auto* adapted = std::get_if<edge::IntervalAdapted>(&effect)) {
        interval_ = adapted->to;
        intervals_.push_back(adapted->to);
      } else if (std::holds_alternative<edge::Disconnected>(effect)) {
        ++losses_;
      }
    }
  }

  CloudSession::Config cloud_config_;
  absl::Duration forgets_after_;
  absl::Duration last_frame_;
  bool forgotten_ = false;
  uint64_t connection_ = 0;
  uint64_t epoch_ = 0;
  Way<EdgeFrame> up_;
  Way<CloudFrame> down_;
  std::unique_ptr<EdgeSession> edge_;
  std::unique_ptr<CloudSession> cloud_;
};

// link-3.2, link-3.5
TEST_F(IdleLineTest, TwoSilentEndsExchangeOneHeartbeatAnInterval) {
  Connect(absl::Seconds(15));
  Run(absl::Hours(24));
  EXPECT_EQ(losses_, 0);
  EXPECT_NEAR(exchanges_, 24 * 240, 1);
  EXPECT_EQ(frames_up_, exchanges_);
  EXPECT_EQ(frames_down_, exchanges_);
}

// link-3.7, link-3.8: what forgets within 50 s costs one session to learn of, and in the end one a
// day to look whether it still does.
TEST_F(IdleLineTest, AnIntervalIsFoundThatALineOutlives) {
  Connect(absl::Minutes(1), absl::Seconds(50));
  Run(absl::Minutes(50));
  EXPECT_EQ(losses_, 1);
  EXPECT_EQ(interval_, absl::Seconds(30));
  Run(absl::Hours(1));
  EXPECT_EQ(losses_, 1);
  EXPECT_EQ(interval_, absl::Seconds(45));
  Run(absl::Hours(24 * 7));
  EXPECT_EQ(interval_, absl::Seconds(45));
  // 1, 2, 4, 8 and 16 h, and then every day.
  EXPECT_LE(losses_, 1 + 5 + 6);
  EXPECT_GE(losses_, 1 + 5 + 4);
}

TEST_F(IdleLineTest, ALineThatForgetsWithinTheDefaultIntervalKeepsItsSession) {
  Connect(absl::Seconds(15), absl::Seconds(8));
  Run(absl::Minutes(50));
  EXPECT_EQ(losses_, 1);
  EXPECT_EQ(intervals_, (std::vector<absl::Duration>{absl::Seconds(7.5)}));
}

// Nothing can be done about it: the session is lost as often as before, and not more often.
TEST_F(IdleLineTest, ALineThatForgetsWithinTheShortestIntervalStaysAtThat) {
  Connect(absl::Seconds(15), absl::Seconds(3));
  Run(absl::Minutes(10));
  EXPECT_EQ(intervals_, (std::vector<absl::Duration>{absl::Seconds(7.5), absl::Seconds(5)}));
}

// Outages of a line that has proved itself teach nothing.
TEST_F(IdleLineTest, OutagesDoNotShortenTheIntervalOfALineThatForgetsNothing) {
  Connect(absl::Seconds(15));
  for (int outage = 0; outage < 10; ++outage) {
    Run(absl::Hours(1));
    Break();
    Run(absl::Minutes(1));
  }
  EXPECT_EQ(losses_, 10);
  EXPECT_TRUE(intervals_.empty());
  EXPECT_EQ(interval_, absl::Seconds(15));
}

// One that strikes a young session costs bytes for as long as it takes to find out.
TEST_F(IdleLineTest, AnOutageThatIsTakenForForgetfulnessIsForgiven) {
  Connect(absl::Seconds(15));
  Break();
  Run(absl::Minutes(1));
  EXPECT_EQ(interval_, absl::Seconds(7.5));
  Run(absl::Hours(3));
  EXPECT_EQ(losses_, 1) << "the interval grows without a new session";
  EXPECT_EQ(interval_, absl::Seconds(15));
}

}  // namespace
}  // namespace skerry::link
