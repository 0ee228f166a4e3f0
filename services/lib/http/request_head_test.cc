#include "services/lib/http/request_head.h"

#include <gtest/gtest.h>

namespace skerry::http {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(RequestHeadTest, AddsWhatTheHeadersDoNotHave) {
  const Headers none;
  EXPECT_EQ(RenderRequestHead({.method = "GET",
                               .target = "/a?b",
                               .authority = "h:81",
                               .user_agent = "skerry",
                               .headers = &none,
                               .keep_alive = true}),
            "GET /a?b HTTP/1.1\r\nHost: h:81\r\nUser-Agent: skerry\r\nAccept: */*\r\n\r\n");
  const Headers own = {{"user-agent", "mine"}, {"accept", "text/plain"}};
  EXPECT_EQ(RenderRequestHead({.method = "POST",
                               .target = "/",
                               .authority = "h",
                               .user_agent = "skerry",
                               .headers = &own}),
            "POST / HTTP/1.1\r\nHost: h\r\nuser-agent: mine\r\naccept: text/plain\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(RequestHeadTest, LeavesOutTheSchemesOwnPort) {
  EXPECT_EQ(AuthorityOf("http", "h", 80), "h");
  EXPECT_EQ(AuthorityOf("https", "[::1]", 443), "[::1]");
  EXPECT_EQ(AuthorityOf("https", "h", 80), "h:80");
}

}  // namespace
}  // namespace skerry::http
