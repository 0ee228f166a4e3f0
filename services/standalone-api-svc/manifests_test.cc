#include "services/standalone-api-svc/manifests.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/testing/temp_dir.h"

namespace skerry::standaloneapi {
namespace {

using kubeapi::Json;

TEST(ParseManifestsTest, ReadsYamlAsKubectlDoes) {
  const std::vector<Json> manifests = ParseManifests(R"(
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  quoted: "true"
  single: '5'
  text: |
    two
    lines
flag: true
number: 5
ratio: 0.5
version: 1.2.3
nothing: ~
none:
---
---
kind: List
items:
- {kind: A}
- {kind: B}
)")
                                          .value();
  ASSERT_EQ(manifests.size(), 3u);
  EXPECT_EQ(manifests[0],
            Json::parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},
      "data":{"quoted":"true","single":"5","text":"two\nlines\n"},"flag":true,"number":5,"ratio":0.5,
      "version":"1.2.3","nothing":null,"none":null})"));
  EXPECT_EQ(manifests[2]["kind"], "B");
  EXPECT_EQ(ParseManifests(R"({"kind":"Json"})").value()[0]["kind"], "Json");
  EXPECT_TRUE(ParseManifests("").value().empty());
}

TEST(ParseManifestsTest, NamesTheLineThatIsWrong) {
  const absl::Status status = ParseManifests("a: b\nc: [d\n").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(std::string(status.message()).find("line "), std::string::npos);
  EXPECT_FALSE(ParseManifests("- just\n- a list\n").ok());
  EXPECT_FALSE(ParseManifests("a: " + std::string(300, '[') + std::string(300, ']')).ok());
}

TEST(ReadManifestsTest, PutsDefinitionsAndNamespacesFirst) {
  testing::TempDir folder;
  folder.Write("1.yaml", "kind: Pod\n---\nkind: Namespace\n");
  folder.Write("2.yml", "kind: CustomResourceDefinition\n");
  folder.Write("3.json", R"({"kind":"Secret"})");
  folder.Write("notes.txt", "not a manifest: [");
  std::vector<std::string> kinds;
  const std::vector<Json> manifests = ReadManifests(folder.path()).value();
  for (const Json& manifest : manifests) kinds.push_back(manifest["kind"]);
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"CustomResourceDefinition", "Namespace", "Pod", "Secret"}));
  EXPECT_FALSE(ReadManifests(folder.path() + "/nowhere").ok());
}

}  // namespace
}  // namespace skerry::standaloneapi
