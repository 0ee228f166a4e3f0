#include "services/eventbus-svc/store/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::IsOk;
using ::skerry::testing::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RequestLogTest : public ::testing::Test {
 protected:
  // As the process after one that was killed: what was written is there.
  void Open() {
    log_.reset();
    auto log = RequestLog::Open("requests.db", bytes_max_, {&disk_});
    ASSERT_THAT(log, IsOk());
    log_ = *std::move(log);
  }
  int64_t Add(const std::string& payload, Delivery delivery = {}) {
    return *log_->Add("topic", payload, "id-" + payload, delivery);
  }
  std::vector<std::string> Payloads() {
    std::vector<std::string> payloads;
    const auto entries = log_->Read(0, 64 << 20);
    EXPECT_THAT(entries, IsOk());
    for (const RequestLog::Entry& entry : *entries) {
      EXPECT_EQ(entry.topic, "topic");
      EXPECT_EQ(entry.write_id, "id-" + entry.payload);
      payloads.push_back(entry.payload);
    }
    return payloads;
  }

  int64_t bytes_max_ = 16 << 20;
  sqlite::testing::SimDisk disk_{1};
  std::unique_ptr<RequestLog> log_;
};

TEST_F(RequestLogTest, WhatIsNotAnsweredIsThereAfterACrash) {
  Open();
  const int64_t a = Add("a");
  const int64_t b = Add("b");
  const int64_t c = Add(std::string("\0\xff", 2));
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  log_->Done(b);
  Open();
  EXPECT_THAT(Payloads(), ElementsAre("a", "b", std::string("\0\xff", 2)))
      << "what is done is written with what comes next";
  const int64_t again = log_->Read(0, 64 << 20)->at(1).sequence;
  log_->Done(again);
  Add("d");
  Open();
  EXPECT_THAT(Payloads(), ElementsAre("a", std::string("\0\xff", 2), "d"));
}

TEST_F(RequestLogTest, ACrashBringsBackFewThatWereAnswered) {
  Open();
  std::vector<int64_t> sequences;
  for (int i = 0; i < 100; ++i) sequences.push_back(Add(std::to_string(i)));
  for (int i = 0; i < 90; ++i) log_->Done(sequences[i]);
  Open();
  EXPECT_LT(Payloads().size(), 10 + RequestLog::kDoneMax);
}

TEST_F(RequestLogTest, AnOrderlyEndBringsBackNone) {
  Open();
  std::vector<int64_t> sequences;
  for (int i = 0; i < 5; ++i) sequences.push_back(Add(std::to_string(i)));
  for (int i = 0; i < 3; ++i) log_->Done(sequences[i]);
  log_->Flush();
  Open();
  EXPECT_THAT(Payloads(), ElementsAre("3", "4"));
}

TEST_F(RequestLogTest, WhenAllIsAnsweredNothingIsLeft) {
  Open();
  const int64_t a = Add("a");
  const int64_t b = Add("b");
  log_->Done(b);
  log_->Done(a);
  Open();
  EXPECT_THAT(Payloads(), IsEmpty());
}

TEST_F(RequestLogTest, AMessageThatTheBrokerSendsOnceMoreIsTakenOnce) {
  Open();
  log_->Done(Add("a", {.packet_id = 7}));
  Open();
  EXPECT_THAT(log_->Add("topic", "a", "x", {.packet_id = 7, .duplicate = true}), IsOkAndHolds(0));
  EXPECT_NE(Add("a", {.packet_id = 8, .duplicate = true}), 0) << "another one with that content";
  EXPECT_NE(Add("b", {.packet_id = 7, .duplicate = true}), 0) << "another one with that id";
  EXPECT_NE(Add("b", {.packet_id = 7}), 0) << "the id was used again";
  EXPECT_NE(Add("c"), 0);
  EXPECT_NE(Add("c"), 0) << "QoS 0";
}

TEST_F(RequestLogTest, HoldsSoMuchAndNoMoreUntilSomeIsAnswered) {
  bytes_max_ = 2000;
  Open();
  const int64_t a = Add("a");
  Add("b");
  Add("c");
  EXPECT_THAT(log_->Add("topic", "d", "x", {}), HasReason("REQUESTS_FULL"));
  Open();
  EXPECT_THAT(log_->Add("topic", "d", "x", {}), HasReason("REQUESTS_FULL"));
  log_->Done(a);
  log_->Done(a);
  EXPECT_EQ(log_->waiting(), 2u);
  Add("d");
  EXPECT_THAT(Payloads(), ElementsAre("b", "c", "d"));
  const auto page = log_->Read(a + 1, 1);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ(page->front().payload, "c");
}

TEST_F(RequestLogTest, OnAFullDiskNothingChanges) {
  Open();
  Add("a");
  disk_.SetCapacity(disk_.UsedBytes());
  EXPECT_FALSE(log_->Add("topic", std::string(1 << 20, 'x'), "x", {.packet_id = 3}).ok());
  disk_.SetCapacity(1 << 30);
  EXPECT_THAT(Payloads(), ElementsAre("a"));
  EXPECT_NE(Add(std::string(1 << 20, 'x'), {.packet_id = 3, .duplicate = true}), 0);
}

}  // namespace
}  // namespace skerry::eventbus
