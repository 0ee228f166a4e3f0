// One file: every test needs the whole server over SQLite, which is dear to compile and set up
// twice.
#include "services/lib/kubeapi/api_server.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/built_in.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/kubeapi/store/forwarding_store.h"
#include "services/lib/kubeapi/store/sqlite_object_store.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

constexpr char kPods[] = "/api/v1/namespaces/sea/pods";
constexpr char kMaps[] = "/api/v1/namespaces/sea/configmaps";

// Lets "root" do everything and the others nothing.
class RootOnly final : public AccessControl {
 public:
  absl::StatusOr<Caller> Authenticate(const http::Request& request) override {
    if (request.Header("authorization") == "Bearer root") return Caller{"root", {}};
    return absl::UnauthenticatedError("who?");
  }
  absl::StatusOr<TokenOwner> Review(absl::string_view, const std::vector<std::string>&) override {
    return absl::UnauthenticatedError("no tokens");
  }
  bool Allows(const Caller& caller, const RequestInfo&) override { return caller.name == "root"; }
};

// Collects the events of a watch.
class Events {
 public:
  LocalClient::WatchCallbacks Callbacks() {
    return {[this](absl::string_view type, Json object) {
              absl::MutexLock lock(&mutex_);
              seen_.push_back(absl::StrCat(type, " ", StringAt(object, {"metadata", "name"})));
              objects_.push_back(std::move(object));
            },
            [this] {
              absl::MutexLock lock(&mutex_);
              closed_ = true;
            }};
  }

  std::vector<std::string> WaitFor(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return seen_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(10));
    return seen_;
  }
  Json last() {
    absl::MutexLock lock(&mutex_);
    return objects_.empty() ? Json() : objects_.back();
  }
  bool WaitClosed() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&closed_), absl::Seconds(10));
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<Json> objects_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

using Seen = std::vector<std::string>;

class ApiServerTest : public ::testing::Test {
 protected:
  ApiServerTest() {
    SqliteObjectStoreOptions options;
    options.path = dir_.path() + "/objects.db";
    store_ = OpenSqliteObjectStore(options, metrics_).value();
    registry_ = MakeBuiltInRegistry().value();
    objects_ = std::make_unique<ObjectService>(*store_, *registry_, clock_, ObjectServiceOptions{});
    server_ =
        std::make_unique<ApiServer>(ApiServer::Deps{*store_, *registry_, *objects_, access_, clock_,
                                                    server_metrics_, log::Logger::Null(), nullptr});
    client_ = std::make_unique<LocalClient>(*server_, Caller{"root", {}});
    Must(client_->Post("/api/v1/namespaces", {{"metadata", {{"name", "sea"}}}}));
  }

  static Json Must(absl::StatusOr<Json> result) {
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : Json::object();
  }
  static Json Pod(const std::string& name) {
    return {{"metadata", {{"name", name}}},
            {"spec", {{"containers", {{{"name", "a"}, {"image", "i:1"}}}}}}};
  }
  static Json Map(const std::string& name) {
    return {{"metadata", {{"name", name}}}, {"data", {{"k", "v"}}}};
  }
  static std::string Version(const Json& object) {
    return StringAt(object, {"metadata", "resourceVersion"});
  }
  static std::string Uid(const Json& object) { return StringAt(object, {"metadata", "uid"}); }
  int Code(const absl::StatusOr<Json>& result) {
    return result.ok() ? 200 : HttpCode(result.status());
  }
  bool There(const std::string& path) { return client_->Get(path).ok(); }

  testing::TempDir dir_;
  testing::FakeClock clock_{absl::FromUnixSeconds(1790000000)};
  metrics::Registry metrics_{"api-server-test"};
  ServerMetrics server_metrics_{metrics_};
  RootOnly access_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<ResourceRegistry> registry_;
  std::unique_ptr<ObjectService> objects_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<LocalClient> client_;
};

TEST_F(ApiServerTest, GivesWhatTheServerOwns) {
  const Json pod = Must(client_->Post(kPods, Pod("p")));
  EXPECT_EQ(Uid(pod).size(), 36u);
  EXPECT_EQ(pod["apiVersion"], "v1");
  EXPECT_EQ(pod["metadata"]["namespace"], "sea");
  EXPECT_EQ(pod["metadata"]["generation"], 1);
  EXPECT_EQ(pod["status"]["phase"], "Pending");
  EXPECT_EQ(Must(client_->Get(absl::StrCat(kPods, "/p"))), pod);
}

TEST_F(ApiServerTest, RefusesUpdatesFromThePast) {
  Json map = Must(client_->Post(kMaps, Map("m")));
  const std::string path = absl::StrCat(kMaps, "/m");
  map["data"]["k"] = "w";
  const Json newer = Must(client_->Put(path, map));
  EXPECT_NE(Version(newer), Version(map));
  EXPECT_EQ(Code(client_->Put(path, map)), 409);
  EXPECT_EQ(Code(client_->MergePatch(
                path, {{"metadata", {{"resourceVersion", Version(map)}}}, {"data", {{"k", "x"}}}})),
            409);
  Json other = newer;
  other["metadata"]["uid"] = "another";
  EXPECT_EQ(Code(client_->Put(path, other)), 409);
  map["metadata"].erase("resourceVersion");
  EXPECT_EQ(Must(client_->Put(path, map))["data"]["k"], "w");
}

TEST_F(ApiServerTest, AWriteThatChangesNothingIsNone) {
  const Json map = Must(client_->Post(kMaps, Map("m")));
  EXPECT_EQ(Version(Must(client_->Put(absl::StrCat(kMaps, "/m"), map))), Version(map));
}

TEST_F(ApiServerTest, StatusAndSpecDoNotMix) {
  Json pod = Must(client_->Post(kPods, Pod("p")));
  pod["status"]["phase"] = "Running";
  pod["spec"]["containers"][0]["image"] = "i:2";
  const std::string path = absl::StrCat(kPods, "/p");
  const Json status = Must(client_->Put(path + "/status", pod));
  EXPECT_EQ(status["status"]["phase"], "Running");
  EXPECT_EQ(status["spec"]["containers"][0]["image"], "i:1");
  EXPECT_EQ(status["metadata"]["generation"], 1);
  pod["metadata"]["resourceVersion"] = Version(status);
  pod["status"]["phase"] = "Failed";
  const Json spec = Must(client_->Put(path, pod));
  EXPECT_EQ(spec["status"]["phase"], "Running");
  EXPECT_EQ(spec["spec"]["containers"][0]["image"], "i:2");
  EXPECT_EQ(spec["metadata"]["generation"], 2);
}

TEST_F(ApiServerTest, DeletionHonoursPreconditionsAndGrace) {
  const std::string path = absl::StrCat(kPods, "/p");
  Json pod = Pod("p");
  pod["spec"]["nodeName"] = "n";
  pod = Must(client_->Post(kPods, pod));
  const auto remove = [&](const Json& options) {
    return client_->Call("DELETE", path, {}, &options);
  };
  EXPECT_EQ(Code(remove({{"preconditions", {{"uid", "another"}}}})), 409);
  EXPECT_EQ(Code(remove({{"preconditions", {{"resourceVersion", "1"}}}})), 409);
  const Json dying =
      Must(remove({{"gracePeriodSeconds", 20}, {"propagationPolicy", "Background"}}));
  EXPECT_EQ(dying["metadata"]["deletionGracePeriodSeconds"], 20);
  EXPECT_EQ(Must(remove({{"gracePeriodSeconds", 60}}))["metadata"]["deletionGracePeriodSeconds"],
            20);
  EXPECT_EQ(Must(remove({{"gracePeriodSeconds", 5}}))["metadata"]["deletionGracePeriodSeconds"], 5);
  EXPECT_TRUE(There(path));
  Must(remove({{"gracePeriodSeconds", 0}, {"preconditions", {{"uid", Uid(pod)}}}}));
  EXPECT_FALSE(There(path));
  EXPECT_EQ(Code(remove({{"gracePeriodSeconds", 0}})), 404);
}

TEST_F(ApiServerTest, TheLastFinalizerTakesTheObjectAlong) {
  Json map = Map("m");
  map["metadata"]["finalizers"] = {"a.io/x"};
  Must(client_->Post(kMaps, map));
  const std::string path = absl::StrCat(kMaps, "/m");
  EXPECT_TRUE(Must(client_->Delete(path))["metadata"].contains("deletionTimestamp"));
  EXPECT_TRUE(There(path));
  Must(client_->MergePatch(path, {{"metadata", {{"finalizers", nullptr}}}}));
  EXPECT_FALSE(There(path));
}

TEST_F(ApiServerTest, NothingIsCreatedInANamespaceThatIsNotThere) {
  EXPECT_EQ(Code(client_->Post("/api/v1/namespaces/nowhere/configmaps", Map("m"))), 404);
  Must(client_->Delete("/api/v1/namespaces/sea"));
  const absl::StatusOr<Json> refused = client_->Post(kMaps, Map("m"));
  EXPECT_EQ(Code(refused), 403);
  Json ns = Must(client_->Get("/api/v1/namespaces/sea"));
  EXPECT_EQ(ns["status"]["phase"], "Terminating");
  ns["spec"]["finalizers"] = Json::array();
  Must(client_->Put("/api/v1/namespaces/sea/finalize", ns));
  EXPECT_FALSE(There("/api/v1/namespaces/sea"));
}

// Who may bind may not change the rest of a pod by it.
TEST_F(ApiServerTest, ABindingIsMadeAndNothingElse) {
  Must(client_->Post(kPods, Pod("p")));
  Json pod = Must(client_->Get(absl::StrCat(kPods, "/p")));
  const std::string path = absl::StrCat(kPods, "/p/binding");
  pod["metadata"]["labels"] = {{"changed", "yes"}};
  EXPECT_EQ(Code(client_->Put(path, pod)), 405);
  EXPECT_EQ(Code(client_->MergePatch(path, {{"metadata", {{"labels", {{"changed", "yes"}}}}}})),
            405);
  EXPECT_EQ(Code(client_->Get(path)), 405);
  EXPECT_FALSE(Must(client_->Get(absl::StrCat(kPods, "/p")))["metadata"].contains("labels"));
}

TEST_F(ApiServerTest, BindsAPodOnce) {
  Must(client_->Post(kPods, Pod("p")));
  const std::string path = absl::StrCat(kPods, "/p/binding");
  const auto binding = [](const char* node) {
    return Json{{"target", {{"kind", "Node"}, {"name", node}}}};
  };
  Must(client_->Post(path, binding("n1")));
  EXPECT_EQ(Code(client_->Post(path, binding("n2"))), 409);
  const Json pod = Must(client_->Get(absl::StrCat(kPods, "/p")));
  EXPECT_EQ(pod["spec"]["nodeName"], "n1");
  EXPECT_EQ(pod["status"]["conditions"][0]["type"], "PodScheduled");
}

TEST_F(ApiServerTest, ListsInPagesOfOneState) {
  for (int i = 0; i < 5; ++i) Must(client_->Post(kMaps, Map(absl::StrCat("m", i))));
  Json page = Must(client_->Get(kMaps, {{"limit", "2"}}));
  Must(client_->Delete(absl::StrCat(kMaps, "/m4")));
  size_t found = page["items"].size();
  const std::string version = Version(page);
  while (page["metadata"].contains("continue")) {
    page = Must(client_->Get(
        kMaps, {{"limit", "2"}, {"continue", StringAt(page, {"metadata", "continue"})}}));
    EXPECT_EQ(Version(page), version);
    found += page["items"].size();
  }
  EXPECT_EQ(found, 5u);
  EXPECT_EQ(Code(client_->Get(kMaps, {{"continue", "garbage"}})), 400);
  EXPECT_EQ(Code(client_->Get(kMaps, {{"resourceVersion", "x"}})), 400);
  EXPECT_EQ(Code(client_->Get(kMaps, {{"resourceVersion", "99999"}})), 504);
}

TEST_F(ApiServerTest, PagesOfAFilteredListAreFull) {
  for (int i = 0; i < 6; ++i) {
    Json map = Map(absl::StrCat("m", i));
    map["metadata"]["labels"] = {{"odd", i % 2 == 1 ? "yes" : "no"}};
    Must(client_->Post(kMaps, map));
  }
  const Json page = Must(client_->Get(kMaps, {{"limit", "2"}, {"labelSelector", "odd=yes"}}));
  ASSERT_EQ(page["items"].size(), 2u);
  const Json rest =
      Must(client_->Get(kMaps, {{"limit", "2"},
                                {"labelSelector", "odd=yes"},
                                {"continue", StringAt(page, {"metadata", "continue"})}}));
  ASSERT_EQ(rest["items"].size(), 1u);
  EXPECT_EQ(rest["items"][0]["metadata"]["name"], "m5");
}

TEST_F(ApiServerTest, WatchesFromNowAndFromThen) {
  const Json first = Must(client_->Post(kMaps, Map("a")));
  Events from_start;
  Events from_then;
  auto w1 = client_->Watch(kMaps, {}, from_start.Callbacks());
  auto w2 = client_->Watch(kMaps, {{"resourceVersion", Version(first)}}, from_then.Callbacks());
  Must(client_->MergePatch(absl::StrCat(kMaps, "/a"), {{"data", {{"k", "w"}}}}));
  Must(client_->Delete(absl::StrCat(kMaps, "/a")));
  EXPECT_EQ(from_start.WaitFor(3), (Seen{"ADDED a", "MODIFIED a", "DELETED a"}));
  EXPECT_EQ(from_then.WaitFor(2), (Seen{"MODIFIED a", "DELETED a"}));
}

TEST_F(ApiServerTest, AFilteredWatchSeesObjectsComeAndGo) {
  Events events;
  auto watch = client_->Watch(kPods, {{"fieldSelector", "spec.nodeName=n"}}, events.Callbacks());
  Must(client_->Post(kPods, Pod("p")));
  Must(client_->Post(absl::StrCat(kPods, "/p/binding"), {{"target", {{"name", "n"}}}}));
  Must(client_->MergePatch(absl::StrCat(kPods, "/p/status"),
                           {{"status", {{"phase", "Succeeded"}}}}));
  Must(client_->Delete(absl::StrCat(kPods, "/p")));
  EXPECT_EQ(events.WaitFor(3), (Seen{"ADDED p", "MODIFIED p", "DELETED p"}));
}

TEST_F(ApiServerTest, InitialEventsEndWithABookmark) {
  Must(client_->Post(kMaps, Map("a")));
  Events events;
  auto watch = client_->Watch(kMaps,
                              {{"sendInitialEvents", "true"},
                               {"resourceVersionMatch", "NotOlderThan"},
                               {"allowWatchBookmarks", "true"}},
                              events.Callbacks());
  EXPECT_EQ(events.WaitFor(2), (Seen{"ADDED a", "BOOKMARK "}));
  EXPECT_EQ(StringAt(events.last(), {"metadata", "annotations", "k8s.io/initial-events-end"}),
            "true");
  EXPECT_FALSE(client_->Watch(kMaps, {{"sendInitialEvents", "true"}}, events.Callbacks()).ok());
}

TEST_F(ApiServerTest, AWatchOfTheFutureEndsWithAnError) {
  Events events;
  auto watch = client_->Watch(kMaps, {{"resourceVersion", "99999"}}, events.Callbacks());
  EXPECT_EQ(events.WaitFor(1), (Seen{"ERROR "}));
  EXPECT_EQ(events.last()["code"], 504);
  EXPECT_TRUE(events.WaitClosed());
}

TEST_F(ApiServerTest, AWatchEndsAtItsTimeout) {
  Events events;
  auto watch = client_->Watch(kMaps, {{"timeoutSeconds", "1"}}, events.Callbacks());
  EXPECT_TRUE(events.WaitClosed());
}

constexpr char kBuoyDefinition[] =
    R"({"metadata":{"name":"buoys.sea.io"},"spec":{"group":"sea.io","scope":"Namespaced",
      "names":{"plural":"buoys","kind":"Buoy"},"versions":[
        {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer"}}}}}}},
        {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})";

TEST_F(ApiServerTest, ServesWhatDefinitionsDeclare) {
  const Json crd = Json::parse(kBuoyDefinition);
  const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const Json stored = Must(client_->Post(definitions, crd));
  EXPECT_EQ(stored["status"]["conditions"][1]["type"], "Established");
  EXPECT_EQ(stored["spec"]["names"]["listKind"], "BuoyList");
  Must(client_->Post("/apis/sea.io/v1/namespaces/sea/buoys",
                     {{"metadata", {{"name", "b"}}}, {"spec", {{"n", 1}}}}));
  EXPECT_EQ(Must(client_->Get("/apis/sea.io/v1beta1/namespaces/sea/buoys/b"))["apiVersion"],
            "sea.io/v1beta1");
  EXPECT_EQ(Code(client_->Post("/apis/sea.io/v1/namespaces/sea/buoys",
                               {{"metadata", {{"name", "c"}}}, {"spec", {{"n", "x"}}}})),
            422);
  EXPECT_EQ(Must(client_->Get("/apis/sea.io"))["preferredVersion"]["version"], "v1");
  // Gone when its finalizer is.
  Must(client_->Delete(definitions + "/buoys.sea.io"));
  Must(client_->MergePatch(definitions + "/buoys.sea.io",
                           {{"metadata", {{"finalizers", nullptr}}}}));
  EXPECT_EQ(registry_->Find("sea.io", "v1", "buoys"), nullptr);
}

// Runs `on_delete` before each deletion reaches the store.
class DeleteObserver final : public ForwardingStore {
 public:
  DeleteObserver(ObjectStore& store, std::function<void()> on_delete)
      : ForwardingStore(store), on_delete_(std::move(on_delete)) {}
  absl::StatusOr<StoreRevision> Delete(const ObjectKey& key, StoreRevision expected,
                                       absl::string_view last_json) override {
    on_delete_();
    return ForwardingStore::Delete(key, expected, last_json);
  }

 private:
  const std::function<void()> on_delete_;
};

// Bug: a client that saw its definition go could still list the kind.
TEST_F(ApiServerTest, KindIsWithdrawnBeforeItsDefinitionIsGone) {
  const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  std::unique_ptr<ResourceRegistry> registry = MakeBuiltInRegistry().value();
  std::vector<bool> served;
  DeleteObserver store(
      *store_, [&] { served.push_back(registry->Find("sea.io", "v1", "buoys") != nullptr); });
  ObjectService objects(store, *registry, clock_, {});
  ApiServer server(ApiServer::Deps{store, *registry, objects, access_, clock_, server_metrics_,
                                   log::Logger::Null(), nullptr});
  LocalClient client(server, Caller{"root", {}});
  Must(client.Post(definitions, Json::parse(kBuoyDefinition)));
  ASSERT_NE(registry->Find("sea.io", "v1", "buoys"), nullptr);
  Must(client.Delete(definitions + "/buoys.sea.io"));
  Must(client.MergePatch(definitions + "/buoys.sea.io", {{"metadata", {{"finalizers", nullptr}}}}));
  EXPECT_EQ(served, std::vector<bool>{false});
}

// A manifest that both servers apply: the second finds it done, before it has heard of it.
TEST_F(ApiServerTest, ServesADefinitionThatAWriteOnlyConfirms) {
  const std::string path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/buoys.sea.io";
  std::unique_ptr<ResourceRegistry> registry = MakeBuiltInRegistry().value();
  ObjectService objects(*store_, *registry, clock_, {});
  ApiServer server(ApiServer::Deps{*store_, *registry, objects, access_, clock_, server_metrics_,
                                   log::Logger::Null(), nullptr});
  LocalClient client(server, Caller{"root", {}});
  const Json crd = Json::parse(kBuoyDefinition);
  Must(client_->Post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd));
  Must(client.MergePatch(path, {{"spec", crd["spec"]}}));
  EXPECT_NE(registry->Find("sea.io", "v1", "buoys"), nullptr);
}

TEST_F(ApiServerTest, SaysNoInKubernetesWords) {
  LocalClient stranger(*server_, Caller{"stranger", {}});
  const absl::Status refused = stranger.Get(absl::StrCat(kPods, "/p")).status();
  EXPECT_EQ(HttpCode(refused), 403);
  EXPECT_EQ(refused.message(),
            "pods \"p\" is forbidden: User \"stranger\" cannot get resource \"pods\" in API group "
            "\"\" in the namespace \"sea\"");
  EXPECT_EQ(client_->Get(absl::StrCat(kPods, "/p")).status().message(), "pods \"p\" not found");
  EXPECT_EQ(Code(client_->Get("/api/v1/namespaces/sea/things")), 404);
  EXPECT_EQ(Code(client_->Call("PUT", kPods, {}, nullptr)), 405);
  EXPECT_EQ(Code(client_->Post("/api/v1/pods", Pod("p"))), 405);
  EXPECT_EQ(Code(client_->Delete("/api/v1/pods")), 405);  // Not every namespace at once.
  EXPECT_EQ(Code(client_->Post(kPods, Json::array())), 400);
  Json wrong = Pod("p");
  wrong["kind"] = "Node";
  EXPECT_EQ(Code(client_->Post(kPods, wrong)), 400);
  const Json patch = Json::object();
  EXPECT_EQ(Code(client_->Call("PATCH", absl::StrCat(kPods, "/p"), {}, &patch,
                               "application/apply-patch+yaml")),
            415);
}

TEST_F(ApiServerTest, ReviewsOwnAccess) {
  const Json review = {{"spec", {{"resourceAttributes", {{"verb", "get"}, {"resource", "pods"}}}}}};
  EXPECT_EQ(Must(client_->Post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                               review))["status"]["allowed"],
            true);
  const Json self =
      Must(client_->Post("/apis/authentication.k8s.io/v1/selfsubjectreviews", Json::object()));
  EXPECT_EQ(self["status"]["userInfo"]["username"], "root");
}

TEST_F(ApiServerTest, SurvivesHostileBodies) {
  const std::string path = kPods;
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("null"), std::string("[]"),
        std::string("\"x\""), std::string("{\"metadata\":[]}"),
        std::string("{\"metadata\":{\"labels\":[]}}"),
        std::string("{\"spec\":{\"containers\":[null,1,{}]}}"),
        std::string("{\"metadata\":{\"name\":\"\\u0000\"}}"), std::string("\xff\xfe"),
        std::string(100000, '['), std::string("{\"apiVersion\":{},\"kind\":[]}"),
        std::string("{\"spec\":{\"volumes\":[{\"name\":1}]}}")}) {
    http::Request request;
    request.method = "POST";
    request.path = path;
    request.headers["authorization"] = "Bearer root";
    request.body = body;
    struct Answer final : http::Responder {
      void Send(http::Response r) override { response = std::move(r); }
      std::shared_ptr<http::ResponseStream> Stream(
          int, std::vector<std::pair<std::string, std::string>>) override {
        return nullptr;
      }
      http::Response response;
    };
    auto answer = std::make_shared<Answer>();
    server_->Handle(request, answer);
    EXPECT_GE(answer->response.status, 400) << body.substr(0, 60);
    EXPECT_LT(answer->response.status, 500) << body.substr(0, 60);
  }
}

}  // namespace
}  // namespace skerry::kubeapi
