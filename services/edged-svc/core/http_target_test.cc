#include "services/edged-svc/core/http_target.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

TEST(HttpTargetTest, WritesUrls) {
  EXPECT_EQ((HttpTarget{false, "10.0.0.1", 8080, "/a?b=c"}.Url()), "http://10.0.0.1:8080/a?b=c");
  EXPECT_EQ((HttpTarget{true, "fd00::1", 443, "/"}.Url()), "https://[fd00::1]:443/");
  EXPECT_EQ(RequestPath(""), "/");
  EXPECT_EQ(RequestPath("health?deep=1"), "/health?deep=1");
  EXPECT_EQ(RequestPath("/a b\xc3\xa4\r\n%20"), "/a%20b%C3%A4%0D%0A%20");
}

TEST(HttpTargetTest, FollowsLocations) {
  const HttpTarget from{false, "10.0.0.1", 8080, "/a/b?c=d"};
  const struct {
    const char* location;
    const char* url;  // Null: none.
  } kCases[] = {
      {"/login", "http://10.0.0.1:8080/login"},
      {"login", "http://10.0.0.1:8080/a/login"},
      {"../login?x=/../y", "http://10.0.0.1:8080/login?x=/../y"},
      {"/x/../../..", "http://10.0.0.1:8080/"},
      {"./", "http://10.0.0.1:8080/a/"},
      {"?c=e", "http://10.0.0.1:8080/a/b?c=e"},
      {"", "http://10.0.0.1:8080/a/b?c=d"},
      {"#top", "http://10.0.0.1:8080/a/b?c=d"},
      {"a:b/c", nullptr},
      {"a/b:c", "http://10.0.0.1:8080/a/a/b:c"},
      {"https://10.0.0.1/x", "https://10.0.0.1:443/x"},
      {"HTTP://other.example:81?y", "http://other.example:81/?y"},
      {"//user:secret@[::1]:82/x", "http://[::1]:82/x"},
      {"http://10.0.0.1:99999/", nullptr},
      {"http://", nullptr},
      {"http://[::1", nullptr},
      {"http:/x", nullptr},
      {"ftp://10.0.0.1/", nullptr},
      {"/a b", "http://10.0.0.1:8080/a%20b"},
  };
  for (const auto& c : kCases) {
    const auto target = FollowLocation(from, c.location);
    ASSERT_EQ(target.has_value(), c.url != nullptr) << c.location;
    if (c.url != nullptr) {
      EXPECT_EQ(target->Url(), c.url) << c.location;
    }
  }
}

}  // namespace
}  // namespace skerry::edged
