// Watches whose first state is much larger than what may wait for one client, over real sockets.
#include "services/lib/kubeapi/watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/raw_client.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/built_in.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/kubeapi/store/sqlite_object_store.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

using skerry::testing::RawClient;

constexpr char kMaps[] = "/api/v1/namespaces/sea/configmaps";
constexpr size_t kPendingBytesMax = 256 << 10;
constexpr int kObjects = 400;
constexpr size_t kObjectBytes = 20000;
constexpr int kReceiveBuffer = 4096;
constexpr absl::Duration kDeadline = absl::Seconds(20);

class Everybody final : public AccessControl {
 public:
  absl::StatusOr<Caller> Authenticate(const http::Request&) override { return Caller{"root", {}}; }
  absl::StatusOr<TokenOwner> Review(absl::string_view, const std::vector<std::string>&) override {
    return absl::UnauthenticatedError("no tokens");
  }
  bool Allows(const Caller&, const RequestInfo&) override { return true; }
};

std::string Name(int i) { return absl::StrFormat("m%03d", i); }

std::string WatchRequest(const std::string& query) {
  return absl::StrCat("GET ", kMaps, "?watch=true", query,
                      " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

// "ADDED m001", and the code of errors.
std::vector<std::string> Events(const std::string& answer) {
  std::vector<std::string> events;
  for (const absl::string_view line : absl::StrSplit(answer, "\r\n")) {
    if (!absl::StartsWith(line, "{")) continue;
    const absl::StatusOr<Json> event = ParseJson(line);
    if (!event.ok()) continue;
    const std::string name = StringAt(*event, {"object", "metadata", "name"});
    events.push_back(
        absl::StrCat(StringAt(*event, {"type"}), " ",
                     name.empty() ? absl::StrCat(IntAt(*event, {"object", "code"})) : name));
  }
  return events;
}

class WatchTest : public ::testing::Test {
 protected:
  void Start(const LogLimits& limits = {}, absl::Duration write_timeout = kDeadline) {
    SqliteObjectStoreOptions store;
    store.path = dir_.path() + "/objects.db";
    store.log = limits;
    store_ = OpenSqliteObjectStore(store, metrics_).value();
    registry_ = MakeBuiltInRegistry().value();
    objects_ = std::make_unique<ObjectService>(*store_, *registry_, clock_, ObjectServiceOptions{});
    api_ =
        std::make_unique<ApiServer>(ApiServer::Deps{*store_, *registry_, *objects_, access_, clock_,
                                                    server_metrics_, log::Logger::Null(), nullptr});
    local_ = std::make_unique<LocalClient>(*api_, Caller{"root", {}});
    http::ServerOptions options;
    options.stream_pending_bytes_max = kPendingBytesMax;
    options.write_timeout = write_timeout;
    server_ = http::Server::Create(options, [this](http::Request request,
                                                   std::shared_ptr<http::Responder> responder) {
                api_->Handle(std::move(request), std::move(responder));
              }).value();
    ASSERT_TRUE(local_->Post("/api/v1/namespaces", {{"metadata", {{"name", "sea"}}}}).ok());
    for (int i = 0; i < kObjects; ++i) Create(Name(i), i % 2 == 0 ? "even" : "odd");
  }
  void TearDown() override { server_.reset(); }

  void Create(const std::string& name, const std::string& parity) {
    const Json map = {{"metadata", {{"name", name}, {"labels", {{"parity", parity}}}}},
                      {"data", {{"k", std::string(kObjectBytes, 'x')}}}};
    ASSERT_TRUE(local_->Post(kMaps, map).ok());
  }
  void Touch(int i) {
    ASSERT_TRUE(
        local_->MergePatch(absl::StrCat(kMaps, "/", Name(i)), {{"data", {{"more", "y"}}}}).ok());
  }
  void Remove(int i) { ASSERT_TRUE(local_->Delete(absl::StrCat(kMaps, "/", Name(i))).ok()); }

  skerry::testing::TempDir dir_;
  skerry::testing::FakeClock clock_{absl::FromUnixSeconds(1790000000)};
  metrics::Registry metrics_{"watch-test"};
  ServerMetrics server_metrics_{metrics_};
  Everybody access_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<ResourceRegistry> registry_;
  std::unique_ptr<ObjectService> objects_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<LocalClient> local_;
  std::unique_ptr<http::Server> server_;
};

// Bug: such a client was cut as a slow one, and again at each new try.
TEST_F(WatchTest, FirstStateBeyondThePendingBoundComesAtTheReadersPace) {
  Start();
  RawClient client(server_->address(), kReceiveBuffer);
  client.Send(WatchRequest(""));
  std::string answer = client.ReadUntil("\"ADDED\"");
  // While the reader stands still: in what it has not been sent yet, and in what it has.
  Touch(0);
  Touch(kObjects - 2);
  Remove(kObjects - 1);
  Create("z", "even");
  // One after the other: the operands of a + are evaluated in any order.
  answer += client.ReadUntil("\"name\":\"z\"");
  answer += client.ReadUntil("\n\r\n");
  std::vector<std::string> expected;
  for (int i = 0; i < kObjects; ++i) expected.push_back("ADDED " + Name(i));
  expected.push_back("MODIFIED " + Name(0));
  expected.push_back("MODIFIED " + Name(kObjects - 2));
  expected.push_back("DELETED " + Name(kObjects - 1));
  expected.push_back("ADDED z");
  EXPECT_EQ(Events(answer), expected);
  EXPECT_EQ(server_->stats().streams_cut, 0u);
}

TEST_F(WatchTest, PagesAreOfWhatTheSelectorMatches) {
  Start();
  RawClient client(server_->address(), kReceiveBuffer);
  client.Send(
      WatchRequest("&labelSelector=parity%3Dodd&sendInitialEvents=true"
                   "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
  std::string answer = client.ReadUntil("initial-events-end");
  answer += client.ReadUntil("\n\r\n");
  std::vector<std::string> expected;
  for (int i = 1; i < kObjects; i += 2) expected.push_back("ADDED " + Name(i));
  expected.push_back("BOOKMARK 0");
  EXPECT_EQ(Events(answer), expected);
}

TEST_F(WatchTest, ReaderThatStallsIsCutAndCounted) {
  Start({}, /*write_timeout=*/absl::Milliseconds(100));
  RawClient client(server_->address(), kReceiveBuffer);
  client.Send(WatchRequest(""));
  client.ReadUntil("\"ADDED\"");
  const absl::Time deadline = absl::Now() + kDeadline;
  while (server_->stats().connections > 0 && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(server_->stats().streams_cut, 1u);
  EXPECT_FALSE(absl::EndsWith(client.ReadAll(), "0\r\n\r\n"));
  EXPECT_TRUE(absl::StrContains(metrics_.Render(), "skerry_kubeapi_watches 0"));
}

TEST_F(WatchTest, ReaderSlowerThanTheLogIsToldToBeginAgain) {
  Start({.changes_max = 10});
  RawClient client(server_->address(), kReceiveBuffer);
  client.Send(WatchRequest(""));
  std::string answer = client.ReadUntil("\"ADDED\"");
  const StoreRevision begun = store_->CurrentRevision().value();
  for (int i = 0; i < 50; ++i) Touch(i);
  const absl::Time deadline = absl::Now() + kDeadline;
  while (store_->CompactedRevision().value() <= begun && absl::Now() < deadline) {
    std::this_thread::yield();
  }
  answer += client.ReadAll();
  const std::vector<std::string> events = Events(answer);
  ASSERT_GT(events.size(), 1u);
  EXPECT_LT(events.size(), static_cast<size_t>(kObjects));
  EXPECT_EQ(events.back(), "ERROR 410");
  EXPECT_TRUE(absl::EndsWith(answer, "0\r\n\r\n"));
}

TEST_F(WatchTest, TimeoutCountsFromTheBeginning) {
  Start();
  RawClient client(server_->address(), kReceiveBuffer);
  client.Send(WatchRequest("&timeoutSeconds=60"));
  std::string answer = client.ReadUntil("\"ADDED\"");
  clock_.Advance(absl::Seconds(61));
  answer += client.ReadAll();
  EXPECT_LT(Events(answer).size(), static_cast<size_t>(kObjects));
  EXPECT_TRUE(absl::EndsWith(answer, "0\r\n\r\n"));
}

}  // namespace
}  // namespace skerry::kubeapi
