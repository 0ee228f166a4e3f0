// Against a small HTTP server of this process; standalone_api_test.cc goes against the real API
// server.
#include "services/lib/kubeclient/curl_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/log/logger.h"

namespace skerry::kubeclient {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Client> ClientOf(const std::string& server) {
  return std::make_unique<CurlClient>(*ConfigSource::Of({.server = server}, log::Logger::Null()),
                                      "test/1");
}

class CurlClientTest : public ::testing::Test {
 protected:
  CurlClientTest() {
    auto server = http::Server::Create(
        {}, [this](http::Request request, std::shared_ptr<http::Responder> responder) {
          Handle(std::move(request), std::move(responder));
        });
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = ClientOf(absl::StrCat("http://", server_->address()));
  }
  ~CurlClientTest() override { server_->Shutdown(absl::Now()); }

  void Handle(http::Request request, std::shared_ptr<http::Responder> responder) {
    std::function<void(std::shared_ptr<http::Responder>)> answer;
    {
      absl::MutexLock lock(&mutex_);
      last_ = std::move(request);
      answer = answer_;
    }
    answer(std::move(responder));
  }
  void AnswerWith(int status, const std::string& body,
                  std::vector<std::pair<std::string, std::string>> headers = {}) {
    absl::MutexLock lock(&mutex_);
    answer_ = [=](std::shared_ptr<http::Responder> responder) {
      responder->Send({.status = status, .headers = headers, .body = body});
    };
  }
  void Answer(std::function<void(std::shared_ptr<http::Responder>)> answer) {
    absl::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }
  // What is kept of a call, whose handler may still run when the client has given it up.
  void Keep(std::shared_ptr<void> held) {
    absl::MutexLock lock(&mutex_);
    kept_ = std::move(held);
  }
  http::Request Last() {
    absl::MutexLock lock(&mutex_);
    return last_;
  }

  absl::Mutex mutex_;
  http::Request last_ ABSL_GUARDED_BY(mutex_);
  std::function<void(std::shared_ptr<http::Responder>)> answer_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<void> kept_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(CurlClientTest, GetsAnObject) {
  AnswerWith(200, R"({"kind":"Pod","metadata":{"namespace":"ns","name":"p","uid":"u"}})");
  auto pod = client_->Get(Pods(), "ns", "p");
  ASSERT_TRUE(pod.ok()) << pod.status();
  EXPECT_EQ(pod->key(), "ns/p");
  EXPECT_EQ(Last().path, "/api/v1/namespaces/ns/pods/p");
  EXPECT_EQ(Last().Header("user-agent"), "test/1");
  EXPECT_EQ(Last().Header("accept"), "application/json");
}

TEST_F(CurlClientTest, ListsWithSelectorsAndPages) {
  AnswerWith(
      200,
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"next"},
                      "items":[{"metadata":{"name":"a","namespace":"ns"}}]})");
  auto list = client_->List(Pods(), "",
                            {.label_selector = "a=b,c!=d",
                             .field_selector = "spec.nodeName!=",
                             .limit = 5,
                             .continue_token = "to/ken=="});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->resource_version, "9");
  EXPECT_EQ(list->continue_token, "next");
  ASSERT_EQ(list->items.size(), 1u);
  EXPECT_EQ(list->items[0].kind(), "Pod");
  EXPECT_EQ(list->items[0].api_version(), "v1");
  const http::Request request = Last();
  EXPECT_EQ(request.path, "/api/v1/pods");
  EXPECT_EQ(request.Query("labelSelector"), "a=b,c!=d");
  EXPECT_EQ(request.Query("fieldSelector"), "spec.nodeName!=");
  EXPECT_EQ(request.Query("limit"), "5");
  EXPECT_EQ(request.Query("continue"), "to/ken==");
}

TEST_F(CurlClientTest, NullItemsAreAnEmptyList) {
  AnswerWith(200, R"({"metadata":{"resourceVersion":"1"},"items":null})");
  EXPECT_TRUE(client_->List(Nodes(), "")->items.empty());
}

TEST_F(CurlClientTest, WritesGoWhereTheyShould) {
  AnswerWith(200, R"({"metadata":{"name":"p"}})");
  ASSERT_TRUE(client_->Create(Leases(), "ns", "{\"a\":1}").ok());
  EXPECT_EQ(Last().method, "POST");
  EXPECT_EQ(Last().path, "/apis/coordination.k8s.io/v1/namespaces/ns/leases");
  EXPECT_EQ(Last().body, "{\"a\":1}");
  EXPECT_EQ(Last().Header("content-type"), "application/json");
  ASSERT_TRUE(client_->UpdateStatus(Nodes(), "", "n", "{}").ok());
  EXPECT_EQ(Last().method, "PUT");
  EXPECT_EQ(Last().path, "/api/v1/nodes/n/status");
  ASSERT_TRUE(client_->PatchStatus(Pods(), "ns", "p", PatchType::kMerge, "{}").ok());
  EXPECT_EQ(Last().method, "PATCH");
  EXPECT_EQ(Last().path, "/api/v1/namespaces/ns/pods/p/status");
  EXPECT_EQ(Last().Header("content-type"), "application/merge-patch+json");
  ASSERT_TRUE(client_
                  ->Patch(Pods(), "ns", "p", PatchType::kApply, "{}",
                          {.field_manager = "me", .force = true})
                  .ok());
  EXPECT_EQ(Last().Header("content-type"), "application/apply-patch+yaml");
  EXPECT_EQ(Last().Query("fieldManager"), "me");
  EXPECT_EQ(Last().Query("force"), "true");
  ASSERT_TRUE(client_->Patch(Pods(), "ns", "p", PatchType::kJson, "[]").ok());
  EXPECT_EQ(Last().Header("content-type"), "application/json-patch+json");
  ASSERT_TRUE(client_->Patch(Pods(), "ns", "p", PatchType::kStrategicMerge, "{}").ok());
  EXPECT_EQ(Last().Header("content-type"), "application/strategic-merge-patch+json");
}

TEST_F(CurlClientTest, DeleteCarriesItsOptions) {
  AnswerWith(200, "{}");
  ASSERT_TRUE(client_->Delete(Pods(), "ns", "p", {.grace_period_seconds = 0, .uid = "u"}).ok());
  EXPECT_EQ(Last().method, "DELETE");
  EXPECT_THAT(Last().body, HasSubstr(R"("gracePeriodSeconds":0)"));
  EXPECT_THAT(Last().body, HasSubstr(R"("preconditions":{"uid":"u"})"));
}

TEST_F(CurlClientTest, NamesAreEscaped) {
  AnswerWith(200, R"({"metadata":{"name":"p"}})");
  client_->Get(Pods(), "ns", "../../secrets?x").IgnoreError();
  EXPECT_EQ(Last().path, "/api/v1/namespaces/ns/pods/../../secrets?x")
      << "decoded by the server, as one segment";
}

TEST_F(CurlClientTest, ErrorsAreMapped) {
  AnswerWith(409, R"({"kind":"Status","reason":"AlreadyExists","message":"it is there"})");
  EXPECT_TRUE(absl::IsAlreadyExists(client_->Create(Pods(), "ns", "{}").status()));
  AnswerWith(503, "", {{"Retry-After", "4"}});
  const absl::Status status = client_->Get(Pods(), "ns", "p").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(GetErrorInfo(status).metadata["retry_after_seconds"], "4");
}

TEST_F(CurlClientTest, AnswerThatIsNoObjectIsAnError) {
  for (const char* body : {"", "[]", "hello", "{}"}) {
    AnswerWith(200, body);
    EXPECT_EQ(client_->Get(Pods(), "ns", "p").status().code(), absl::StatusCode::kInternal) << body;
  }
}

TEST_F(CurlClientTest, SilentServerIsADeadline) {
  Answer([this](std::shared_ptr<http::Responder> responder) { Keep(std::move(responder)); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      client_->Get(Pods(), "ns", "p", {.timeout = absl::Milliseconds(100)}).status()));
}

TEST_F(CurlClientTest, StopEndsACallAtOnce) {
  std::stop_source stop;
  Answer([this, stop](std::shared_ptr<http::Responder> responder) mutable {
    Keep(std::move(responder));
    stop.request_stop();
  });
  const absl::Time begun = absl::Now();
  EXPECT_TRUE(absl::IsCancelled(
      client_->Get(Pods(), "ns", "p", {.timeout = absl::Minutes(1), .stop = stop.get_token()})
          .status()));
  EXPECT_LT(absl::Now() - begun, absl::Seconds(20));
}

TEST_F(CurlClientTest, NoServerIsUnavailable) {
  auto client = ClientOf("http://127.0.0.1:1");
  EXPECT_TRUE(absl::IsUnavailable(client->Get(Pods(), "ns", "p", {}).status()));
}

TEST_F(CurlClientTest, WatchDeliversAndEndsWithTheServer) {
  Answer([](std::shared_ptr<http::Responder> responder) {
    auto stream = responder->Stream(200, {{"Content-Type", "application/json"}});
    stream->Write("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resou");
    stream->Write(
        "rceVersion\":\"5\"}}}\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
        "\"resourceVersion\":\"6\"}}}\n");
    stream->End();
  });
  std::vector<std::string> versions;
  const absl::Status status =
      client_->Watch(Pods(), "", {.resource_version = "4", .timeout = absl::Seconds(7)},
                     [&](WatchEvent event) { versions.push_back(event.resource_version); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(versions, (std::vector<std::string>{"5", "6"}));
  EXPECT_EQ(Last().Query("watch"), "true");
  EXPECT_EQ(Last().Query("resourceVersion"), "4");
  EXPECT_EQ(Last().Query("allowWatchBookmarks"), "true");
  EXPECT_EQ(Last().Query("timeoutSeconds"), "7");
}

TEST_F(CurlClientTest, WatchThatIsTooOldIsOutOfRange) {
  AnswerWith(410, R"({"kind":"Status","reason":"Expired","message":"too old"})");
  EXPECT_TRUE(absl::IsOutOfRange(client_->Watch(Pods(), "", {}, [](WatchEvent) {})));
  AnswerWith(200, "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\"}}\n");
  EXPECT_TRUE(absl::IsOutOfRange(client_->Watch(Pods(), "", {}, [](WatchEvent) {})));
}

TEST_F(CurlClientTest, StopEndsAWatchAtOnce) {
  Answer([this](std::shared_ptr<http::Responder> responder) {
    std::shared_ptr<http::ResponseStream> stream = responder->Stream(200, {});
    Keep(stream);
    stream->Write(
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"6\"}}}\n");
  });
  std::stop_source stop;
  const absl::Status status = client_->Watch(Pods(), "", {.stop = stop.get_token()},
                                             [&](WatchEvent) { stop.request_stop(); });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace skerry::kubeclient
