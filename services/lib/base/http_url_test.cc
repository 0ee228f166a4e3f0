#include "services/lib/base/http_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry {
namespace {

using testing::HasReason;

TEST(HttpUrlTest, ReadsItsParts) {
  const auto url = ParseHttpUrl("url", "http://LocalHost:8080/a/b%20c?x=1&y=%2F");
  SKERRY_ASSERT_OK(url);
  EXPECT_EQ(url->scheme, "http");
  EXPECT_EQ(url->host, "localhost");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->path, "/a/b%20c");
  EXPECT_EQ(url->query, "?x=1&y=%2F");
  EXPECT_EQ(ToText(*url), "http://localhost:8080/a/b%20c?x=1&y=%2F");
}

TEST(HttpUrlTest, FillsInPortAndPath) {
  EXPECT_EQ(ToText(*ParseHttpUrl("url", "http://a")), "http://a:80/");
  EXPECT_EQ(ToText(*ParseHttpUrl("url", "https://a?q")), "https://a:443/?q");
  EXPECT_EQ(ToText(*ParseHttpUrl("url", "https://[::1]/x")), "https://[::1]:443/x");
  EXPECT_EQ(ToText(*ParseHttpUrl("url", "https://[::1]:9/x")), "https://[::1]:9/x");
}

TEST(HttpUrlTest, RefusesWhatTwoReadersCouldReadInTwoWays) {
  for (const char* text : {"",
                           "a",
                           "ftp://a/",
                           "HTTP://a/",
                           "http://",
                           "http:///x",
                           "http://u@a/",
                           "http://u:p@a/",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:+80/",
                           "http://a:/",
                           "http://a:80:90/",
                           "http://a b/",
                           "http://a/b c",
                           "http://a/#f",
                           "http://a/..",
                           "http://a/../b",
                           "http://a/./b",
                           "http://a/%2e%2E/b",
                           "http://a/.%2e/b",
                           "http://a/x%2fy",
                           "http://a/x%5Cy",
                           "http://a/x\\y",
                           "http://a/%00",
                           "http://a/%0a",
                           "http://a/\n",
                           "http://a/%",
                           "http://a/%4",
                           "http://a/%zz",
                           "http://a/?a b",
                           "http://a/?%",
                           "http://[::1",
                           "http://[]/",
                           "http://[g]/",
                           "http://a\\b/",
                           "http://\xc3\xa4/"}) {
    EXPECT_THAT(ParseHttpUrl("url", text), HasReason("URL_INVALID")) << text;
  }
  EXPECT_THAT(ParseHttpUrl("url", "http://a/" + std::string(kHttpUrlBytesMax, 'x')),
              HasReason("URL_INVALID"));
}

TEST(HttpUrlTest, PathsAreReadAlone) {
  EXPECT_EQ(ParseHttpPath("path", "/a?b")->path, "/a");
  EXPECT_EQ(ParseHttpPath("path", "/a?b")->query, "?b");
  EXPECT_THAT(ParseHttpPath("path", "a"), HasReason("URL_INVALID"));
  EXPECT_THAT(ParseHttpPath("path", "/a/../b"), HasReason("URL_INVALID"));
}

TEST(HttpUrlTest, PrefixesEndAtSegments) {
  EXPECT_TRUE(IsPathBelow("/", "/"));
  EXPECT_TRUE(IsPathBelow("/x", "/"));
  EXPECT_TRUE(IsPathBelow("/api", "/api"));
  EXPECT_TRUE(IsPathBelow("/api", "/api/"));
  EXPECT_TRUE(IsPathBelow("/api/x", "/api"));
  EXPECT_TRUE(IsPathBelow("/api/x", "/api/"));
  EXPECT_FALSE(IsPathBelow("/apix", "/api"));
  EXPECT_FALSE(IsPathBelow("/ap", "/api"));
}

}  // namespace
}  // namespace skerry
