#include "services/lib/kubeapi/request_info.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::kubeapi {
namespace {

std::string Shown(const RequestInfo& info) {
  if (!info.is_resource) return absl::StrCat(info.verb, " path");
  return absl::StrCat(info.verb, " ", info.group, "/", info.version, " ns=", info.ns, " ",
                      info.resource, "/", info.name, "/", info.subresource);
}

struct Case {
  const char* method;
  const char* path;
  const char* want;
  std::vector<std::pair<std::string, std::string>> query;
};

TEST(ParseRequestTest, KnowsEveryShapeOfPath) {
  const Case cases[] = {
      {"GET", "/api/v1/pods", "list /v1 ns= pods//", {}},
      {"GET", "/api/v1/pods", "watch /v1 ns= pods//", {{"watch", "true"}}},
      {"GET", "/api/v1/pods", "watch /v1 ns= pods//", {{"watch", "1"}}},
      // Bug: a right to watch one object opened the whole collection.
      {"GET", "/api/v1/namespaces/a/secrets/s", "get /v1 ns=a secrets/s/", {{"watch", "true"}}},
      {"GET", "/api/v1/namespaces/a/pods/p/status", "get /v1 ns=a pods/p/status", {{"watch", "1"}}},
      {"GET", "/api/v1/namespaces/a", "get /v1 ns=a namespaces/a/", {{"watch", "1"}}},
      {"GET", "/api/v1/namespaces/a/pods/p", "get /v1 ns=a pods/p/", {}},
      {"PUT", "/api/v1/namespaces/a/pods/p/status", "update /v1 ns=a pods/p/status", {}},
      {"POST", "/api/v1/namespaces/a/pods/p/binding", "create /v1 ns=a pods/p/binding", {}},
      {"DELETE", "/api/v1/namespaces/a/pods", "deletecollection /v1 ns=a pods//", {}},
      {"DELETE", "/api/v1/namespaces/a/pods/p", "delete /v1 ns=a pods/p/", {}},
      {"GET", "/api/v1/namespaces", "list /v1 ns= namespaces//", {}},
      {"GET", "/api/v1/namespaces/a", "get /v1 ns=a namespaces/a/", {}},
      {"PUT", "/api/v1/namespaces/a/finalize", "update /v1 ns=a namespaces/a/finalize", {}},
      {"PUT", "/api/v1/namespaces/a/status", "update /v1 ns=a namespaces/a/status", {}},
      {"GET",
       "/apis/coordination.k8s.io/v1/namespaces/k/leases/n",
       "get coordination.k8s.io/v1 ns=k leases/n/",
       {}},
      {"GET", "/apis/x.io/v1/namespaces/k", "get x.io/v1 ns= namespaces/k/", {}},
      {"GET",
       "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
       "list apiextensions.k8s.io/v1 ns= customresourcedefinitions//",
       {}},
      {"GET", "/api/v1/pods", "list /v1 ns= pods/x/", {{"fieldSelector", "metadata.name=x"}}},
      {"GET", "/api/v1/pods", "list /v1 ns= pods/x/", {{"fieldSelector", "metadata.name==x"}}},
      {"GET", "/api/v1/pods", "list /v1 ns= pods//", {{"fieldSelector", "metadata.name=x,a=b"}}},
      {"GET", "/api", "get path", {}},
      {"GET", "/apis", "get path", {}},
      {"GET", "/apis/x.io/v1", "get path", {}},
      {"GET", "/", "get path", {}},
      {"GET", "", "get path", {}},
      {"GET", "/api/v1/namespaces/a/pods/p/proxy/x", "get path", {}},
      {"OPTIONS", "/api/v1/pods", "options /v1 ns= pods//", {}},
  };
  for (const Case& c : cases) {
    std::string got = Shown(ParseRequest(c.method, c.path, c.query));
    EXPECT_EQ(got, c.want) << c.method << " " << c.path;
  }
}

}  // namespace
}  // namespace skerry::kubeapi
