#include "services/lib/cloudspoke/subscription.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"

namespace skerry::cloudspoke {
namespace {

KubeObject Object(const std::string& name, const std::string& uid, int version) {
  auto object = KubeObject::Parse(absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name,
                                               R"(","uid":")", uid, R"(","resourceVersion":")",
                                               version, R"("}})"));
  return *object;
}

class SubscriptionTest : public ::testing::Test {
 protected:
  // What is pushed until nothing is left to say: "+key=version", "-key", "synced".
  std::vector<std::string> Drain() {
    std::vector<std::string> said;
    while (std::optional<Push> push =
               subscription_.Next([this](const std::string& key) { return Find(key); })) {
      switch (push->kind) {
        case Push::Kind::kUpsert:
          said.push_back(absl::StrCat("+", push->key, "=", push->version));
          break;
        case Push::Kind::kDelete:
          said.push_back("-" + push->key);
          break;
        case Push::Kind::kSynced:
          said.push_back("synced");
          break;
      }
    }
    EXPECT_FALSE(subscription_.HasWork());
    return said;
  }
  std::optional<Desired> Find(const std::string& key) const {
    const auto it = desired_.find(key);
    if (it == desired_.end()) return std::nullopt;
    return it->second;
  }
  void Set(const std::string& name, const std::string& uid, int version, uint64_t digest = 0) {
    desired_.insert_or_assign("ns/" + name, Desired{Object(name, uid, version), digest});
  }

  std::map<std::string, Desired> desired_;
  Subscription subscription_{1};
};

using Said = std::vector<std::string>;

TEST_F(SubscriptionTest, SaysNothingBeforeTheHoldingsAreWhole) {
  Set("a", "u", 1);
  subscription_.Touch("ns/a", true);
  EXPECT_FALSE(subscription_.HasWork());
  EXPECT_EQ(Drain(), Said{});
}

TEST_F(SubscriptionTest, SendsDifferencesOnlyThenSynced) {
  Set("same", "u1", 5);
  Set("newer", "u2", 8);
  Set("new", "u3", 1);
  subscription_.AddHolding("ns/same", "u1/5", 100);
  subscription_.AddHolding("ns/newer", "u2/7", 100);
  subscription_.AddHolding("ns/gone", "u4/2", 100);
  subscription_.Begin({"ns/same", "ns/newer", "ns/new"});
  EXPECT_EQ(Drain(), (Said{"-ns/gone", "+ns/new=u3/1", "+ns/newer=u2/8", "synced"}));
}

TEST_F(SubscriptionTest, NodeThatHoldsNothingAndNeedsNothingIsSynced) {
  subscription_.Begin({});
  EXPECT_EQ(Drain(), Said{"synced"});
  EXPECT_EQ(Drain(), Said{});
}

TEST_F(SubscriptionTest, NeededObjectThatDoesNotExistIsNotSent) {
  subscription_.Begin({"ns/missing"});
  EXPECT_EQ(Drain(), Said{"synced"});
  Set("missing", "u", 1);
  subscription_.Touch("ns/missing", true);
  EXPECT_EQ(Drain(), Said{"+ns/missing=u/1"});
}

TEST_F(SubscriptionTest, ManyChangesBecomeOnePush) {
  subscription_.Begin({});
  Drain();
  for (int version = 1; version <= 10; ++version) {
    Set("a", "u", version);
    subscription_.Touch("ns/a", true);
  }
  EXPECT_EQ(Drain(), Said{"+ns/a=u/10"});
}

TEST_F(SubscriptionTest, ObjectThatComesAndGoesUnsentIsNeverSpokenOf) {
  subscription_.Begin({});
  Drain();
  Set("a", "u", 1);
  subscription_.Touch("ns/a", true);
  desired_.clear();
  subscription_.Touch("ns/a", true);
  EXPECT_EQ(Drain(), Said{});
}

TEST_F(SubscriptionTest, DeleteIsSaidOnce) {
  Set("a", "u", 1);
  subscription_.Begin({"ns/a"});
  Drain();
  desired_.clear();
  subscription_.Touch("ns/a", true);
  EXPECT_EQ(Drain(), Said{"-ns/a"});
  subscription_.Touch("ns/a", true);
  EXPECT_EQ(Drain(), Said{});
}

TEST_F(SubscriptionTest, ReplacedObjectIsAnUpsertOfTheNewOne) {
  Set("a", "old", 4);
  subscription_.Begin({"ns/a"});
  Drain();
  Set("a", "new", 9);
  subscription_.Touch("ns/a", true);
  EXPECT_EQ(Drain(), Said{"+ns/a=new/9"});
}

TEST_F(SubscriptionTest, ChangeDuringTheFirstSyncIsSentBeforeSynced) {
  Set("a", "u", 1);
  subscription_.Begin({"ns/a"});
  Set("a", "u", 2);
  Set("b", "u", 3);
  subscription_.Touch("ns/b", true);
  EXPECT_EQ(Drain(), (Said{"+ns/a=u/2", "+ns/b=u/3", "synced"}));
}

TEST_F(SubscriptionTest, VersionWithTheDigestLastSentIsNotSent) {
  Set("n", "u", 1, 77);
  subscription_.Begin({"ns/n"});
  Drain();
  Set("n", "u", 2, 77);
  subscription_.Touch("ns/n", true);
  EXPECT_EQ(Drain(), Said{});
  Set("n", "u", 3, 78);
  subscription_.Touch("ns/n", true);
  EXPECT_EQ(Drain(), Said{"+ns/n=u/3"});
}

TEST_F(SubscriptionTest, HeldVersionTeachesTheDigest) {
  Set("n", "u", 1, 77);
  subscription_.AddHolding("ns/n", "u/1", 100);
  subscription_.Begin({"ns/n"});
  EXPECT_EQ(Drain(), Said{"synced"});
  Set("n", "u", 2, 77);
  subscription_.Touch("ns/n", true);
  EXPECT_EQ(Drain(), Said{});
}

TEST_F(SubscriptionTest, WhatIsNoLongerNeededGoesFirst) {
  Set("z", "u", 1);
  subscription_.Begin({"ns/z"});
  Drain();
  desired_.clear();
  Set("a", "u", 2);
  subscription_.Touch("ns/a", true);
  subscription_.Touch("ns/z", false);
  EXPECT_TRUE(subscription_.HasUnneeded());
  EXPECT_EQ(Drain(), (Said{"-ns/z", "+ns/a=u/2"}));
  EXPECT_FALSE(subscription_.HasUnneeded());
}

TEST_F(SubscriptionTest, NeedThatEndsAndComesBackUnsentChangesNothing) {
  Set("a", "u", 1);
  subscription_.Begin({"ns/a"});
  Drain();
  subscription_.Touch("ns/a", false);
  subscription_.Touch("ns/a", true);
  EXPECT_EQ(Drain(), Said{});
}

TEST_F(SubscriptionTest, HoldingsAreBounded) {
  EXPECT_TRUE(subscription_.AddHolding("ns/a", "1", 2));
  EXPECT_TRUE(subscription_.AddHolding("ns/b", "1", 2));
  EXPECT_TRUE(subscription_.AddHolding("ns/b", "2", 2));
  EXPECT_FALSE(subscription_.AddHolding("ns/c", "1", 2));
}

}  // namespace
}  // namespace skerry::cloudspoke
