#include "services/cloudhub-svc/service/session_page.h"

#include <gtest/gtest.h>

namespace skerry::cloudhub {
namespace {

std::vector<SessionInfo> Nodes(const std::vector<std::string>& names) {
  std::vector<SessionInfo> sessions;
  for (const std::string& name : names) {
    sessions.emplace_back();
    sessions.back().node = name;
  }
  return sessions;
}

TEST(PageOfTest, WalksAllPages) {
  v1::ListNodeSessionsRequest request;
  request.set_page_size(2);
  absl::StatusOr<v1::ListNodeSessionsResponse> first = PageOf(Nodes({"a", "b", "c"}), request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->sessions_size(), 2);
  EXPECT_EQ(first->sessions(1).node(), "b");

  request.set_page_token(first->next_page_token());
  absl::StatusOr<v1::ListNodeSessionsResponse> second =
      PageOf(Nodes({"a", "c"}), request);  // "b" left meanwhile.
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(second->sessions_size(), 1);
  EXPECT_EQ(second->sessions(0).node(), "c");
  EXPECT_EQ(second->next_page_token(), "");
}

TEST(PageOfTest, RefusesWhatIsNotAPage) {
  v1::ListNodeSessionsRequest request;
  request.set_page_size(-1);
  EXPECT_EQ(PageOf({}, request).status().code(), absl::StatusCode::kInvalidArgument);
  request.set_page_size(0);
  request.set_page_token("c");
  EXPECT_EQ(PageOf({}, request).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::cloudhub
