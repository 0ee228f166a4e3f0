#include "services/lib/kubeapi/printers.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/human.h"
#include "services/lib/kubeapi/json_path.h"
#include "services/lib/kubeapi/media_type.h"

namespace skerry::kubeapi {
namespace {

TEST(PodStatusTextTest, SaysWhatKubectlUsersKnow) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"status":{"phase":"Pending"}})", "Pending"},
      {R"({"status":{"phase":"Running","containerStatuses":[{"ready":true,"state":{"running":{}}}]}})",
       "Running"},
      {R"({"status":{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]}})",
       "ContainerCreating"},
      {R"({"status":{"phase":"Running","containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})",
       "CrashLoopBackOff"},
      {R"({"status":{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":3}}}]}})",
       "ExitCode:3"},
      {R"({"status":{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"signal":9,"exitCode":137}}}]}})",
       "Signal:9"},
      {R"({"status":{"phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}}]}})",
       "Completed"},
      {R"({"status":{"phase":"Running","containerStatuses":[{"ready":true,"state":{"running":{}}},{"state":{"terminated":{"reason":"Completed"}}}]}})",
       "NotReady"},
      {R"({"spec":{"initContainers":[{"name":"i"},{"name":"j"}]},"status":{"phase":"Pending","initContainerStatuses":[
           {"name":"i","state":{"terminated":{"exitCode":0}}},{"name":"j","state":{"running":{}}}]}})",
       "Init:1/2"},
      {R"({"spec":{"initContainers":[{"name":"i"}]},"status":{"phase":"Pending","initContainerStatuses":[
           {"name":"i","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})",
       "Init:CrashLoopBackOff"},
      {R"({"spec":{"initContainers":[{"name":"i"}]},"status":{"phase":"Pending","initContainerStatuses":[
           {"name":"i","state":{"terminated":{"reason":"Error","exitCode":1}}}]}})",
       "Init:Error"},
      {R"({"metadata":{"deletionTimestamp":"x"},"status":{"phase":"Running"}})", "Terminating"},
      {R"({"metadata":{"deletionTimestamp":"x"},"status":{"phase":"Running","reason":"NodeLost"}})",
       "Unknown"},
      {R"({"status":{"phase":"Failed","reason":"Evicted"}})", "Evicted"},
  };
  for (const auto& [pod, want] : cases) EXPECT_EQ(PodStatusText(Json::parse(pod)), want) << pod;
}

TEST(HumanDurationTest, IsAsKubectls) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "0s"},          {119, "119s"},    {120, "2m"},      {125, "2m5s"},   {599, "9m59s"},
      {600, "10m"},       {10799, "179m"},  {10800, "3h"},    {11100, "3h5m"}, {28800, "8h"},
      {172799, "47h"},    {172800, "2d"},   {183600, "2d3h"}, {691200, "8d"},  {63072000, "2y"},
      {63158400, "2y1d"}, {252288000, "8y"}};
  for (const auto& [seconds, want] : cases)
    EXPECT_EQ(HumanDuration(absl::Seconds(seconds)), want) << seconds;
  EXPECT_EQ(AgeSince("", absl::Now()), "<unknown>");
}

TEST(ColumnPathTest, FindsWhatPrinterColumnsName) {
  const Json object = Json::parse(R"({"spec":{"a":1,"b.c":"x","list":[{"n":"p"},{"n":"q"}]},
      "status":{"conditions":[{"type":"Ready","status":"True"},{"type":"X","status":"False"}]}})");
  const std::pair<const char*, const char*> cases[] = {
      {".spec.a", "1"},
      {".spec['b.c']", "\"x\""},
      {".spec.b\\.c", "\"x\""},
      {".spec.list[0].n", "\"p\""},
      {".spec.list[-1].n", "\"q\""},
      {".spec.list[*].n", "\"p\"\"q\""},
      {".status.conditions[?(@.type==\"Ready\")].status", "\"True\""},
      {".status.conditions[?(@.type=='X')].status", "\"False\""},
      {".spec.nope.x", ""},
      {".spec.list[7]", ""},
      {"{.spec.a}", "1"},
  };
  for (const auto& [text, want] : cases) {
    const absl::StatusOr<ColumnPath> path = ColumnPath::Parse(text);
    ASSERT_TRUE(path.ok()) << text;
    std::string found;
    for (const Json* value : path->Find(object)) found += DumpJson(*value);
    EXPECT_EQ(found, want) << text;
  }
  for (const char* text : {"", ".", ".a[", ".a[?(@.b)]", "..a"})
    EXPECT_FALSE(ColumnPath::Parse(text).ok()) << text;
}

TEST(CompareVersionsTest, PutsTheStableAndTheNewerFirst) {
  const char* sorted[] = {"v10",     "v2",        "v1",        "v11beta2", "v10beta3",
                          "v3beta1", "v12alpha1", "v11alpha2", "foo1",     "foo10"};
  for (size_t i = 0; i + 1 < std::size(sorted); ++i) {
    EXPECT_LT(CompareVersions(sorted[i], sorted[i + 1]), 0) << sorted[i];
    EXPECT_GT(CompareVersions(sorted[i + 1], sorted[i]), 0) << sorted[i];
  }
  EXPECT_EQ(CompareVersions("v1", "v1"), 0);
}

TEST(NegotiateFormTest, PrefersWhatTheClientPrefers) {
  EXPECT_EQ(NegotiateForm(""), ObjectForm::kObject);
  EXPECT_EQ(NegotiateForm("*/*"), ObjectForm::kObject);
  EXPECT_EQ(NegotiateForm("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"),
            ObjectForm::kTable);
  EXPECT_EQ(NegotiateForm("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"),
            ObjectForm::kObject);
  EXPECT_EQ(NegotiateForm("application/json;q=0.5, "
                          "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            ObjectForm::kPartialMetadata);
  EXPECT_EQ(NegotiateForm("application/vnd.kubernetes.protobuf,application/json"),
            ObjectForm::kObject);
  EXPECT_EQ(NegotiateForm("application/vnd.kubernetes.protobuf"), std::nullopt);
}

}  // namespace
}  // namespace skerry::kubeapi
