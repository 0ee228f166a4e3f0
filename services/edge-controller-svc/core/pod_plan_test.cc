#include "services/edge-controller-svc/core/pod_plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/base/error.h"

namespace skerry::edgecontroller {
namespace {

using nlohmann::json;

json Pod(const std::string& status = "{}", bool deleting = false) {
  json pod =
      json::parse(R"({"metadata":{"namespace":"ns","name":"p","uid":"u1","resourceVersion":"7"},
                             "spec":{"nodeName":"n1"}})");
  pod["status"] = json::parse(status);
  if (deleting) pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  return pod;
}

PodPlan Plan(const json& pod, const std::string& status, bool gone = false,
             const std::string& uid = "u1") {
  auto plan = PlanPodReport(pod, "n1", {.uid = uid, .status_json = status, .gone = gone});
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : PodPlan{};
}

// The status after the plan's patch.
json After(json pod, const PodPlan& plan) {
  EXPECT_FALSE(plan.status_patch.empty());
  if (!plan.status_patch.empty()) pod.merge_patch(json::parse(plan.status_patch));
  return pod["status"];
}

TEST(PodDigestTest, LeavesOutWhatTheNodeReportsButNotAnEnd) {
  json pod = Pod(R"({"phase":"Pending"})");
  const uint64_t digest = PodDigest(pod);
  pod["metadata"]["resourceVersion"] = "8";
  pod["status"] = {{"phase", "Running"}, {"podIP", "10.0.0.2"}};
  EXPECT_EQ(PodDigest(pod), digest);
  pod["status"]["phase"] = "Failed";
  EXPECT_NE(PodDigest(pod), digest) << "evicted: the node must stop it";
  EXPECT_NE(PodDigest(Pod("{}", true)), digest) << "deletion";
}

TEST(PlanPodReportTest, WritesNewStatusOnConditionOfUidAndVersion) {
  const PodPlan plan =
      Plan(Pod(R"({"phase":"Pending"})"), R"({"phase":"Running","podIP":"10.0.0.2"})");
  const json patch = json::parse(plan.status_patch);
  EXPECT_EQ(patch["metadata"], json::parse(R"({"uid":"u1","resourceVersion":"7"})"));
  EXPECT_EQ(patch["status"]["phase"], "Running");
  EXPECT_EQ(patch["status"]["podIP"], "10.0.0.2");
  EXPECT_FALSE(plan.finish_deletion);
}

TEST(PlanPodReportTest, SameStatusWritesNothing) {
  const std::string status =
      R"({"phase":"Running","conditions":[{"type":"Ready","status":"True"}]})";
  const PodPlan plan = Plan(Pod(status), status);
  EXPECT_EQ(plan.status_patch, "");
  EXPECT_EQ(plan.dropped, "");
}

TEST(PlanPodReportTest, AbsentPodIsNotBroughtBack) {
  EXPECT_EQ(Plan(json(), R"({"phase":"Running"})").dropped, "POD_ABSENT");
  EXPECT_EQ(Plan(json(), "", /*gone=*/true).dropped, "POD_ABSENT");
}

TEST(PlanPodReportTest, ReportOfAnEarlierPodOfTheNameIsDropped) {
  const PodPlan plan =
      Plan(Pod("{}", /*deleting=*/true), R"({"phase":"Running"})", /*gone=*/true, "u0");
  EXPECT_EQ(plan.dropped, "POD_REPLACED");
  EXPECT_FALSE(plan.finish_deletion);
}

TEST(PlanPodReportTest, PodOfAnotherNodeIsRefused) {
  auto plan = PlanPodReport(Pod(), "n2", {.uid = "u1", .status_json = "{}"});
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(GetErrorInfo(plan.status()).reason, "NOT_YOUR_POD");
}

TEST(PlanPodReportTest, PodBoundToNoNodeIsRefused) {
  json pod = Pod();
  pod["spec"].erase("nodeName");
  EXPECT_EQ(PlanPodReport(pod, "n1", {.uid = "u1", .status_json = "{}"}).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(PlanPodReportTest, DeletionEndsOnlyWhenTheContainersAreGone) {
  const json deleting = Pod(R"({"phase":"Running"})", true);
  EXPECT_FALSE(Plan(deleting, R"({"phase":"Running"})").finish_deletion);
  const PodPlan plan = Plan(deleting, R"({"phase":"Succeeded"})", /*gone=*/true);
  EXPECT_TRUE(plan.finish_deletion);
  EXPECT_EQ(plan.uid, "u1");
  EXPECT_EQ(After(deleting, plan)["phase"], "Succeeded");
}

TEST(PlanPodReportTest, GonePodThatNobodyDeletesStays) {
  const PodPlan plan = Plan(Pod(R"({"phase":"Running"})"), R"({"phase":"Failed"})", /*gone=*/true);
  EXPECT_FALSE(plan.finish_deletion);
  EXPECT_FALSE(plan.status_patch.empty());
}

TEST(PlanPodReportTest, GoneWithoutStatusEndsTheDeletion) {
  const PodPlan plan = Plan(Pod("{}", true), "", /*gone=*/true);
  EXPECT_TRUE(plan.finish_deletion);
  EXPECT_EQ(plan.status_patch, "");
}

TEST(PlanPodReportTest, FinalPhaseDoesNotGoBack) {
  for (const char* phase : {"Succeeded", "Failed"}) {
    const json pod = Pod(json{{"phase", phase}}.dump());
    for (const char* reported : {"Pending", "Running", "Unknown"}) {
      EXPECT_EQ(Plan(pod, json{{"phase", reported}}.dump()).dropped, "PHASE_IS_FINAL")
          << phase << reported;
    }
  }
  EXPECT_EQ(Plan(Pod(R"({"phase":"Succeeded"})"), R"({"phase":"Failed"})").dropped,
            "PHASE_IS_FINAL");
}

TEST(PlanPodReportTest, FinalPhaseMayGetDetails) {
  const json pod = Pod(R"({"phase":"Succeeded"})");
  EXPECT_EQ(After(pod, Plan(pod, R"({"phase":"Succeeded","message":"done"})"))["message"], "done");
}

TEST(PlanPodReportTest, FinalPhaseDoesNotKeepADeletedPodAlive) {
  const PodPlan plan =
      Plan(Pod(R"({"phase":"Failed"})", true), R"({"phase":"Running"})", /*gone=*/true);
  EXPECT_EQ(plan.dropped, "");
  EXPECT_TRUE(plan.finish_deletion);
  EXPECT_EQ(plan.status_patch, "");
}

TEST(PlanPodReportTest, ConditionsOfOthersStay) {
  const json pod = Pod(R"({"conditions":[{"type":"PodScheduled","status":"True"},
                                         {"type":"example.com/gate","status":"True"},
                                         {"type":"Ready","status":"False"},{"type":"Initialized","status":"True"}]})");
  const json after = After(pod, Plan(pod, R"({"conditions":[{"type":"Ready","status":"True"}]})"));
  EXPECT_EQ(after["conditions"], json::parse(R"([{"type":"PodScheduled","status":"True"},
                                                 {"type":"example.com/gate","status":"True"},
                                                 {"type":"Ready","status":"True"}])"));
}

TEST(PlanPodReportTest, TransitionTimeStaysWhileTheStatusIsTheSame) {
  const json pod =
      Pod(R"({"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"T1"}]})");
  EXPECT_EQ(
      Plan(pod, R"({"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"T2"}]})")
          .status_patch,
      "");
  const json after = After(
      pod,
      Plan(pod, R"({"conditions":[{"type":"Ready","status":"False","lastTransitionTime":"T2"}]})"));
  EXPECT_EQ(after["conditions"][0]["lastTransitionTime"], "T2");
}

TEST(PlanPodReportTest, StartTimeAndQosClassAreSetOnce) {
  const json pod = Pod(R"({"startTime":"T1","qosClass":"Burstable","nominatedNodeName":"x"})");
  const json after =
      After(pod, Plan(pod, R"({"phase":"Running","startTime":"T2","qosClass":"Guaranteed"})"));
  EXPECT_EQ(after["startTime"], "T1");
  EXPECT_EQ(after["qosClass"], "Burstable");
  EXPECT_EQ(after["nominatedNodeName"], "x");
}

TEST(PlanPodReportTest, MembersThatAreNoLongerReportedGo) {
  const json pod = Pod(R"({"phase":"Pending","reason":"Waiting","message":"m"})");
  const json after = After(pod, Plan(pod, R"({"phase":"Running"})"));
  EXPECT_FALSE(after.contains("reason"));
  EXPECT_FALSE(after.contains("message"));
}

TEST(PlanPodReportTest, MalformedReportsAreRefused) {
  for (const char* status : {"", "[]", "{", "7", "null"}) {
    EXPECT_EQ(PlanPodReport(Pod(), "n1", {.uid = "u1", .status_json = status}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << status;
  }
  EXPECT_EQ(PlanPodReport(Pod(), "n1", {.uid = "", .status_json = "{}"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PlanPodReport(Pod(), "n1", {.uid = "u1", .status_json = std::string(5000, '[')})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(PlanPodReportTest, OddConditionsDoNotHarm) {
  const json pod = Pod(R"({"conditions":[7,{"type":"Ready"}]})");
  EXPECT_FALSE(Plan(pod, R"({"conditions":{"a":1},"phase":"Running"})").status_patch.empty());
  EXPECT_FALSE(
      Plan(pod, R"({"conditions":[null,"x",{"type":3}],"phase":"Running"})").status_patch.empty());
}

}  // namespace
}  // namespace skerry::edgecontroller
