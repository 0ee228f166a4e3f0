#include "services/lib/http/end_to_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::http {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(EndToEndTest, LeavesOutWhatBelongsToTheConnection) {
  EXPECT_THAT(EndToEnd({{"Accept", "a"},
                        {"Connection", "close, X-Hop"},
                        {"x-hop", "1"},
                        {"Transfer-Encoding", "chunked"},
                        {"Upgrade", "websocket"},
                        {"TE", "trailers"},
                        {"Proxy-Authorization", "secret"},
                        {"Host", "h"},
                        {"Content-Length", "5"},
                        {"Expect", "100-continue"},
                        {"Set-Cookie", "a"},
                        {"Set-Cookie", "b"}}),
              ElementsAre(Pair("Accept", "a"), Pair("Set-Cookie", "a"), Pair("Set-Cookie", "b")));
}

TEST(EndToEndTest, KnowsHeaderNamesAndValues) {
  EXPECT_TRUE(IsHeaderName("X-Some_Thing.1"));
  for (const char* name : {"", "a b", "a:", "a\r\nb", "\xc3\xa4"})
    EXPECT_FALSE(IsHeaderName(name)) << name;
  EXPECT_TRUE(IsHeaderValue(""));
  EXPECT_TRUE(IsHeaderValue("text\twith \xc3\xa4"));
  for (const char* value : {"a\r\nb: c", "a\n", "\x7f"})
    EXPECT_FALSE(IsHeaderValue(value)) << value;
  EXPECT_FALSE(IsHeaderValue(absl::string_view("\0", 1)));
}

}  // namespace
}  // namespace skerry::http
