#include "services/edged-svc/service.h"

#include <gmock/gmock.h>
#include <grpcpp/impl/service_type.h>
#include <gtest/gtest.h>

#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

class EdgedServiceTest : public ::testing::Test {
 protected:
  EdgedServiceTest() {
    EdgedAnswers answers;
    answers.fill = [](v1::EdgedStatus&) {};
    answers.pods = [this] { return pods_; };
    answers.usage = [](const std::string& cgroup) -> std::optional<CgroupUsage> {
      if (cgroup != "/kubepods/podb") return std::nullopt;
      return CgroupUsage{absl::Seconds(1.5), 4096, absl::FromUnixSeconds(1'790'000'000)};
    };
    service_ = MakeEdgedService(std::move(answers), pool_);
    rpc::ServerOptions options;
    options.listen = "unix:" + dir_.File("edged.sock");
    server_ = *rpc::Server::Create(options, {service_.get()});
    stub_ = v1::EdgedService::NewStub(*rpc::MakeChannel({.target = options.listen}));
  }

  absl::StatusOr<v1::ListPodsResponse> List(int size, const std::string& token) {
    v1::ListPodsRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    v1::ListPodsResponse response;
    const absl::Status status = rpc::CallUnary(
        absl::Seconds(10),
        [&](grpc::ClientContext* context) { return stub_->ListPods(context, request, &response); });
    if (!status.ok()) return status;
    return response;
  }

  skerry::testing::TempDir dir_;
  std::vector<PodManager::PodSummary> pods_;
  exec::ThreadPool pool_{"looks", 1, 4};
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::EdgedService::Stub> stub_;
};

TEST_F(EdgedServiceTest, PodsWithWhatTheyUse) {
  for (const char* name : {"a", "b"}) {
    PodManager::PodSummary pod{std::string("ns/") + name, name, "Running"};
    pod.cgroup = std::string("/kubepods/pod") + name;
    pod.status_json = R"({"phase":"Running"})";
    pods_.push_back(std::move(pod));
  }
  const auto page = List(0, "");
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->pods_size(), 2);
  EXPECT_FALSE(page->pods(0).has_usage());
  EXPECT_EQ(page->pods(1).key(), "ns/b");
  EXPECT_EQ(page->pods(1).status_json(), R"({"phase":"Running"})");
  EXPECT_EQ(page->pods(1).usage().cpu_time().seconds(), 1);
  EXPECT_EQ(page->pods(1).usage().cpu_time().nanos(), 500'000'000);
  EXPECT_EQ(page->pods(1).usage().memory_bytes(), 4096);
  EXPECT_EQ(page->next_page_token(), "");
}

TEST_F(EdgedServiceTest, PagesByCountAndBytes) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    PodManager::PodSummary pod{name, name, "Running"};
    pod.status_json = std::string(name == std::string("c") ? 3 << 20 : 10, 'x');
    pods_.push_back(std::move(pod));
  }
  std::vector<int> sizes;
  std::string token, keys;
  do {
    const auto page = List(2, token);
    ASSERT_THAT(page, IsOk());
    sizes.push_back(page->pods_size());
    for (const v1::RunningPod& pod : page->pods()) keys += pod.key();
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_EQ(keys, "abcde");
  EXPECT_THAT(sizes, ::testing::ElementsAre(2, 1, 2));
  EXPECT_THAT(List(-1, "").status(), HasReason("INVALID_FIELD"));
  EXPECT_THAT(List(1, "nonsense").status(), HasReason("PAGE_TOKEN_INVALID"));
}

}  // namespace
}  // namespace skerry::edged
