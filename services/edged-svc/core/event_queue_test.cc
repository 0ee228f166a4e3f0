#include "services/edged-svc/core/event_queue.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

EventRecord Event(const std::string& id, int64_t count = 1) { return {.id = id, .count = count}; }

std::string Show(const std::vector<EventRecord>& events) {
  std::string out;
  for (const EventRecord& e : events) absl::StrAppend(&out, e.id, "=", e.count, " ");
  return out;
}

TEST(EventQueueTest, OneBatchIsUnderWayAtATime) {
  EventQueue queue(10, 2);
  for (const char* id : {"a", "b", "c"}) queue.Push(Event(id));
  EXPECT_EQ(Show(queue.Take()), "a=1 b=1 ");
  EXPECT_EQ(Show(queue.Take()), "");
  queue.Answered(2);
  EXPECT_EQ(Show(queue.Take()), "c=1 ");
  queue.Answered(1);
  EXPECT_EQ(Show(queue.Take()), "");
  EXPECT_EQ(queue.size(), 0u);
}

TEST(EventQueueTest, WhatWasNotStoredGoesAgain) {
  EventQueue queue(10, 2);
  queue.Push(Event("a"));
  queue.Push(Event("b"));
  queue.Take();
  queue.Answered(0);
  EXPECT_EQ(Show(queue.Take()), "a=1 b=1 ");
  queue.Answered(1);
  EXPECT_EQ(Show(queue.Take()), "b=1 ");
}

TEST(EventQueueTest, ANewerCountReplacesWhatWaits) {
  EventQueue queue(10, 2);
  queue.Push(Event("a"));
  queue.Push(Event("b"));
  queue.Push(Event("a", 2));
  EXPECT_EQ(Show(queue.Take()), "a=2 b=1 ");
  queue.Push(Event("a", 3));  // Another answer than that of count 2 is to come.
  queue.Answered(2);
  EXPECT_EQ(Show(queue.Take()), "a=3 ");
}

TEST(EventQueueTest, FullItDropsTheOldestThatWaits) {
  EventQueue queue(3, 1);
  EXPECT_TRUE(queue.Push(Event("a")));
  queue.Take();
  EXPECT_TRUE(queue.Push(Event("b")));
  EXPECT_TRUE(queue.Push(Event("c")));
  EXPECT_FALSE(queue.Push(Event("d")));
  EXPECT_EQ(queue.size(), 3u);
  queue.Answered(1);
  EXPECT_EQ(Show(queue.Take()), "c=1 ");
}

}  // namespace
}  // namespace skerry::edged
