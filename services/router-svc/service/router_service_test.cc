#include "services/router-svc/service/router_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/server.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/router-svc/store/sqlite_message_tables.h"
#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::ElementsAre;

class RouterServiceTest : public ::testing::Test {
 protected:
  RouterServiceTest() {
    for (int i = 1; i <= 3; ++i) {
      const NewMessage message{.rule = i == 2 ? "plant/b" : "plant/a",
                               .key = absl::StrCat("k", i),
                               .node = "edge-1",
                               .source = "plant/t",
                               .payload = absl::StrCat("payload ", i)};
      EXPECT_THAT(store_->Accept({.node = "edge-1", .stream = "s", .store_id = "1"},
                                 {{.sequence = static_cast<uint64_t>(i), .messages = {message}}},
                                 clock_.Now()),
                  IsOk());
      // Its id as a message that waits, then that of the letter: 2, 4, 6.
      EXPECT_THAT(store_->Bury(2 * i - 1, "no", clock_.Now()), IsOk());
    }
    server_ = *rpc::Server::Create({.listen = "127.0.0.1:0"}, {&service_});
    stub_ = v1::RouterService::NewStub(*rpc::MakeChannel({.target = server_->address()}));
  }
  absl::StatusOr<v1::ListDeadLettersResponse> List(const v1::ListDeadLettersRequest& request) {
    v1::ListDeadLettersResponse response;
    absl::Status status = rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->ListDeadLetters(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  absl::Status Replay(const std::string& name) {
    v1::ReplayDeadLetterRequest request;
    request.set_name(name);
    v1::ReplayDeadLetterResponse response;
    return rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->ReplayDeadLetter(context, request, &response);
    });
  }
  absl::Status Drop(const std::string& name) {
    v1::DropDeadLetterRequest request;
    request.set_name(name);
    v1::DropDeadLetterResponse response;
    return rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->DropDeadLetter(context, request, &response);
    });
  }
  static std::vector<std::string> Names(const v1::ListDeadLettersResponse& response) {
    std::vector<std::string> names;
    for (const auto& letter : response.dead_letters()) names.push_back(letter.name());
    return names;
  }

  skerry::testing::FakeClock clock_;
  sqlite::testing::SimDisk disk_{1};
  std::unique_ptr<TableMessageStore> store_ =
      *TableMessageStore::Open(*SqliteMessageTables::Open("router.db", 0, {&disk_}), {});
  exec::ThreadPool pool_{"api", 2, 16};
  std::vector<std::string> woken_;
  RouterServiceImpl service_{*store_, pool_,
                             [this](const std::string& rule) { woken_.push_back(rule); }, clock_};
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::RouterService::Stub> stub_;
};

// [rt-5.1]
TEST_F(RouterServiceTest, ListsInPages) {
  v1::ListDeadLettersRequest request;
  request.set_page_size(2);
  auto page = List(request);
  SKERRY_ASSERT_OK(page);
  EXPECT_THAT(Names(*page), ElementsAre("deadLetters/2", "deadLetters/4"));
  const v1::DeadLetter& letter = page->dead_letters(0);
  EXPECT_EQ(letter.rule(), "namespaces/plant/rules/a");
  EXPECT_EQ(letter.key(), "k1");
  EXPECT_EQ(letter.error(), "no");
  EXPECT_EQ(letter.payload(), "");
  EXPECT_EQ(letter.payload_bytes(), 9);
  request.set_page_token(page->next_page_token());
  page = List(request);
  SKERRY_ASSERT_OK(page);
  EXPECT_THAT(Names(*page), ElementsAre("deadLetters/6"));
  EXPECT_EQ(page->next_page_token(), "");
  request.set_rule("namespaces/plant/rules/a");
  EXPECT_THAT(List(request), HasReason("PAGE_TOKEN_INVALID"));
  request.clear_page_token();
  request.set_payloads(true);
  page = List(request);
  EXPECT_THAT(Names(*page), ElementsAre("deadLetters/2", "deadLetters/6"));
  EXPECT_EQ(page->dead_letters(1).payload(), "payload 3");
  request.set_page_size(-1);
  EXPECT_THAT(List(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_page_size(0);
  request.set_rule("plant/a");
  EXPECT_THAT(List(request), HasReason("NAME_INVALID"));
}

// [rt-5.2]
TEST_F(RouterServiceTest, ReplaysAndDrops) {
  EXPECT_THAT(Replay("deadLetters/2"), IsOk());
  EXPECT_THAT(woken_, ElementsAre("plant/a"));
  EXPECT_EQ(store_->Waiting("plant/a", 10)->size(), 1u);
  EXPECT_THAT(Replay("deadLetters/2"), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(Drop("deadLetters/4"), IsOk());
  EXPECT_THAT(Drop("deadLetters/4"), HasReason("DEAD_LETTER_UNKNOWN"));
  for (const char* name :
       {"", "2", "deadLetters/", "deadLetters/x", "deadLetters/-1", "deadLetters/0"}) {
    EXPECT_THAT(Replay(name), HasReason("NAME_INVALID")) << name;
    EXPECT_THAT(Drop(name), HasReason("NAME_INVALID")) << name;
  }
}

}  // namespace
}  // namespace skerry::router
