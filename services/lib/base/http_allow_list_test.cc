#include "services/lib/base/http_allow_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/lib/testing/status_matchers.h"

namespace skerry {
namespace {

using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

bool Allows(const std::vector<std::string>& entries, const std::string& method,
            const std::string& url) {
  return HttpAllowList::Parse("calls.allowed", entries)->Allows(method, *ParseHttpUrl("url", url));
}

TEST(HttpAllowListTest, AllowsNothingByItself) {
  EXPECT_FALSE(Allows({}, "GET", "http://127.0.0.1:80/"));
}

TEST(HttpAllowListTest, ComparesEveryPart) {
  const std::vector<std::string> entries = {"GET|PUT http://127.0.0.1:8080/api",
                                            "https://plc.local/"};
  struct Case {
    const char* method;
    const char* url;
    bool allowed;
  };
  for (const Case& c : std::vector<Case>{{"GET", "http://127.0.0.1:8080/api", true},
                                         {"PUT", "http://127.0.0.1:8080/api/x?q=1", true},
                                         {"POST", "http://127.0.0.1:8080/api", false},
                                         {"GET", "http://127.0.0.1:8080/apix", false},
                                         {"GET", "http://127.0.0.1:8080/", false},
                                         {"GET", "http://127.0.0.1:8081/api", false},
                                         {"GET", "https://127.0.0.1:8080/api", false},
                                         {"GET", "http://localhost:8080/api", false},
                                         {"GET", "http://127.0.0.1.:8080/api", false},
                                         {"DELETE", "https://PLC.local:443/x", true},
                                         {"GET", "http://plc.local:443/x", false}}) {
    EXPECT_EQ(Allows(entries, c.method, c.url), c.allowed) << c.method << " " << c.url;
  }
}

TEST(HttpAllowListTest, AnyPortMayBeAllowed) {
  EXPECT_TRUE(Allows({"http://127.0.0.1:*/"}, "GET", "http://127.0.0.1:9/x"));
  EXPECT_TRUE(Allows({"http://127.0.0.1:*"}, "GET", "http://127.0.0.1:9/x"));
  EXPECT_TRUE(Allows({"http://[::1]:*/x"}, "GET", "http://[::1]:9/x"));
  EXPECT_FALSE(Allows({"http://127.0.0.1:*/x"}, "GET", "http://127.0.0.1:9/y"));
  EXPECT_FALSE(Allows({"http://127.0.0.1:*/"}, "GET", "http://127.0.0.2:9/"));
}

TEST(HttpAllowListTest, NamesTheEntryThatIsWrong) {
  for (const char* entry :
       {"", "127.0.0.1:80", "http://", "get http://a/", "GET,PUT http://a/", "GET  http://a/",
        "http://a/?q", "http://a/../b", "http://*/", "http://*:*/", "://:*"}) {
    const auto list = HttpAllowList::Parse("calls.allowed", {"http://fine/", entry});
    EXPECT_THAT(list, StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("calls.allowed")))
        << entry;
  }
}

}  // namespace
}  // namespace skerry
