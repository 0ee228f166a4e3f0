#include "services/lib/auth/token_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace skerry::auth {
namespace {

security::TokenIdentity Jane() { return {"jane", {"skerry:operators"}}; }

TEST(TokenCacheTest, KnowsAnAnswerUntilItsTimeIsOver) {
  TokenCache cache(1 << 10);
  EXPECT_EQ(cache.Find("h", absl::Seconds(1)), nullptr);
  cache.Put("h", Jane(), absl::Seconds(1), absl::Seconds(11));
  ASSERT_NE(cache.Find("h", absl::Seconds(10)), nullptr);
  EXPECT_EQ((*cache.Find("h", absl::Seconds(10)))->user, "jane");
  EXPECT_EQ(cache.Find("h", absl::Seconds(11)), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(TokenCacheTest, ANewAnswerReplacesTheOldOne) {
  TokenCache cache(1 << 10);
  cache.Put("h", Jane(), absl::Seconds(1), absl::Seconds(11));
  const size_t bytes = cache.bytes();
  cache.Put("h", absl::UnauthenticatedError("no"), absl::Seconds(2), absl::Seconds(3));
  EXPECT_FALSE(cache.Find("h", absl::Seconds(2))->ok());
  cache.Put("h", Jane(), absl::Seconds(2), absl::Seconds(3));
  EXPECT_EQ(cache.bytes(), bytes);
}

TEST(TokenCacheTest, KeepsToItsBoundByForgettingTheOldest) {
  TokenCache cache(4 << 10);
  size_t evicted = 0;
  for (int i = 0; i < 1000; ++i) {
    evicted += cache.Put(absl::StrCat(i), Jane(), absl::Seconds(1), absl::Seconds(11));
    ASSERT_LE(cache.bytes(), 4u << 10);
    ASSERT_NE(cache.Find(absl::StrCat(i), absl::Seconds(1)), nullptr);
  }
  EXPECT_EQ(cache.Find("0", absl::Seconds(1)), nullptr);
  EXPECT_GT(evicted, 900u);
  EXPECT_LT(evicted, 1000u);
}

TEST(TokenCacheTest, WhatIsOverGoesFirstAndIsNotCounted) {
  TokenCache cache(1 << 10);
  cache.Put("old", Jane(), absl::Seconds(1), absl::Seconds(2));
  EXPECT_EQ(cache.Put("new", Jane(), absl::Seconds(3), absl::Seconds(9)), 0u);
  EXPECT_NE(cache.Find("new", absl::Seconds(3)), nullptr);
}

TEST(TokenCacheTest, DoesNotKeepWhatAloneIsBeyondTheBound) {
  TokenCache cache(1 << 10);
  cache.Put("small", Jane(), absl::Seconds(1), absl::Seconds(9));
  cache.Put("large", absl::UnauthenticatedError(std::string(2000, 'x')), absl::Seconds(1),
            absl::Seconds(9));
  EXPECT_EQ(cache.Find("large", absl::Seconds(1)), nullptr);
  EXPECT_NE(cache.Find("small", absl::Seconds(1)), nullptr);
}

}  // namespace
}  // namespace skerry::auth
