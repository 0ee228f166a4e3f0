#include "services/edged-svc/core/image_name.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

TEST(ImageNameTest, TakesReferences) {
  for (const char* image :
       {"busybox", "busybox:1", "library/busybox:latest", "skerry.local/busybox:1",
        "localhost:5000/a/b:v1.2-x_y", "127.0.0.1:9/nope:1", "a__b/c-d.e",
        "r.io/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "r.io/x:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "a---b"}) {
    EXPECT_TRUE(CheckImageName(image).ok()) << image;
  }
}

TEST(ImageNameTest, RefusesOthers) {
  for (const char* image : {"", "NOPE", "a:", "a::b", "a//b", "/a", "a/", "-a", "a_-b", "a:b c",
                            "a@sha256:12", "a___b", "a..b", "r.io/A:1", "a:.x"}) {
    EXPECT_EQ(CheckImageName(image).code(), absl::StatusCode::kInvalidArgument) << image;
  }
}

TEST(ImageNameTest, KnowsTheRegistry) {
  EXPECT_EQ(RegistryOf("busybox"), "docker.io");
  EXPECT_EQ(RegistryOf("library/busybox:1"), "docker.io");
  EXPECT_EQ(RegistryOf("localhost/x"), "localhost");
  EXPECT_EQ(RegistryOf("r.io:5000/x/y"), "r.io:5000");
}

TEST(FullImageNameTest, IsTheOneThatRuntimesList) {
  const struct {
    const char* image;
    const char* full;
  } kCases[] = {
      {"busybox", "docker.io/library/busybox:latest"},
      {"busybox:1", "docker.io/library/busybox:1"},
      {"docker.io/busybox", "docker.io/library/busybox:latest"},
      {"me/app", "docker.io/me/app:latest"},
      {"docker.io/me/app:2", "docker.io/me/app:2"},
      {"skerry.local/busybox:1", "skerry.local/busybox:1"},
      {"127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b:latest"},
      {"localhost/a@sha256:12", "localhost/a@sha256:12"},
      {"127.0.0.1:5000/a:3@sha256:12", "127.0.0.1:5000/a@sha256:12"},
  };
  for (const auto& c : kCases) EXPECT_EQ(FullImageName(c.image), c.full);
}

}  // namespace
}  // namespace skerry::edged
