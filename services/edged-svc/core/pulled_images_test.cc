#include "services/edged-svc/core/pulled_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

constexpr char kApp[] = "r.example/app:1";

// [edged-10.8]
TEST(PulledImagesTest, WhatAPullHasBroughtIsOwned) {
  PulledImages images;
  EXPECT_TRUE(images.Add("sha256:a", kApp, {"sha256:b"}).ok());
  EXPECT_TRUE(images.Owns("sha256:a", {kApp}));
  EXPECT_TRUE(images.Owns("sha256:a", {kApp, "r.example/app@sha256:1"}));
  EXPECT_TRUE(images.Owns("sha256:a", {}));  // A newer one has its name now.
  EXPECT_FALSE(images.Owns("sha256:b", {}));
}

// [edged-10.8]
TEST(PulledImagesTest, WhatWasThereBeforeIsNot) {
  PulledImages images;
  EXPECT_TRUE(images.Add("sha256:a", kApp, {"sha256:a"}).ok());
  EXPECT_FALSE(images.Owns("sha256:a", {kApp}));
  EXPECT_EQ(images.Format(), "");
}

// [edged-10.8]
TEST(PulledImagesTest, ANameOfSomebodyElseMakesItTheirs) {
  PulledImages images;
  EXPECT_TRUE(images.Add("sha256:a", kApp, {}).ok());
  EXPECT_FALSE(images.Owns("sha256:a", {kApp, "docker.io/library/mine:latest"}));
  EXPECT_FALSE(images.Owns("sha256:a", {"r.example/app:2"}));
  EXPECT_FALSE(images.Owns("sha256:a", {kApp, "r.example/other@sha256:1"}));
  // It was there, and edged's, when it was pulled by another name.
  EXPECT_TRUE(images.Add("sha256:a", "r.example/app:2", {"sha256:a"}).ok());
  EXPECT_TRUE(images.Owns("sha256:a", {kApp, "r.example/app:2"}));
}

TEST(PulledImagesTest, PulledByDigest) {
  PulledImages images;
  EXPECT_TRUE(images.Add("sha256:a", "localhost:5000/app@sha256:1", {}).ok());
  EXPECT_TRUE(images.Owns("sha256:a", {"localhost:5000/app@sha256:1"}));
  EXPECT_FALSE(images.Owns("sha256:a", {"localhost:5000/app:1"}));
}

TEST(PulledImagesTest, WhatIsGoneIsForgottenUnlessItCameSince) {
  PulledImages images;
  EXPECT_TRUE(images.Add("sha256:a", kApp, {}).ok());
  EXPECT_TRUE(images.Add("sha256:b", "r.example/b:1", {}).ok());
  const uint64_t generation = images.generation();
  EXPECT_TRUE(images.Add("sha256:c", "r.example/c:1", {}).ok());
  EXPECT_TRUE(images.Retain({"sha256:a"}, generation));
  EXPECT_FALSE(images.Retain({"sha256:a"}, generation));
  EXPECT_EQ(images.Format(), absl::StrCat("sha256:a ", kApp, "\nsha256:c r.example/c:1\n"));
}

TEST(PulledImagesTest, SurvivesAsText) {
  PulledImages images;
  EXPECT_TRUE(images.Add("sha256:a", kApp, {}).ok());
  EXPECT_TRUE(images.Add("sha256:a", "r.example/app:2", {}).ok());
  EXPECT_TRUE(images.Add("sha256:b", "r.example/b@sha256:" + std::string(64, '1'), {}).ok());
  const auto again = PulledImages::Parse(images.Format());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->Format(), images.Format());
  EXPECT_TRUE(again->Owns("sha256:a", {kApp, "r.example/app:2"}));
  EXPECT_EQ(PulledImages::Parse("")->Format(), "");
}

TEST(PulledImagesTest, WhatIsNoRecordIsRefused) {
  for (const char* text : {"sha256:a", "a r.example/app:1", "sha256:a r.example/app:1 x",
                           "sha256:a R::\n", "sha256:a r.example/app:1\n\xff"}) {
    const auto parsed = PulledImages::Parse(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(parsed.status().message()), ::testing::HasSubstr("line "));
  }
}

TEST(PulledImagesTest, AtTheBoundNothingMoreIsRemembered) {
  PulledImages images;
  size_t added = 0;
  while (images.Add(absl::StrCat("sha256:", added), absl::StrCat("r/", std::string(1000, 'a')), {})
             .ok())
    ++added;
  EXPECT_GT(added, 500u);
  EXPECT_LE(images.Format().size(), PulledImages::kBytesMax);
  EXPECT_EQ(images.Add("sha256:new", std::string(1000, 'a'), {}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(images.Retain({}, images.generation()));
  EXPECT_TRUE(images.Add("sha256:new", kApp, {}).ok());
}

}  // namespace
}  // namespace skerry::edged
