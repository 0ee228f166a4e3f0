#include "services/lib/watch/resume_token.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "services/lib/base/error.h"

namespace skerry::watch {
namespace {

TEST(ResumeTokenTest, RoundTrips) {
  auto revision =
      DecodeResumeToken(EncodeResumeToken("s1", "configmaps,pods", 42), "s1", "configmaps,pods");
  ASSERT_TRUE(revision.ok()) << revision.status();
  EXPECT_EQ(*revision, 42);
}

TEST(ResumeTokenTest, OfAnotherStoreIsExpired) {
  auto revision = DecodeResumeToken(EncodeResumeToken("s1", "pods", 42), "s2", "pods");
  EXPECT_EQ(revision.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(GetErrorInfo(revision.status()).reason, "RESUME_TOKEN_EXPIRED");
}

TEST(ResumeTokenTest, OfOtherTypesIsInvalid) {
  auto revision = DecodeResumeToken(EncodeResumeToken("s1", "pods", 42), "s1", "secrets");
  EXPECT_EQ(GetErrorInfo(revision.status()).reason, "RESUME_TOKEN_INVALID");
}

TEST(ResumeTokenTest, OfAnUnknownVersionIsExpired) {
  auto revision = DecodeResumeToken(absl::WebSafeBase64Escape("w9\ns1\npods\n1"), "s1", "pods");
  EXPECT_EQ(revision.status().code(), absl::StatusCode::kOutOfRange);
}

TEST(ResumeTokenTest, GarbageIsInvalid) {
  for (std::string token :
       {std::string("%%%"), std::string(""), std::string(100000, 'A'),
        absl::WebSafeBase64Escape("w1\ns1\npods\n-3"), absl::WebSafeBase64Escape("w1\ns1\npods\nx"),
        absl::WebSafeBase64Escape("w1\ns1\npods"), EncodePageToken("pods", "a/b")}) {
    EXPECT_EQ(GetErrorInfo(DecodeResumeToken(token, "s1", "pods").status()).reason,
              "RESUME_TOKEN_INVALID");
  }
}

TEST(PageTokenTest, RoundTripsAndIsBoundToItsScope) {
  std::string token = EncodePageToken("pods/default", "default/web");
  EXPECT_EQ(*DecodePageToken(token, "pods/default"), "default/web");
  EXPECT_EQ(GetErrorInfo(DecodePageToken(token, "pods/").status()).reason, "PAGE_TOKEN_INVALID");
  EXPECT_EQ(GetErrorInfo(DecodePageToken("x", "pods/").status()).reason, "PAGE_TOKEN_INVALID");
  EXPECT_EQ(GetErrorInfo(DecodePageToken(EncodeResumeToken("a", "b", 1), "b").status()).reason,
            "PAGE_TOKEN_INVALID");
}

}  // namespace
}  // namespace skerry::watch
